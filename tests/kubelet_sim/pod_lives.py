"""One pod's life without a plane: looks when they are due, reports stored as the server would store them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rollplane.core.v1 import Container, ContainerStatus, Pod
from rollplane_kubelet_sim.stages.containers import Note
from rollplane_kubelet_sim.stages.life import PodLife, Progress
from rollplane_kubelet_sim.stages.orders import ORDER_ANNOTATION
from rollplane_kubelet_sim.stages.pods import Place
from rollplane_kubelet_sim.stages.references import KeyNames, missing_of
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.api import Key
from rollplane_machinery.metadata import is_being_deleted
from rollplane_printing.pod_status import pod_status as display
from rollplane_rules.validation import validate_status_update

START = 1_600_000_000.0
INSTANT = Profile("instant")


def rules(*lines: str, **fields: object) -> Profile:
    """Return a profile of rules in YAML's flow style, such as ``"stage: pull, delay: 2"``."""
    head = "".join(f"{name}: {str(value).lower()}\n" for name, value in fields.items())
    return parse_profile(head + "rules:\n" + "".join(f"  - {{{line}}}\n" for line in lines) if lines else head)


def bound_pod(*containers: Container, policy: str = "Always", name: str = "web") -> Pod:
    """Return a pod as it is when it has just been bound."""
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace, pod.metadata.uid = name, "default", f"uid-{name}"
    pod.spec.node_name, pod.spec.restart_policy = "node-0", policy
    pod.spec.termination_grace_period_seconds = 30
    pod.spec.containers.extend(containers or [app()])
    pod.status.phase = "Pending"
    pod.status.conditions.add(type="PodScheduled", status="True").last_transition_time.seconds = int(START)
    return pod


def app(name: str = "app", image: str = "nginx:1", pull: str = "IfNotPresent") -> Container:
    return Container(name=name, image=image, image_pull_policy=pull)


@dataclass
class Sim:
    """A pod and its kubelet; ``seen`` is what ``kubectl get`` showed, with the seconds since the start."""

    pod: Pod
    profile: Profile = INSTANT
    now: float = START
    seen: list[tuple[float, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    ended: float | None = None
    looks: int = 0
    there: dict[Key, KeyNames] = field(default_factory=dict)
    """The ConfigMaps and Secrets that there are."""

    def __post_init__(self) -> None:
        self.life = self._take_up()
        self.due: float | None = None

    def _take_up(self) -> PodLife:
        return PodLife(self._copy(), Place("172.16.0.1", "10.0.0.1", self.now))

    def _copy(self) -> Pod:
        copy = Pod()
        copy.CopyFrom(self.pod)
        return copy

    def look(self) -> Progress:
        """Look once, store what is reported, and check that the server would take it."""
        progress = self.life.advance(self.profile, self.now, missing_of(self.pod, self.there.get))
        self.looks += 1
        self.notes += progress.notes
        self.due = progress.due
        if progress.status is not None:
            new = self._copy()
            new.status.CopyFrom(progress.status)
            assert validate_status_update(new, self.pod) == []
            if progress.annotations is not None:
                new.metadata.annotations.clear()
                new.metadata.annotations.update(progress.annotations)
            self.pod = new
            self.life.observe(self._copy())
            self.seen.append((round(self.now - START, 3), display(new)))
        if progress.ended and self.ended is None:
            self.ended = self.now - START
        return progress

    def until(self, seconds: float) -> Sim:
        """Look whenever it is due, up to ``seconds`` after the start."""
        self.look()
        while self.due is not None and self.due <= START + seconds and self.ended is None:
            assert self.due > self.now or self.looks < 10_000, "it looks and looks without getting anywhere"
            self.now = max(self.now, self.due)
            self.look()
        self.now = max(self.now, START + seconds)
        return self

    def restart_kubelet(self) -> None:
        """Forget all but what is stored."""
        self.life = self._take_up()

    def order(self, word: str) -> Sim:
        self.pod.metadata.annotations[ORDER_ANNOTATION] = word
        self.life.observe(self._copy())
        self.look()
        return self

    def mark(self, grace: int = 30) -> Sim:
        """Delete the pod gracefully, now; a second time shortens the grace."""
        metadata = self.pod.metadata
        marked = (
            metadata.deletion_timestamp.seconds - metadata.deletion_grace_period_seconds
            if is_being_deleted(metadata)
            else int(self.now)
        )
        metadata.deletion_timestamp.seconds = marked + grace
        metadata.deletion_grace_period_seconds = grace
        self.life.observe(self._copy())
        return self

    def set_image(self, image: str) -> Sim:
        self.pod.spec.containers[0].image = image
        self.life.observe(self._copy())
        return self

    @property
    def shown(self) -> str:
        return display(self.pod)

    @property
    def app(self) -> ContainerStatus:
        return self.pod.status.container_statuses[0]

    @property
    def init(self) -> ContainerStatus:
        return self.pod.status.init_container_statuses[0]

    @property
    def words(self) -> list[str]:
        """What was shown, one after another."""
        return [word for _, word in self.seen]

    def condition(self, type_: str) -> tuple[str, str]:
        """Return status and reason."""
        found = next(condition for condition in self.pod.status.conditions if condition.type == type_)
        return found.status, found.reason

    def changed(self, type_: str) -> float:
        """Return when a condition changed, in seconds since the start."""
        found = next(condition for condition in self.pod.status.conditions if condition.type == type_)
        return found.last_transition_time.seconds - START

    def reasons(self) -> Iterator[str]:
        return (note.reason for note in self.notes)
