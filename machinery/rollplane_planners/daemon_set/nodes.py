"""What is to be done on each node: the manage step and the two ways to update (sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rollplane_machinery.pods import FAILED, SUCCEEDED
from rollplane_machinery.well_known import GENERATION_LABEL, REVISION_LABEL
from rollplane_planners.daemon_set.placement import Eligibility
from rollplane_planners.model import PlannedEvent, Severity
from rollplane_planners.pods import PodView
from rollplane_planners.reasons import Reason, counted, limit, most_unavailable, wait


@dataclass(slots=True)
class NodePods:
    """A node that should run the daemon, or has its pods; pods are scheduled first, then oldest, then by name.

    One that is not ``known`` is only a name that pods still wait to be scheduled to.
    """

    name: str
    eligible: Eligibility
    pods: list[PodView]
    known: bool = True

    def __post_init__(self) -> None:
        self.pods.sort(key=lambda pod: (not pod.node_name, pod.created, pod.name))

    @property
    def live(self) -> list[PodView]:
        """The pods that are not being deleted."""
        return [pod for pod in self.pods if not pod.terminating]


@dataclass(slots=True)
class Todo:
    """Nodes that get a pod, pods that go, what is told, and the seconds after which to look again."""

    create_on: list[str] = field(default_factory=list)
    delete: list[PodView] = field(default_factory=list)
    events: list[PlannedEvent] = field(default_factory=list)
    look_after: float | None = None
    reasons: list[Reason] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not self.create_on and not self.delete

    def wait(self, seconds: float) -> None:
        self.look_after = seconds if self.look_after is None else min(self.look_after, seconds)


@dataclass(frozen=True, slots=True)
class Judge:
    """How the pods of a set are judged; times are seconds. ``generation`` is the template's, "" when it has none."""

    hash: str
    merged: frozenset[str]
    generation: str
    min_ready: int
    now: float

    def is_new(self, pod: PodView) -> bool:
        """Tell whether a pod is of the present template: by its hash, or, made before there were any, by generation.

        A generation alone is no proof: a set made anew counts from 1 again, and adopts pods that were counted before.
        """
        label = pod.labels.get(REVISION_LABEL, "")
        if not label:
            return self.generation != "" and pod.labels.get(GENERATION_LABEL) == self.generation
        return label == self.hash or label in self.merged

    def is_available(self, pod: PodView) -> bool:
        return pod.is_available(self.min_ready, self.now)

    def split(self, node: NodePods) -> tuple[list[PodView], list[PodView]]:
        """Return a node's live pods, the new ones and the old ones."""
        return [pod for pod in node.live if self.is_new(pod)], [pod for pod in node.live if not self.is_new(pod)]


def manage(nodes: Sequence[NodePods], judge: Judge, *, surging: bool, backoff: Callable[[str], float]) -> Todo:
    """Return what makes each node have the one pod it should have, or none.

    ``backoff`` tells how long a node whose pod has failed must wait before it is replaced.
    """
    todo = Todo()
    for node in nodes:
        if not node.eligible.should_continue:
            todo.delete.extend(node.live)
        elif node.eligible.should_run and not node.pods:
            todo.create_on.append(node.name)
        else:
            _keep_one(node, judge, todo, surging=surging, backoff=backoff)
    return todo


def _keep_one(node: NodePods, judge: Judge, todo: Todo, *, surging: bool, backoff: Callable[[str], float]) -> None:
    """Replace what has ended, and delete what is more than the node should have."""
    running = []
    for pod in node.live:
        if pod.phase == FAILED:
            _replace_failed(node, pod, judge, todo, backoff)
        elif pod.phase == SUCCEEDED:
            todo.events.append(PlannedEvent("SucceededDaemonPod", f"Found succeeded daemon pod {_on(pod, node)}"))
            todo.delete.append(pod)
        else:
            running.append(pod)
    if not surging:
        todo.delete.extend(running[1:])
    elif not running and node.eligible.should_run and not node.live:
        todo.create_on.append(node.name)
    elif len(running) > 1:
        todo.delete.extend(_surplus_while_surging(running, judge))


