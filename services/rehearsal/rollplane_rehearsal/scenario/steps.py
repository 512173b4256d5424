"""Steps of a scenario: when each is taken, and what it does. Plain values; ``acting`` carries them out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rollplane_machinery.spans import DURATION, seconds_of
from rollplane_machinery.strict_reading import Json
from rollplane_rehearsal.scenario.actions import ACTIONS, LASTING, NEEDS_TIME, some_text
from rollplane_rehearsal.scenario.drawing import NAMED, drawable
from rollplane_rehearsal.scenario.words import CONDITION, Condition, parse_condition


@dataclass(frozen=True, slots=True)
class Step:
    """``action`` with its ``value`` is taken ``at`` seconds after the first step, or ``after`` seconds after ``when``.

    What lasts lasts ``seconds``, None for ever.
    """

    action: str
    value: Any
    at: float = 0.0
    when: Condition | None = None
    after: float = 0.0
    seconds: float | None = None


class StepError(ValueError):
    """A field of a step is wrong; ``field`` is which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


TRIGGERS: Mapping[str, Json] = {
    "at": {**DURATION, "description": "When, since the first step"},
    "when": {**CONDITION, "description": "The state that is waited for"},
    "after": {**DURATION, "description": "How long after the state, or after the step before"},
}


def step_shape() -> Json:
    """Return the shape of a step: exactly one action, and the triggers that go with each other."""
    actions = {name: {**action.shape, "description": action.about} for name, action in ACTIONS.items()}
    how_long = {**DURATION, "description": "How long it lasts"}
    return {
        "type": "object",
        "properties": {name: drawable(shape) for name, shape in {**TRIGGERS, "for": how_long, **actions}.items()},
        "additionalProperties": False,
        "oneOf": [{"required": [name]} for name in ACTIONS],
        "dependentSchemas": {
            "at": {"properties": {"when": False, "after": False}},
            "for": {"anyOf": [{"required": [name]} for name in sorted(LASTING)]},
        },
        "dependentRequired": {name: ["for"] for name in sorted(NEEDS_TIME)},
    }


def read_step(data: object) -> Step:
    """Return a step; raises StepError."""
    if not isinstance(data, Mapping):
        raise StepError("", "must be a mapping with an action")
    known = {*TRIGGERS, "for", *ACTIONS}
    for key in data:
        if key not in known:
            raise StepError(str(key), f"is no action and no trigger; actions are {', '.join(ACTIONS)}")
    actions = [key for key in data if key in ACTIONS]
    if len(actions) != 1:
        raise StepError("", "must have exactly one action")
    if "at" in data and ("when" in data or "after" in data):
        raise StepError("at", "goes with neither when nor after")
    (action,) = actions
    step = Step(
        action,
        _field(data, action, ACTIONS[action].read),
        _field(data, "at", seconds_of) if "at" in data else 0.0,
        _field(data, "when", lambda text: parse_condition(some_text(text))) if "when" in data else None,
        _field(data, "after", seconds_of) if "after" in data else 0.0,
        _field(data, "for", seconds_of) if "for" in data else None,
    )
    if step.seconds is not None and action not in LASTING:
        raise StepError("for", f"goes only with what lasts: {', '.join(sorted(LASTING))}")
    if step.seconds is None and action in NEEDS_TIME:
        raise StepError(action, "needs for: how long")
    return step


def _field(data: Mapping[str, Any], name: str, read: Callable[[object], Any]) -> Any:
    try:
        return read(data[name])
    except (ValueError, TypeError) as exc:
        raise StepError(name, str(exc)) from exc


def undrawn(step: Step) -> str:
    """Return the first name that a step still holds, "" for none; files and patches may have such words themselves."""
    if step.action in ("apply", "patch"):
        return ""
    found = NAMED.search(json.dumps([step.value]))
    return found[1] if found else ""
