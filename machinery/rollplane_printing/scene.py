"""A workload with what its planner must see, as last read: objects go in, plans come out.

Pods and nodes are kept as the planners' views beside the messages, so that a rollout that is followed costs what
changes, not what there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeGuard

from rollplane.apps.v1 import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import Node, PersistentVolumeClaim, Pod, ReplicationController
from rollplane_machinery import kinds
from rollplane_machinery.kinds import ApiObject, Kind, Workload
from rollplane_machinery.metadata import controller_uid
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.rolling_update import source_of, state_of
from rollplane_planners.daemon_set import DaemonSetView, plan_daemon_set
from rollplane_planners.deployment import DeploymentView, plan_deployment
from rollplane_planners.model import Plan
from rollplane_planners.pods import PodView, pod_view
from rollplane_planners.replica_set import PodController, ReplicaSetView, plan_replica_set
from rollplane_planners.rolling_update import RollingUpdateView, plan_rolling_update
from rollplane_planners.scheduling.nodes import NodeView, node_view
from rollplane_planners.stateful_set import StatefulSetView, plan_stateful_set

SELECTED: Mapping[Kind, tuple[Kind, ...]] = MappingProxyType(
    {
        kinds.DEPLOYMENT: (kinds.REPLICA_SET, kinds.POD),
        kinds.STATEFUL_SET: (kinds.CONTROLLER_REVISION, kinds.POD),
        kinds.DAEMON_SET: (kinds.CONTROLLER_REVISION, kinds.POD),
        kinds.REPLICA_SET: (kinds.POD,),
        kinds.REPLICATION_CONTROLLER: (kinds.POD,),
    }
)
"""For each kind of workload the kinds of which its selector chooses what its planner must see."""

ALL: Mapping[Kind, tuple[Kind, ...]] = MappingProxyType(
    {
        kinds.STATEFUL_SET: (kinds.PERSISTENT_VOLUME_CLAIM,),
        kinds.DAEMON_SET: (kinds.NODE,),
        kinds.REPLICATION_CONTROLLER: (kinds.REPLICATION_CONTROLLER,),
    }
)
"""The kinds of which it must see all there are, in its namespace if they have one."""


def is_workload(message: ApiObject) -> TypeGuard[Workload]:
    """Return whether there is a planner to ask."""
    return isinstance(message, Workload)


@dataclass(slots=True)
class Scene:
    """The objects as last seen, by name; foreign ones among them are told apart by the planners.

    ``release`` is the one that the plane behaves as: by another one's rules a workload at rest might want to move.
    """

    workload: Workload
    release: Release = LATEST
    pods: dict[str, Pod] = field(default_factory=dict)
    pod_views: dict[str, PodView] = field(default_factory=dict)
    node_views: dict[str, NodeView] = field(default_factory=dict)
    others: dict[tuple[type[ApiObject], str], ApiObject] = field(default_factory=dict)

    def put(self, message: ApiObject) -> None:
        """Take in an object as it is now."""
        name = message.metadata.name
        if isinstance(message, Pod):
            self.pods[name], self.pod_views[name] = message, pod_view(message)
        elif isinstance(message, Node):
            self.node_views[name] = node_view(message)
        elif isinstance(message, type(self.workload)) and name == self.workload.metadata.name:
            self.workload = message
        else:
            self.others[type(message), name] = message

    def drop(self, kind: Kind, name: str) -> None:
        """Forget an object that is gone."""
        if kind is kinds.POD:
            self.pods.pop(name, None), self.pod_views.pop(name, None)
        elif kind is kinds.NODE:
            self.node_views.pop(name, None)
        else:
            self.others.pop((kind.message, name), None)

    def plans(self, now: float) -> Iterator[Plan]:
        """Yield what the workload's planner plans as of ``now``, then what those below it do.

        Only the first one's reasons speak of the workload. ``now`` is in seconds since the epoch.
        """
        match self.workload:
            case Deployment():
                yield from self._deployment(self.workload, now)
            case StatefulSet():
                yield plan_stateful_set(self._stateful_set(self.workload), now)
            case DaemonSet():
                yield plan_daemon_set(self._daemon_set(self.workload), now)
            case ReplicaSet():
                yield self._replicas(self.workload, now)
            case ReplicationController():
                if state_of(self.workload.metadata.annotations) is not None:
                    yield plan_rolling_update(self._rolling_update(self.workload), now)
                yield self._replicas(self.workload, now)

    def _of(self, type_: type[ApiObject]) -> Iterator[ApiObject]:
        return (message for (kind, _), message in self.others.items() if kind is type_)

    def _deployment(self, deployment: Deployment, now: float) -> Iterator[Plan]:
        sets = [one for one in self._of(ReplicaSet) if isinstance(one, ReplicaSet)]
        pods: dict[str, list[PodView]] = {one.metadata.uid: [] for one in sets}
        for view in self.pod_views.values():
            pods.setdefault(view.controller_uid or "", []).append(view)
        running = Counter({uid: sum(not pod.finished for pod in found) for uid, found in pods.items()})
        yield plan_deployment(
            DeploymentView(deployment, sets, running_pods=running, pods=pods, release=self.release), now
        )
        for one in sets:
            if controller_uid(one.metadata) == deployment.metadata.uid:
                yield plan_replica_set(
                    ReplicaSetView(one, pods[one.metadata.uid], self._fetch, release=self.release), now
                )

    def _stateful_set(self, stateful_set: StatefulSet) -> StatefulSetView:
        claims = [one for one in self._of(PersistentVolumeClaim) if isinstance(one, PersistentVolumeClaim)]
        return StatefulSetView(
            stateful_set,
            list(self.pod_views.values()),
            self._revisions(),
            self._fetch,
            {one.metadata.name: one for one in claims},
            release=self.release,
        )

    def _daemon_set(self, daemon_set: DaemonSet) -> DaemonSetView:
        nodes, pods = list(self.node_views.values()), list(self.pod_views.values())
        return DaemonSetView(daemon_set, nodes, pods, self._revisions(), self._fetch, release=self.release)

    def _replicas(self, owner: PodController, now: float) -> Plan:
        return plan_replica_set(
            ReplicaSetView(owner, list(self.pod_views.values()), self._fetch, release=self.release), now
        )

    def _rolling_update(self, target: ReplicationController) -> RollingUpdateView:
        replaced = source_of(target.metadata.annotations)
        found = self.others.get((ReplicationController, replaced.name)) if replaced is not None else None
        source = found if isinstance(found, ReplicationController) else None
        pods = list(self.pod_views.values())
        mine = [pod for pod in pods if pod.controller_uid == target.metadata.uid]
        return RollingUpdateView(target, source, mine, [pod for pod in pods if pod not in mine], self._fetch)

    def _revisions(self) -> list[ControllerRevision]:
        return [one for one in self._of(ControllerRevision) if isinstance(one, ControllerRevision)]

    def _fetch(self, view: PodView) -> Pod:
        return self.pods[view.name]
