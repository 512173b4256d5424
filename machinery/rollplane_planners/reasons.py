"""Why an object does not move on: what planners answer, and the one place where that becomes a sentence.

``why`` and ``rollout status`` run the planner on what they read, and so say what a controller's plan says. The first
reason is the one to be told; what follows says what holds the rest meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rollplane_planners.pod_trouble import Trouble
from rollplane_planners.pods import PodView

PROGRESSING = "Progressing"
TERMINATING = "PodsTerminating"
ON_DELETE = "OnDelete"


class Nature(StrEnum):
    """What a reason is, which decides how it is told."""

    STEP = "Step"
    """The planner has a move, which its controller is about to make."""
    WAIT = "Wait"
    """Time, another controller or somebody's hand is waited for."""
    TROUBLE = "Trouble"
    """Every pod that is waited for fails, and will go on failing: nothing moves any more unless the planner does."""
    LIMIT = "Limit"
    """What keeps the rest where it is."""
    FAILURE = "Failure"
    """The rollout that was asked for has failed for good and another took its place: the first reason, if it is one."""
    NOTE = "Note"
    """Something to know beside the first reason."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: a word for programs, and ``text`` for people, which goes on where the object's name ends.

    A TROUBLE, LIMIT or NOTE is a clause of its own. ``pods`` are the names of the pods it is about. ``until`` is when,
    in seconds since the epoch, what is waited for comes about by itself; None when nobody can tell.
    """

    code: str
    nature: Nature
    text: str
    pods: tuple[str, ...] = ()
    until: float | None = None

    def __str__(self) -> str:
        return f"waits while {self.text}" if self.nature is Nature.TROUBLE else self.text


def is_stuck(reasons: Sequence[Reason], *, can_move: bool) -> bool:
    """Tell whether nothing will ever come of waiting: all that is waited for fails, and nobody has a move."""
    holding = _holding(reasons)
    return bool(holding) and holding[0].nature is Nature.TROUBLE and not can_move


def _holding(reasons: Sequence[Reason]) -> Sequence[Reason]:
    """Return the reasons without a failure that is told before them."""
    return reasons[1:] if reasons and reasons[0].nature is Nature.FAILURE else reasons


def told(reasons: Sequence[Reason], *, can_move: bool) -> str:
    """Return the sentence, without its subject, that ``reasons`` come to; there must be one.

    ``can_move``: whether the planner, or one below it, has anything to write.
    """
    first = reasons[0]
    if first.nature is Nature.FAILURE:
        return _told_behind(first, reasons[1:], can_move=can_move)
    text = str(first)
    if is_stuck(reasons, can_move=can_move):
        limits = " and ".join(one.text for one in reasons[1:] if one.nature is Nature.LIMIT)
        text = f"cannot proceed: {first.text}; nothing else can move{f', since {limits}' if limits else ''}"
    return "; ".join([text, *(one.text for one in reasons[1:] if one.nature is Nature.NOTE)])


def _told_behind(failure: Reason, holding: Sequence[Reason], *, can_move: bool) -> str:
    """What held a rollout that failed is over; told is what holds the one that took its place."""
    if not holding or holding[0].nature in (Nature.LIMIT, Nature.NOTE):
        return failure.text
    return f"{failure.text}; it {told(holding, can_move=can_move)}"


def counted(count: int, noun: str) -> str:
    """Return ``1 pod`` or ``2 pods``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def verb(count: int, one: str, many: str) -> str:
    """Return the form of a verb that goes with ``count``."""
    return one if count == 1 else many


def names(pods: Sequence[PodView]) -> tuple[str, ...]:
    """Return the pods' names."""
    return tuple(pod.name for pod in pods)


# Of any kind.


def wait(code: str, text: str, pods: Sequence[PodView] = (), until: float | None = None) -> Reason:
    """Return that something is waited for."""
    return Reason(code, Nature.WAIT, text, names(pods), until)


def limit(code: str, text: str) -> Reason:
    """Return what keeps the rest where it is."""
    return Reason(code, Nature.LIMIT, text)


def note(code: str, text: str) -> Reason:
    """Return something to know beside the first reason."""
    return Reason(code, Nature.NOTE, text)


def step(what: str = "take the next step", pods: Sequence[PodView] = ()) -> Reason:
    """Return that nothing holds the object but the time its controller takes."""
    return Reason(PROGRESSING, Nature.STEP, f"waits for its controller to {what}", names(pods))


