"""What ties the two ReplicationControllers of a rolling update together: their annotations.

The *target* grows and carries the state, the *source* shrinks. kubectl's own annotations mean what they mean to
kubectl; what the engine needs beyond them (pace, step, deadlines) is in one more, so that whoever runs the engine
next goes on where it was left. Source: docs/semantics/rolling-update.md section 3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Any

from rollplane.core.v1 import ReplicationController
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.frozen import frozen

SOURCE_ID = "kubectl.kubernetes.io/update-source-id"
DESIRED_REPLICAS = "kubectl.kubernetes.io/desired-replicas"
ORIGINAL_REPLICAS = "kubectl.kubernetes.io/original-replicas"
NEXT_CONTROLLER = "kubectl.kubernetes.io/next-controller-id"
PARTNER = "kubectl.kubernetes.io/update-partner"
STATE = "rollplane.dev/rolling-update"
RENAMED_FROM = "rollplane.dev/renamed-from"
"""On the result of a rename: the temporary name, which its pods still bear."""

BOOKKEEPING = (SOURCE_ID, DESIRED_REPLICAS, ORIGINAL_REPLICAS, NEXT_CONTROLLER, PARTNER, STATE, RENAMED_FROM)
"""All annotations of rolling updates: none is copied from one controller to the next."""

DEFAULT_LABEL_KEY = "deployment"
"""Label that tells the pods of the two controllers apart, unless another is named."""

RENAMING_LABEL = "rollplane.dev/renaming"
"""Keeps a place holder, made while the temporary controller still has the pods, from selecting any."""


class CleanupPolicy(StrEnum):
    """What becomes of the source when it is empty."""

    DELETE = "Delete"
    RENAME = "Rename"
    PRESERVE = "Preserve"


class Step(StrEnum):
    """Where in its loop an update is."""

    LABEL = "Label"
    """Adding the distinguishing label to the source and its pods."""
    SCALE_UP = "ScaleUp"
    """At the head of a round."""
    RESIZE_UP = "ResizeUp"
    """Until the target has as many pods as it was told to have."""
    PAUSE = "Pause"
    """The update period, between the two halves of a round."""
    RESIZE_DOWN = "ResizeDown"
    """Until the source has as few pods as it was told to have."""
    FINISH = "Finish"
    """Cleaning up."""
    RENAME = "Rename"
    """On the place holder: until the temporary controller has let go of its pods."""


@frozen
class UpdatePace:
    """How fast an update goes: the pause in each round, the least wait for a resize, the patience without progress."""

    update_period_seconds: float = 60.0
    poll_interval_seconds: float = 3.0
    timeout_seconds: float = 300.0


DEFAULT_PACE = UpdatePace()


@frozen
class UpdateState:
    """The engine's memory, written with every step. Times are seconds since the epoch, 0 where none is meant.

    ``since`` is when the present step began, ``deadline`` when the update gives up unless a size changes;
    ``round_sizes`` are the target's and the source's size at the head of the round, ``source_size`` is what the source
    is being shrunk to. ``turn`` counts changes of direction: of two controllers that are each other's target the higher
    one is in force. ``messages`` tell what the
    last step did, in the words a user reads; ``error`` is why the update has stopped. ``label_key`` and
    ``label_value`` are what the source lacks to be told from the target. ``max_surge`` and ``max_unavailable`` are
    counts or percentages, which no command sets.
    """

    step: Step = Step.SCALE_UP
    cleanup: CleanupPolicy = CleanupPolicy.DELETE
    pace: UpdatePace = DEFAULT_PACE
    turn: int = 0
    since: float = 0.0
    deadline: float = 0.0
    round_sizes: tuple[int, int] | None = None
    source_size: int | None = None
    label_key: str = ""
    label_value: str = ""
    messages: tuple[str, ...] = ()
    error: str = ""
    max_surge: int | str = 1
    max_unavailable: int | str = 0

    def restarted(self, pace: UpdatePace, cleanup: CleanupPolicy, turn: int) -> UpdateState:
        """Return the state from which an update goes on at its present sizes, with a new pace and new deadlines."""
        step = self.step if self.step in (Step.LABEL, Step.FINISH) else Step.SCALE_UP
        kept = replace(self, since=0.0, deadline=0.0, round_sizes=None, source_size=None, messages=(), error="")
        return replace(kept, step=step, cleanup=cleanup, pace=pace, turn=turn)

    def dumps(self) -> str:
        """Return the state as the annotation's value: compact JSON, without the fields that say nothing."""
        fields = {
            _camel(name): value
            for name, value in asdict(self).items()
            if name != "pace" and value != getattr(PRISTINE, name)
        }
        pace = {_camel(name): value for name, value in asdict(self.pace).items()}
        return json.dumps({**fields, **pace}, separators=(",", ":"))


PRISTINE = UpdateState()


def state_of(annotations: Mapping[str, str]) -> UpdateState | None:
    """Return the engine's state, None when there is none; raises InvalidError when it cannot be read."""
    text = annotations.get(STATE, "")
    if not text:
        return None
    try:
        return _state(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise InvalidError(f"the annotation {STATE} is not one of ours: {exc}") from exc


def _state(data: dict[str, Any]) -> UpdateState:
    pace = UpdatePace(**{name: data[_camel(name)] for name in asdict(DEFAULT_PACE) if _camel(name) in data})
    names = [name for name in asdict(PRISTINE) if name != "pace" and _camel(name) in data]
    fields: dict[str, Any] = {name: data[_camel(name)] for name in names}
    converters: dict[str, Any] = {
        "step": Step,
        "cleanup": CleanupPolicy,
        "round_sizes": lambda pair: (int(pair[0]), int(pair[1])),
        "messages": tuple,
    }
    return UpdateState(pace=pace, **{name: converters.get(name, _same)(value) for name, value in fields.items()})


def _same(value: Any) -> Any:
    return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@frozen
class Source:
    """Whom a target replaces; ``uid`` is empty where only the name was recorded, as before kubectl 1.0."""

    name: str
    uid: str

    def is_same(self, controller: ReplicationController) -> bool:
        """Whether ``controller`` is the one meant, not a namesake made later."""
        return self.name == controller.metadata.name and self.uid in ("", controller.metadata.uid)

    def __str__(self) -> str:
        return f"{self.name}:{self.uid}"


def source_of(annotations: Mapping[str, str]) -> Source | None:
    """Return whom the carrier of ``annotations`` replaces, None when it takes part in no update as target."""
    if recorded := annotations.get(SOURCE_ID):
        name, _, uid = recorded.partition(":")
        return Source(name, uid)
    # ``update-partner`` stood on both sides; a target is told by the size it is to reach.
    if DESIRED_REPLICAS in annotations and (partner := annotations.get(PARTNER)):
        return Source(partner, "")
    return None


def next_of(annotations: Mapping[str, str]) -> str:
    """Return the name of the controller that replaces the carrier, empty when none is recorded."""
    return annotations.get(NEXT_CONTROLLER) or ("" if DESIRED_REPLICAS in annotations else annotations.get(PARTNER, ""))


def set_state(controller: ReplicationController, state: UpdateState) -> None:
    """Write ``state`` into ``controller``."""
    controller.metadata.annotations[STATE] = state.dumps()
