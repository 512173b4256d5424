"""Objects for the tests of what is printed: written as YAML, since that is how people know them."""

from __future__ import annotations

from typing import TypeVar

import yaml

from rollplane_client.typed import kind_of
from rollplane_machinery.codec import from_json
from rollplane_machinery.kinds import ApiObject

M = TypeVar("M", bound=ApiObject)

NOW = 1_750_000_000.0
"""2025-06-15T15:06:40Z."""

MINUTES_AGO = "2025-06-15T15:01:40Z"
"""Five minutes before NOW."""


def made(message_type: type[M], text: str) -> M:
    """Return the object in ``text``, whose kind need not be written; by default it is called web, five minutes old."""
    kind = kind_of(message_type)
    data = {"apiVersion": kind.api_version, "kind": kind.name, **(yaml.safe_load(text) or {})}
    data["metadata"] = {"name": "web", "creationTimestamp": MINUTES_AGO, **data.get("metadata", {})}
    message = from_json(data)
    assert isinstance(message, message_type)
    return message