def refused(code: str, message: str) -> Reason:
    """Return that the server refuses to make pods."""
    return wait(code, f"cannot have its pods made: {message}")


def on_delete(pods: Sequence[PodView]) -> Reason:
    """Return that nobody but their owner replaces ``pods``."""
    text = f"waits for {counted(len(pods), 'pod')} of its former template to be deleted by hand (OnDelete)"
    return wait(ON_DELETE, text, pods)


def most_unavailable(count: int, noun: str = "pod", without: str = "be unavailable") -> Reason:
    """Return that the update may take no more away."""
    return limit("MaxUnavailable", f"no more than {counted(count, noun)} may {without} (maxUnavailable)")


# Of pods that are waited for.


def about_pods(
    waiting: Sequence[PodView], noun: str, min_ready_seconds: int, now: float, *, behind: str = ""
) -> Reason | None:
    """Return why ``waiting`` are not available as of ``now``, the worst first; None when nobody waits.

    They are counted as ``noun``; without one they are called by name. ``behind`` is a clause about what in turn waits
    for them, told unless they fail for good.
    """
    return (
        _failing(waiting, noun, now, behind)
        or _ending(waiting, noun, behind)
        or _without_node(waiting, noun, behind)
        or _not_ready(waiting, noun, behind)
        or _not_ready_for_long(waiting, noun, min_ready_seconds, behind)
    )


def _called(pods: Sequence[PodView], noun: str) -> str:
    return counted(len(pods), noun) if noun else ", ".join(names(pods))


def _failing(waiting: Sequence[PodView], noun: str, now: float, behind: str) -> Reason | None:
    """Of several troubles the commonest is told, then the first."""
    troubled = [pod for pod in waiting if pod.trouble is not None and not pod.terminating]
    troubles = [pod.trouble for pod in troubled if pod.trouble is not None]
    if not troubles:
        return None
    code, words = commonest(troubles)
    text = f"{_called(troubled, noun)} {verb(len(troubled), 'fails', 'fail')}, {words}"
    if len(troubles) == len(waiting) and all(trouble.is_lasting(now) for trouble in troubles):
        return Reason(code, Nature.TROUBLE, text, names(troubled))
    return wait(code, f"waits while {text}{behind}", troubled)


def about_failed(pods: Sequence[PodView], noun: str) -> Reason | None:
    """Return what became of those of ``pods`` that failed as a whole, while others are to take their place."""
    failures = Counter(pod.failure for pod in pods if pod.failure)
    if not failures:
        return None
    words = failures.most_common(1)[0][0]
    return note("PodsFailed", f"{counted(failures.total(), noun)} failed, {words}")


def commonest(troubles: Sequence[Trouble]) -> tuple[str, str]:
    """Return the word and the sentence of the trouble that most have, the first of equals."""
    return Counter((trouble.reason, str(trouble)) for trouble in troubles).most_common(1)[0][0]


def _ending(waiting: Sequence[PodView], noun: str, behind: str) -> Reason | None:
    pods = [pod for pod in waiting if pod.terminating]
    return wait(TERMINATING, f"waits for {_called(pods, noun)} to end{behind}", pods) if pods else None


def _without_node(waiting: Sequence[PodView], noun: str, behind: str) -> Reason | None:
    pods = [pod for pod in waiting if pod.unschedulable]
    if not pods:
        return None
    return wait("Unschedulable", f"waits for a node for {_called(pods, noun)}: {pods[0].unschedulable}{behind}", pods)


def _not_ready(waiting: Sequence[PodView], noun: str, behind: str) -> Reason | None:
    pods = [pod for pod in waiting if not pod.ready]
    if not pods:
        return None
    words = ", ".join(sorted({pod.waiting or pod.phase or "Pending" for pod in pods}))
    return wait("PodsNotReady", f"waits for {_called(pods, noun)} to become ready ({words}){behind}", pods)


def _not_ready_for_long(waiting: Sequence[PodView], noun: str, min_ready: int, behind: str) -> Reason | None:
    if not waiting:
        return None
    text = f"waits until {_called(waiting, noun)} stayed ready for {min_ready} s (minReadySeconds){behind}"
    due = [time for pod in waiting if (time := pod.available_after(min_ready)) is not None and time > 0]
    return wait("MinReadySeconds", text, waiting, max(due, default=None))
