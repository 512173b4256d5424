"""Why a workload is where it is: its planner is run on what was read, and what it says is put into a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rollplane.apps.v1 import DaemonSet, Deployment, ReplicaSet
from rollplane.core.v1 import Pod, ReplicationController
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.kinds import ApiObject, Workload
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners import reasons
from rollplane_planners.deployment.conditions import PROGRESSING, REPLICA_SET_CREATE_ERROR
from rollplane_planners.model import Plan
from rollplane_planners.pod_trouble import NEVER
from rollplane_planners.reasons import Nature, Reason, counted, verb
from rollplane_printing.scene import Scene

COMPLETE = "Complete"
UNOBSERVED = "NotObserved"
DELETING = "Deleting"
_STANDING = frozenset({Nature.LIMIT, Nature.NOTE})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``sentence`` says what the workload waits for, ``reason`` the same in a word, ``pods`` are those it is about.

    ``is_stuck`` means that pods fail and no controller can bring the rollout forward. ``reasons`` are the planner's,
    the one that was told first. After ``look_again`` seconds it may be different though nothing has changed; None
    when it cannot.
    """

    sentence: str
    reason: str
    pods: tuple[Pod, ...] = ()
    is_stuck: bool = False
    reasons: tuple[Reason, ...] = ()
    look_again: float | None = None

    @property
    def is_complete(self) -> bool:
        return self.reason == COMPLETE

    def with_notes(self, notes: Sequence[Reason]) -> Diagnosis:
        """Return the same with something to know beside, told last."""
        sentence = "; ".join([self.sentence, *(note.text for note in notes)])
        return replace(self, sentence=sentence, reasons=(*self.reasons, *notes))


def diagnose(scene: Scene, now: float) -> Diagnosis:
    """Return why the workload of ``scene`` is where it is, as of ``now`` (seconds since the epoch)."""
    workload = scene.workload
    called = called_of(workload)
    if is_being_deleted(workload.metadata):
        return Diagnosis(f"{called} is being deleted", DELETING)
    if workload.status.observed_generation < workload.metadata.generation:
        which = f"(generation {workload.metadata.generation}, seen {workload.status.observed_generation})"
        text = f"{called} waits for its controller to see the latest change {which}"
        return Diagnosis(text, UNOBSERVED).with_notes(_refused_before(workload))
    first, *below = list(scene.plans(now))
    can_move = first.can_move or any(plan.writes for plan in below)
    found = tuple(first.reasons)
    if all(one.nature in _STANDING for one in found):
        return _at_rest(scene, called, found, moving=can_move)
    pods = tuple(scene.pods[name] for name in sorted(found[0].pods) if name in scene.pods)
    stuck = reasons.is_stuck(found, can_move=can_move)
    sentence = f"{called} {reasons.told(found, can_move=can_move)}"
    return Diagnosis(sentence, found[0].code, pods, stuck, found, _look_again(scene, (first, *below), now))


def _refused_before(workload: Workload) -> Sequence[Reason]:
    """Return what kept a controller from taking up a Deployment: its status says that, and not what it has seen."""
    progressing = get_condition(workload.status.conditions, PROGRESSING) if isinstance(workload, Deployment) else None
    if progressing is None or progressing.reason != REPLICA_SET_CREATE_ERROR:
        return ()
    return (reasons.note(progressing.reason, f"it cannot make its ReplicaSet: {progressing.message}"),)


def diagnose_workload(
    workload: Workload, around: Iterable[ApiObject], now: float, release: Release = LATEST
) -> Diagnosis:
    """Return the diagnosis of ``workload`` among the objects ``around``, by the rules of ``release``."""
    scene = Scene(workload, release)
    for message in around:
        scene.put(message)
    return diagnose(scene, now)


def called_of(workload: Workload) -> str:
    """Return the workload as a sentence begins: ``deployment "web"``, ``daemon set "agent"``."""
    kind = "daemon set" if isinstance(workload, DaemonSet) else type(workload).__name__.lower()
    return f'{kind} "{workload.metadata.name}"'


def _at_rest(scene: Scene, called: str, found: Sequence[Reason], *, moving: bool) -> Diagnosis:
    """Nothing holds the workload but what its owner wants."""
    if moving:
        return Diagnosis(f"{called} {(step := reasons.step()).text}", step.code, reasons=(step,))
    limits = " and ".join(one.text for one in found if one.nature is Nature.LIMIT)
    text = f"is complete as far as its limits let it: {limits}" if limits else f"is complete: {_whole(scene.workload)}"
    return Diagnosis(f"{called} {text}", COMPLETE, reasons=tuple(found))


def _whole(workload: Workload) -> str:
    if isinstance(workload, DaemonSet):
        count = workload.status.desired_number_scheduled
        if not count:
            return "no node is to run it"
        return f"{counted(count, 'node')} {verb(count, 'runs', 'run')} an updated, available pod"
    count = workload.spec.replicas
    updated = "" if isinstance(workload, ReplicaSet | ReplicationController) else "updated and "
    return f"{counted(count, 'pod')} {verb(count, 'is', 'are')} {updated}available"


def _look_again(scene: Scene, plans: Sequence[Plan], now: float) -> float | None:
    """Return the seconds until time alone changes what is said: a pod becomes available, or its failure lasting."""
    due = [pod.trouble.lasting_from - now for pod in scene.pod_views.values() if pod.trouble is not None]
    due += [plan.requeue_after for plan in plans if plan.requeue_after is not None]
    return min((seconds for seconds in due if 0 < seconds < NEVER), default=None)
