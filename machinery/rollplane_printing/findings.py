"""What a diagnosis of any kind of workload says, and the findings about pods that all kinds share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollplane.core.v1 import Pod
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.pods import is_pod_ready
from rollplane_printing.pod_status import pod_status
from rollplane_printing.pod_trouble import Trouble, trouble_of, unschedulable

COMPLETE = "Complete"
UNOBSERVED = "NotObserved"
PROGRESSING = "Progressing"
TERMINATING = "PodsTerminating"
ON_DELETE = "OnDelete"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``sentence`` says what the rollout waits for, ``reason`` the same in a word, ``pods`` are those it is about.

    ``is_stuck`` means that pods fail and neither controller nor any other pod can bring the rollout forward.
    """

    sentence: str
    reason: str
    pods: tuple[Pod, ...] = ()
    is_stuck: bool = False

    @property
    def is_complete(self) -> bool:
        return self.reason == COMPLETE


@dataclass(frozen=True, slots=True)
class Failing:
    """Pods that will hardly become ready, and the trouble that most of them have."""

    pods: tuple[Pod, ...]
    trouble: Trouble

    def told(self, noun: str) -> str:
        """Return ``2 new pods fail, image … cannot be pulled (ErrImagePull)``."""
        verb = "fails" if len(self.pods) == 1 else "fail"
        return f"{counted(len(self.pods), noun)} {verb}, {self.trouble}"


def failing(waiting: Sequence[Pod]) -> Failing | None:
    """Return those of ``waiting`` that are in trouble; of several troubles the commonest is told, then the first."""
    troubles = [(pod, trouble) for pod in waiting if (trouble := trouble_of(pod)) is not None]
    if not troubles:
        return None
    words = [trouble for _, trouble in troubles]
    return Failing(tuple(pod for pod, _ in troubles), max(words, key=words.count))


def unobserved(called: str, metadata: ObjectMeta, seen: int) -> Diagnosis | None:
    """Return that the controller has yet to see generation ``metadata.generation``, None when it has."""
    if seen >= metadata.generation:
        return None
    which = f"(generation {metadata.generation}, seen {seen})"
    return Diagnosis(f"{called} waits for its controller to see the latest change {which}", UNOBSERVED)


def without_node(called: str, waiting: Sequence[Pod], noun: str) -> Diagnosis | None:
    """Return that the scheduler finds no node for some of ``waiting``."""
    pods = tuple(pod for pod in waiting if unschedulable(pod) is not None)
    if not pods:
        return None
    sentence = f"waits for a node for {counted(len(pods), noun)}: {unschedulable(pods[0])}"
    return Diagnosis(f"{called} {sentence}", "Unschedulable", pods)


def on_their_way(called: str, waiting: Sequence[Pod], noun: str, min_ready_seconds: int) -> Diagnosis | None:
    """Return that ``waiting`` are not ready, or not for long enough; None when nobody waits."""
    unready = tuple(pod for pod in waiting if not is_pod_ready(pod))
    if unready:
        words = ", ".join(sorted({pod_status(pod) for pod in unready}))
        sentence = f"waits for {counted(len(unready), noun)} to become ready ({words})"
        return Diagnosis(f"{called} {sentence}", "PodsNotReady", unready)
    if waiting:
        stayed = f"stayed ready for {min_ready_seconds} s (minReadySeconds)"
        sentence = f"waits until {counted(len(waiting), noun)} {stayed}"
        return Diagnosis(f"{called} {sentence}", "MinReadySeconds", tuple(waiting))
    return None


def next_step(called: str) -> Diagnosis:
    """Return that nothing holds the rollout but the time its controller takes."""
    return Diagnosis(f"{called} waits for its controller to take the next step", PROGRESSING)


def counted(count: int, noun: str) -> str:
    """Return ``1 pod`` or ``2 pods``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