def _replace_failed(node: NodePods, pod: PodView, judge: Judge, todo: Todo, backoff: Callable[[str], float]) -> None:
    seconds = backoff(node.name)
    if seconds > 0:
        todo.wait(seconds)
        text = f"waits to replace pod {pod.name} on {node.name}, which has failed"
        todo.reasons.append(wait("BackOff", text, [pod], judge.now + seconds))
        return
    text = f"Found failed daemon pod {_on(pod, node)}, will try to delete it"
    todo.events.append(PlannedEvent("FailedDaemonPod", text, Severity.WARNING))
    todo.delete.append(pod)


def _on(pod: PodView, node: NodePods) -> str:
    return f"{pod.namespace}/{pod.name} on node {node.name}"


def _surplus_while_surging(running: Sequence[PodView], judge: Judge) -> list[PodView]:
    """Keep the oldest pod of each revision; of that pair the old one goes when it is useless, or no longer needed."""
    new = [pod for pod in running if judge.is_new(pod)]
    old = [pod for pod in running if not judge.is_new(pod)]
    surplus = [*new[1:], *old[1:]]
    if new and old and (not old[0].ready or judge.is_available(new[0])):
        surplus.append(old[0])
    return surplus


def roll(nodes: Sequence[NodePods], judge: Judge, max_unavailable: int) -> Todo:
    """Return the old pods to delete now, so that never more than ``max_unavailable`` nodes are without a daemon.

    Old pods that are of no use go at once; they cost nothing that is not lost already.
    """
    todo = Todo()
    unavailable = 0
    candidates: list[PodView] = []
    for node in nodes:
        if not node.pods:
            continue
        new, old = judge.split(node)
        if len(old) == 1 and not new:
            if judge.is_available(old[0]):
                candidates.append(old[0])
                continue
            todo.delete.append(old[0])
            unavailable += 1
        elif not (len(new) == 1 and not old and judge.is_available(new[0])):
            unavailable += 1
    room = max(0, max_unavailable - unavailable)
    todo.delete.extend(candidates[:room])
    if len(candidates) > room:
        todo.reasons.append(most_unavailable(max_unavailable, "node", "be without an available pod"))
    return todo


def surge(nodes: Sequence[NodePods], judge: Judge, max_surge: int) -> Todo:
    """Return the nodes that get a new pod beside the old one, and the old pods whose successors have come up.

    A node that should no longer run the daemon gets no new one; its old one goes once the others can spare it.
    """
    todo = Todo()
    spare = sum(any(judge.is_available(pod) for pod in node.live) for node in nodes)
    spare -= sum(node.eligible.should_run for node in nodes)
    surging = 0
    candidates: list[str] = []
    for node in nodes:
        new, old = judge.split(node)
        if len(new) > 1 or len(old) > 1:
            surging += 1
        elif old and not new and not judge.is_available(old[0]):
            _replace_useless(node, old[0], todo)
        elif old and not new and node.eligible.should_run:
            candidates.append(node.name)
        elif old and not new:
            todo.delete.extend(old[: max(0, spare)])
            spare -= 1
        elif old and new:
            if judge.is_available(new[0]):
                todo.delete.append(old[0])
            else:
                surging += 1
    room = max(0, max_surge - surging)
    todo.create_on.extend(candidates[:room])
    if len(candidates) > room:
        todo.reasons.append(limit("MaxSurge", f"no more than {counted(max_surge, 'node')} may run two pods (maxSurge)"))
    return todo


def _replace_useless(node: NodePods, old: PodView, todo: Todo) -> None:
    """An old pod that is of no use is no reason to wait: its successor comes at once, whatever maxSurge says."""
    if node.eligible.should_run:
        todo.create_on.append(node.name)
    else:
        todo.delete.append(old)
