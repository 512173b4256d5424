"""The story an automatic rollback leaves behind: which rollout was asked for, and why it came to nothing.

It stands on the workload from the write that brings the former template back until the template is changed again, so
that whoever asks after the rollout is not told that the one that took its place went well.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane_machinery.extensions import ROLLED_BACK
from rollplane_planners.reasons import Nature, Reason

REASON = "AutoRollback"
"""The one word for it: of the condition, the event, the reason and the rollout's status."""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Revision ``revision`` (an object's name; ``number`` at that time) gave way to number ``to``.

    ``reason`` is the word for its failure, ``text`` the sentence.
    """

    revision: str
    number: int
    to: int
    reason: str
    text: str

    def __str__(self) -> str:
        moved = f'from revision {self.number} ("{self.revision}") to revision {self.to}'
        return f"was rolled back automatically {moved}: {self.text}"

    def to_json(self) -> str:
        """Return what the annotation holds."""
        return json.dumps(asdict(self))


def rolled_back(workload: Deployment | StatefulSet | DaemonSet) -> RolledBack | None:
    """Return what became of the rollout that was asked for last; None when it is still the one that counts.

    A story nobody can read is none.
    """
    told = workload.metadata.annotations.get(ROLLED_BACK, "")
    try:
        return _parsed(json.loads(told)) if told else None
    except (ValueError, TypeError, KeyError):
        return None


def _parsed(told: dict[str, str | int]) -> RolledBack:
    return RolledBack(
        str(told["revision"]), int(told["number"]), int(told["to"]), str(told["reason"]), str(told["text"])
    )


def with_story(workload: Deployment | StatefulSet | DaemonSet, found: list[Reason]) -> list[Reason]:
    """Return ``found``, what holds the workload now, behind the rollback if there was one."""
    story = rolled_back(workload)
    return found if story is None else [Reason(REASON, Nature.FAILURE, str(story)), *found]
