"""What clients did to one object and what they were answered: the history that is judged.

Every write puts a mark of its own into the object, so that a version is known by the write that made it, also when the
answer of that write was lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum


class Act(Enum):
    """What was asked for."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    READ = "read"


class Answer(Enum):
    """What came back. UNKNOWN is everything that is neither a success nor a refusal."""

    DONE = "done"
    EXISTS = "exists already"
    ABSENT = "does not exist"
    CONFLICT = "another version is stored"
    UNKNOWN = "nobody knows"


@dataclass(frozen=True, slots=True)
class Call:
    """One call on one object, from ``start`` to ``end`` (seconds of one clock).

    ``mark`` is what the call wrote, for a read what it saw ("" for nothing there). ``expected`` is the mark of the
    version that an update or deletion was conditional on. ``revision`` is that of a write that was acknowledged.
    """

    act: Act
    answer: Answer
    start: float
    end: float
    mark: str = ""
    expected: str = ""
    revision: int = 0

    @property
    def until(self) -> float:
        """When the effect must have happened at the latest; never, for a call that nobody answered."""
        return math.inf if self.answer is Answer.UNKNOWN else self.end


def effect(call: Call, stored: str) -> str | None:
    """Return the mark stored after ``call``, given that ``stored`` was there before; None when its answer forbids that.

    ``stored`` "" is an object that does not exist. An unknown call is taken as carried out.
    """
    if call.act is Act.READ:
        return stored if stored == call.mark else None
    if call.answer in (Answer.DONE, Answer.UNKNOWN):
        return _carried_out(call, stored)
    return stored if call.answer is _refusal(call, stored) else None


def _carried_out(call: Call, stored: str) -> str | None:
    if _refusal(call, stored) is not None:
        return None
    return "" if call.act is Act.DELETE else call.mark


def _refusal(call: Call, stored: str) -> Answer | None:
    """Return how the store must refuse ``call``, None when it must not."""
    if call.act is Act.CREATE:
        return Answer.EXISTS if stored else None
    if not stored:
        return Answer.ABSENT
    return Answer.CONFLICT if call.expected not in ("", stored) else None
