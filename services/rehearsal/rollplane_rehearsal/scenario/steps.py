"""Steps of a scenario: when each is taken, and what it does. Plain values; ``acting`` carries them out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from rollplane_rehearsal.scenario.words import Condition, parse_condition, seconds_of

TRIGGERS = ("at", "when", "after")


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


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be text")
    return value


def _pairs(value: object) -> tuple[str, dict[str, Any]]:
    """Read ``{workload: web, …}``; raises TypeError."""
    if not isinstance(value, Mapping) or not isinstance(value.get("workload"), str):
        raise TypeError("must be a mapping with the name of a workload")
    return str(value["workload"]), {str(key): each for key, each in value.items() if key != "workload"}


def _image(value: object) -> tuple[str, str, str]:
    """Read ``web=web:v2`` or ``web/sidecar=proxy:2`` as workload, container, image."""
    target, equals, image = _text(value).partition("=")
    if not equals or not target or not image:
        raise ValueError("must be WORKLOAD=IMAGE")
    return target, "*", image


def _patch(value: object) -> tuple[str, str]:
    workload, rest = _pairs(value)
    if set(rest) != {"patch"} or not isinstance(rest["patch"], Mapping):
        raise ValueError("must be {workload: …, patch: {…}}")
    return workload, json.dumps(rest["patch"])


def _scale(value: object) -> tuple[str, int]:
    target, equals, count = _text(value).partition("=")
    if not equals or not count.isdigit():
        raise ValueError("must be WORKLOAD=REPLICAS")
    return target, int(count)


def _slow(value: object) -> tuple[str, float]:
    """Read ``30s`` or ``{image: web:v2, by: 30s}``."""
    if isinstance(value, Mapping):
        return str(value.get("image", "*")), seconds_of(value.get("by"))
    return "*", seconds_of(value)


def _part(value: object) -> float:
    part = float(str(value).rstrip("%")) / (100 if str(value).endswith("%") else 1)
    if not 0 <= part <= 1:
        raise ValueError("must be a part, such as 20%")
    return part


def _rule(value: object) -> str:
    if not isinstance(value, Mapping):
        raise TypeError("must be a rule of a profile")
    return json.dumps(value)


def _nothing(value: object) -> None:
    if value not in (None, True):
        raise ValueError("takes no value")


ACTIONS: Mapping[str, Callable[[object], Any]] = {
    "apply": _text,
    "set image": _image,
    "patch": _patch,
    "scale": _scale,
    "pause": _text,
    "resume": _text,
    "restart": _text,
    "undo": _text,
    "delete pods": _text,
    "drain": _text,
    "uncordon": _text,
    "silence": _text,
    "unready": _text,
    "restart kubelet": _text,
    "break image": _text,
    "slow pulls": _slow,
    "rule": _rule,
    "kill controller": _nothing,
    "restart controller": _nothing,
    "add controller": _nothing,
    "pause controller": _nothing,
    "stall watches": _nothing,
    "lose answers": _part,
    "fill store": _nothing,
}
"""What steps can do, each with the reader of its value, which raises ValueError."""
LASTING = frozenset({"silence", "pause controller", "stall watches", "lose answers", "fill store", "drain"})
NEEDS_TIME = frozenset({"pause controller"})


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
        _field(data, action, ACTIONS[action]),
        _field(data, "at", seconds_of) if "at" in data else 0.0,
        _field(data, "when", lambda text: parse_condition(_text(text))) if "when" in data else None,
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


# Drawn values.


def drawn(draws: Mapping[str, Any], seed: int) -> dict[str, str]:
    """Return the value of each name: ``between: [5, 30]`` or ``one of: [a, b]``, by the seed."""
    return {name: _draw(draws[name], Random(f"{seed}/scenario/{name}")) for name in draws}


def _draw(choice: Mapping[str, Any], dice: Random) -> str:
    if "between" in choice:
        low, high = choice["between"]
        value = low + (high - low) * dice.random()
        return str(round(value)) if isinstance(low, int) and isinstance(high, int) else f"{value:.3f}"
    options = choice["one of"]
    return str(options[int(dice.random() * len(options))])


def filled(data: Any, values: Mapping[str, str]) -> Any:
    """Return ``data`` with every ``${name}`` replaced by its value."""
    if isinstance(data, str):
        for name, value in values.items():
            data = data.replace(f"${{{name}}}", value)
        return data
    if isinstance(data, Mapping):
        return {key: filled(value, values) for key, value in data.items()}
    if isinstance(data, list):
        return [filled(value, values) for value in data]
    return data
