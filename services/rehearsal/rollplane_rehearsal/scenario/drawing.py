"""Values of a scenario that are drawn by the seed, and the texts that hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from rollplane_machinery.strict_reading import Json
from rollplane_rehearsal.scenario.actions import SOME_TEXT

_DRAWN: Json = {"type": "string", "pattern": r"\$\{[^}]+\}"}
NAMED = re.compile(r"\$\{([^}]+)\}")


def drawable(shape: Json) -> Json:
    """Return ``shape`` where every value may be drawn, or hold what is."""
    if "anyOf" in shape:
        return {**shape, "anyOf": [*map(_deeper, shape["anyOf"]), _DRAWN]}
    if shape.get("type") in ("object", "array") or shape == SOME_TEXT:
        return _deeper(shape)
    told = {name: shape[name] for name in ("description",) if name in shape}
    return told | {"anyOf": [{name: each for name, each in shape.items() if name not in told}, _DRAWN]}


def _deeper(shape: Json) -> Json:
    """Return ``shape`` with drawable values in it, itself as it is."""
    if "properties" in shape:
        return {**shape, "properties": {name: drawable(each) for name, each in shape["properties"].items()}}
    if shape.get("type") == "array":
        return {**shape, "items": drawable(shape["items"])}
    return shape


def drawn(draws: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return the value of each name: ``between: [5, 30]`` or ``one of: [a, b]``, by the seed."""
    return {name: _draw(draws[name], Random(f"{seed}/scenario/{name}")) for name in draws}


def _draw(choice: Mapping[str, Any], dice: Random) -> Any:
    if "between" in choice:
        low, high = choice["between"]
        value = low + (high - low) * dice.random()
        return round(value) if isinstance(low, int) and isinstance(high, int) else round(value, 3)
    options = choice["one of"]
    return options[int(dice.random() * len(options))]


def filled(data: Any, values: Mapping[str, Any]) -> Any:
    """Return ``data`` with every ``${name}`` replaced by its value; one that is all of a text keeps its type."""
    if isinstance(data, str):
        whole = NAMED.fullmatch(data)
        if whole and whole[1] in values:
            return values[whole[1]]
        return NAMED.sub(lambda found: str(values.get(found[1], found[0])), data)
    if isinstance(data, Mapping):
        return {key: filled(value, values) for key, value in data.items()}
    if isinstance(data, list):
        return [filled(value, values) for value in data]
    return data
