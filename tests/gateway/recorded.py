"""What a real kube-apiserver answered to whoever asked for Tables."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

RECORD = Path(__file__).parents[1] / "golden" / "tables.json"


@cache
def recorded() -> dict[str, Any]:
    """Return every recorded answer by its path."""
    record: dict[str, Any] = json.loads(RECORD.read_text())
    return record


def recorded_tables() -> dict[str, dict[str, Any]]:
    """Return the recorded Tables by the plural of what they show."""
    bodies = {path.rpartition("/")[2]: answer["body"] for path, answer in recorded().items()}
    return {plural: body for plural, body in bodies.items() if body["kind"] == "Table"}
