"""The small words of scenarios: rates and parts."""

from __future__ import annotations

import re

from rollplane_machinery.strict_reading import Json

_NUMBER = "[0-9]+(?:\\.[0-9]+)?"
_RATE = re.compile(f"(?P<count>{_NUMBER})/(?P<unit>[smh])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
RATE: Json = {"type": "string", "pattern": f"^{_NUMBER}/[smh]$"}
PART: Json = {
    "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": "^(?:[0-9]{1,2}|100)%$"}]
}


def rate_of(value: object) -> float:
    """Return how many a second ``2/s``, ``30/m`` or ``100/h`` are; raises ValueError."""
    found = _RATE.fullmatch(str(value))
    if found is None:
        raise ValueError("must be a rate, such as 2/s, 30/m or 100/h")
    return float(found["count"]) / _UNITS[found["unit"]]


def part_of(value: object) -> float:
    """Return the part that ``30%`` or ``0.3`` is; raises ValueError."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,2}%|100%", value):
        return int(value[:-1]) / 100
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise ValueError("must be a part, such as 30%")
