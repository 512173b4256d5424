"""A world for rolling updates without an apiserver: controllers, pods, and whoever acts on them one write at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from rollplane.core.v1 import Pod, ReplicationController
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.kinds import POD, REPLICATION_CONTROLLER
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.rolling_update import (
    DESIRED_REPLICAS,
    ORIGINAL_REPLICAS,
    SOURCE_ID,
    CleanupPolicy,
    Step,
    UpdatePace,
    UpdateState,
    set_state,
    state_of,
)
from rollplane_planners.claims import Owner
from rollplane_planners.model import (
    CreateObject,
    CreatePods,
    DeleteObject,
    Plan,
    PlannedWrite,
    UpdateObject,
    UpdateObjectStatus,
)
from rollplane_planners.pods import PodView, pod_view
from rollplane_planners.replica_set import ReplicaSetView, plan_replica_set
from rollplane_planners.rolling_update import RollingUpdateView, plan_rolling_update

NAMESPACE = "shop"
START = 1_700_000_000.0
PACE = UpdatePace(update_period_seconds=60, poll_interval_seconds=3, timeout_seconds=300)


class RefusedError(Exception):
    """A write whose precondition does not hold."""


class RollingWorld:
    """An update of ``old`` (3 pods, all ready) to ``new``, as the apiserver has prepared it."""

    def __init__(
        self,
        desired: int = 3,
        original: int = 3,
        *,
        cleanup: CleanupPolicy = CleanupPolicy.DELETE,
        pace: UpdatePace = PACE,
        with_label: bool = False,
    ) -> None:
        self.now = START
        self.versions = count(1)
        self.names = count(1)
        self.controllers: dict[str, ReplicationController] = {}
        self.pods: dict[str, Pod] = {}
        old = self._controller("old", original, {} if with_label else {"v": "1"})
        old.metadata.annotations[ORIGINAL_REPLICAS] = str(original)
        self._store(old)
        self.control("old")
        for pod in self.pods.values():
            self.set_ready(pod.metadata.name)
        self.control("old")
        new = self._controller("new", 0, {"v": "2"})
        new.metadata.annotations[SOURCE_ID] = f"old:{old.metadata.uid}"
        new.metadata.annotations[DESIRED_REPLICAS] = str(desired)
        step = Step.LABEL if with_label else Step.SCALE_UP
        set_state(new, UpdateState(step, cleanup, pace, label_key="v", label_value="1"))
        self._store(new)

    def _controller(self, name: str, replicas: int, labels: dict[str, str]) -> ReplicationController:
        one = ReplicationController()
        one.metadata.name, one.metadata.namespace = name, NAMESPACE
        one.spec.replicas = replicas
        one.spec.selector.update({"app": "web", **labels})
        one.spec.template.metadata.labels.update({"app": "web", **labels})
        one.spec.template.spec.containers.add(name="web", image=f"web:{name}")
        return one

    # The store

    def write(self, write: PlannedWrite) -> None:
        """Carry out one write; raises RefusedError when its precondition does not hold."""
        match write:
            case CreateObject(object=ReplicationController() as one):
                self._refuse_unless(one.metadata.name not in self.controllers)
                self._store(one)
            case UpdateObject(object=ReplicationController() as one):
                self._update(one)
            case UpdateObject(object=Pod() as pod):
                self._check(self.pods[pod.metadata.name].metadata, pod.metadata)
                self._put_pod(pod)
            case UpdateObjectStatus(object=ReplicationController() as one):
                stored = self.controllers[one.metadata.name]
                self._check(stored.metadata, one.metadata)
                stored.status.CopyFrom(one.status)
                self._touch(stored.metadata)
            case DeleteObject(kind=kind) if kind is POD:
                self.pods[write.name].metadata.deletion_timestamp.seconds = int(self.now)
            case DeleteObject(kind=kind) if kind is REPLICATION_CONTROLLER:
                stored = self.controllers[write.name]
                self._refuse_unless(write.resource_version in (None, stored.metadata.resource_version))
                stored.metadata.deletion_timestamp.seconds = int(self.now)
                self._touch(stored.metadata)
            case _:
                raise AssertionError(f"nobody plans {write}")

    def _refuse_unless(self, holds: bool) -> None:
        if not holds:
            raise RefusedError

    def _check(self, stored: ObjectMeta, sent: ObjectMeta) -> None:
        self._refuse_unless((stored.uid, stored.resource_version) == (sent.uid, sent.resource_version))

    def _store(self, one: ReplicationController) -> None:
        one.metadata.uid = f"uid-{next(self.versions)}"
        one.metadata.generation = 1
        self._touch(one.metadata)
        self.controllers[one.metadata.name] = one

    def _update(self, one: ReplicationController) -> None:
        self._refuse_unless(one.metadata.name in self.controllers)
        stored = self.controllers[one.metadata.name]
        self._check(stored.metadata, one.metadata)
        if stored.spec != one.spec:
            one.metadata.generation = stored.metadata.generation + 1
        self._touch(one.metadata)
        self.controllers[one.metadata.name] = one

    def _put_pod(self, pod: Pod) -> None:
        self._touch(pod.metadata)
        self.pods[pod.metadata.name] = pod

    def _touch(self, metadata: ObjectMeta) -> None:
        metadata.resource_version = str(next(self.versions))

    # Who acts

    def engine_plan(self, name: str) -> Plan:
        """Return what the engine plans for a controller."""
        target = self.controllers[name]
        sources = [self.controllers.get(source) for source in [_source(target)] if source]
        source = sources[0] if sources else None
        view = RollingUpdateView(
            target, source, self._controlled(target), self._claimable(source), lambda pod: self.pods[pod.name]
        )
        return plan_rolling_update(view, self.now)

    def engine(self, name: str, writes: int | None = None) -> bool:
        """Let the engine act once, and stop it after that many writes; return whether it wrote anything."""
        plan = self.engine_plan(name)
        return self._carry_out(plan.writes[:writes])

    def _carry_out(self, writes: Sequence[PlannedWrite]) -> bool:
        done = False
        for write in writes:
            try:
                self.write(write)
            except RefusedError:
                break
            done = True
        return done

    def control(self, name: str) -> bool:
        """Let the ReplicationController controller act once on a controller."""
        owner = self.controllers[name]
        view = ReplicaSetView(owner, self._claimable(owner), lambda pod: self.pods[pod.name])
        done = False
        for write in plan_replica_set(view, self.now).writes:
            if isinstance(write, CreatePods):
                self._create_pods(owner, write)
                done = True
            else:
                done |= self._carry_out([write])
        return done

    def _create_pods(self, owner: ReplicationController, write: CreatePods) -> None:
        reference = Owner(REPLICATION_CONTROLLER, owner.metadata.name, owner.metadata.uid, deleting=False).reference()
        for _ in range(write.count):
            pod = Pod()
            number = next(self.names)
            pod.metadata.name, pod.metadata.uid = f"{write.prefix}{number:03}", f"pod-{number}"
            pod.metadata.namespace = NAMESPACE
            pod.metadata.labels.update(write.template.metadata.labels)
            pod.metadata.owner_references.append(reference)
            pod.spec.CopyFrom(write.template.spec)
            pod.status.phase = "Pending"
            self._put_pod(pod)

    def collect(self) -> bool:
        """Let the garbage collector finish deletions that leave the pods behind."""
        going = [one for one in self.controllers.values() if is_being_deleted(one.metadata)]
        for one in going:
            for pod in self.pods.values():
                kept = [owner for owner in pod.metadata.owner_references if owner.uid != one.metadata.uid]
                if len(kept) != len(pod.metadata.owner_references):
                    del pod.metadata.owner_references[:]
                    pod.metadata.owner_references.extend(kept)
                    self._touch(pod.metadata)
            del self.controllers[one.metadata.name]
        return bool(going)

    def set_ready(self, name: str) -> None:
        pod = self.pods[name]
        pod.status.phase = "Running"
        del pod.status.conditions[:]
        pod.status.conditions.add(type="Ready", status="True").last_transition_time.seconds = int(self.now)
        self._touch(pod.metadata)

    def ready_next(self) -> bool:
        """Make the first pod ready that is not."""
        for pod in self.live:
            if not _is_ready(pod):
                self.set_ready(pod.metadata.name)
                return True
        return False

    def finish_pods(self) -> None:
        """Let the pods that were deleted end."""
        self.pods = {name: pod for name, pod in self.pods.items() if not is_being_deleted(pod.metadata)}

    def settle(self, *, ready: bool = True) -> None:
        """Let everybody but the engine act until nobody has anything to do."""
        acting = True
        while acting:
            acted = [self.control(name) for name in [*self.controllers]]
            acting = any(acted)
            acting |= self.collect()
            while ready and self.ready_next():
                acting = True

    # What is there

    @property
    def live(self) -> list[Pod]:
        return [pod for pod in self.pods.values() if not is_being_deleted(pod.metadata)]

    @property
    def available(self) -> int:
        return sum(map(_is_ready, self.live))

    @property
    def sizes(self) -> dict[str, int]:
        return {name: one.spec.replicas for name, one in self.controllers.items()}

    def state(self, name: str) -> UpdateState | None:
        return state_of(self.controllers[name].metadata.annotations)

    @property
    def updating(self) -> list[str]:
        """The controllers that carry an update."""
        return [name for name in self.controllers if self.state(name) is not None]

    def _controlled(self, owner: ReplicationController) -> list[PodView]:
        views = map(pod_view, self.pods.values())
        return [view for view in views if view.controller_uid == owner.metadata.uid]

    def _claimable(self, owner: ReplicationController | None) -> list[PodView]:
        uid = owner.metadata.uid if owner is not None else ""
        return [view for view in map(pod_view, self.pods.values()) if view.controller_uid in (None, uid)]


def _source(target: ReplicationController) -> str:
    return str(target.metadata.annotations.get(SOURCE_ID, "")).partition(":")[0]


def _is_ready(pod: Pod) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions)
