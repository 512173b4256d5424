"""Why a DaemonSet is where it is: new pods that fail or are on their way, and the limit that holds the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rollplane.apps.v1 import DaemonSet
from rollplane_planners import reasons
from rollplane_planners.daemon_set.nodes import Judge, NodePods, Todo
from rollplane_planners.pods import PodView
from rollplane_planners.reasons import Nature, Reason, counted
from rollplane_planners.rolled_back import with_story


def explain(
    daemon_set: DaemonSet, nodes: Sequence[NodePods], judge: Judge, todo: Todo, *, on_delete: bool
) -> list[Reason]:
    """Return what holds the set; ``todo`` is what this sync does, and the limits it met.

    After an automatic rollback that comes first, for as long as its story stands.
    """
    return with_story(daemon_set, _holding(nodes, judge, todo, on_delete=on_delete))


def _holding(nodes: Sequence[NodePods], judge: Judge, todo: Todo, *, on_delete: bool) -> list[Reason]:
    new, old = _live(nodes, judge)
    ending = [pod for node in nodes for pod in node.pods if pod.terminating]
    found = []
    waiting = [pod for pod in new if not judge.is_available(pod)]
    if about := reasons.about_pods(waiting, "new pod", judge.min_ready, judge.now):
        found.append(_while_others_end(about) if ending else about)
    if on_delete and old and not ending:
        found.append(reasons.on_delete(old))
    if ending:
        text = f"waits for {counted(len(ending), 'old pod')} to end"
        found.append(reasons.wait(reasons.TERMINATING, text, ending))
    if not todo.empty or not (found or not old or on_delete):
        found.append(reasons.step())
    return [*found, *todo.reasons]


def _live(nodes: Sequence[NodePods], judge: Judge) -> tuple[list[PodView], list[PodView]]:
    split = [judge.split(node) for node in nodes]
    return [pod for new, _ in split for pod in new], [pod for _, old in split for pod in old]


def _while_others_end(about: Reason) -> Reason:
    """A node whose pod ends gets a new one: something moves, however the others fail."""
    if about.nature is not Nature.TROUBLE:
        return about
    return replace(about, nature=Nature.WAIT, text=str(about))
