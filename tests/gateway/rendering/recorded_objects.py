"""The objects a real kube-apiserver stored: as JSON, and as its protobuf envelope."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollplane_gateway.rendering import unwrapped
from rollplane_machinery.kinds import BY_API_VERSION_KIND, Encoded

RECORD = Path(__file__).parents[2] / "golden" / "objects.json"


@dataclass(frozen=True)
class Recorded:
    """One object."""

    name: str
    json: dict[str, Any]
    envelope: bytes

    @property
    def encoded(self) -> Encoded:
        api_version, kind, raw = unwrapped(self.envelope)
        return Encoded(BY_API_VERSION_KIND[api_version, kind], raw)


def recorded_objects() -> list[Recorded]:
    """Return every object of the record."""
    cases = json.loads(RECORD.read_text())["cases"]
    stored = [case for case in cases if "protobuf_hex" in case]
    return [Recorded(case["name"], case["json"], bytes.fromhex(case["protobuf_hex"])) for case in stored]
