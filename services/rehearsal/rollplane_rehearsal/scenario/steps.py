"""Steps of a scenario: when each is taken, and what it does. Plain values; ``acting`` carries them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollplane_machinery.spans import DURATION, seconds_of
from rollplane_machinery.strict_reading import Json, meant
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
    """Fields of a step are wrong; ``wrong`` has each, "" for the step itself, with what is."""

    def __init__(self, *wrong: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {told}" if field else told for field, told in wrong))
        self.wrong = wrong


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


def read_step(data: object, drawn: Iterable[str] = ()) -> Step:
    """Return a step whose draws are filled in; raises StepError with all that is wrong.

    ``drawn`` are the names there are, of which one that is still held may be meant.
    """
    if not isinstance(data, Mapping):
        raise StepError(("", "must be a mapping with an action"))
    wrong: list[tuple[str, str]] = []
    read = {name: _value(data, name, drawn, wrong) for name in data if name in _READERS}
    if wrong := [*_unknown(data), *_ill_matched(data), *wrong]:
        raise StepError(*wrong)
    (action,) = _actions(data)
    value = read[action]
    return Step(action, value, read.get("at", 0.0), read.get("when"), read.get("after", 0.0), read.get("for"))


def _value(data: Mapping[str, Any], name: str, drawn: Iterable[str], wrong: list[tuple[str, str]]) -> Any:
    value = data[name]
    held = [] if name in _WITH_WORDS_OF_THEIR_OWN else NAMED.findall(str(value))
    if held:
        wrong += [(name, f"holds ${{{each}}}, which is not drawn{meant(each, drawn)}") for each in held]
        return None
    try:
        return _READERS[name](value)
    except (ValueError, TypeError) as exc:
        wrong.append((name, str(exc)))
        return None


def _unknown(data: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for key in data:
        if key not in _READERS:
            yield str(key), f"{NO_ACTION}{meant(str(key), _READERS)}"


def _ill_matched(data: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong of fields beside each other; an unknown one may be the action that is missing."""
    actions = _actions(data)
    if len(actions) > 1 or (not actions and data.keys() <= _READERS.keys()):
        yield "", "must have exactly one action"
    if "at" in data and ("when" in data or "after" in data):
        yield "at", "goes with neither when nor after"
    if actions and data.get("for") is not None and not LASTING & set(actions):
        yield "for", f"goes only with what lasts: {', '.join(sorted(LASTING))}"
    if data.get("for") is None:
        yield from ((action, "needs for: how long") for action in actions if action in NEEDS_TIME)


def _actions(data: Mapping[Any, Any]) -> list[str]:
    return [key for key in data if key in ACTIONS]


NO_ACTION = "is no action and no trigger"
_READERS: Mapping[str, Callable[[object], Any]] = {
    "at": seconds_of,
    "when": lambda text: parse_condition(some_text(text)),
    "after": seconds_of,
    "for": seconds_of,
    **{name: action.read for name, action in ACTIONS.items()},
}
_WITH_WORDS_OF_THEIR_OWN = ("apply", "patch")
"""Files and patches, which may hold such words as those that are drawn."""
