"""Our comments on messages and fields, which descriptors of generated code do not carry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

import orjson

import rollplane


@cache
def comments() -> Mapping[str, str]:
    """Return each comment by the full name of its message or field (``rollplane.apps.v1.DeploymentSpec.paused``)."""
    found: dict[str, str] = orjson.loads(resources.files(rollplane).joinpath("comments.json").read_bytes())
    return found
