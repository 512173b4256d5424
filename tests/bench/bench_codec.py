"""How fast the codec is: manifests per second from YAML and JSON, and microseconds for one Pod and one Deployment."""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rollplane_machinery import codec
from rollplane_machinery.kinds import Encoded

GOLDEN = Path(__file__).parents[1] / "golden" / "objects.json"
SECONDS = 0.5
REPEATS = 3
MANIFESTS = 100


def main() -> None:
    """Print rows of name, value, unit."""
    objects = {case["name"]: case for case in json.loads(GOLDEN.read_text())["cases"]}
    deployment = objects["deployment-rich"]["request"]
    _measure_loading("deployment (16 lines)", objects["deployment-minimal"]["request"])
    _measure_loading("deployment (284 lines)", deployment)
    for name in ("pod-guaranteed", "deployment-rich"):
        stored = objects[name]["json"]
        stored["metadata"].pop("managedFields", None)
        _measure_object(name, stored)


def _measure_loading(name: str, data: dict[str, Any]) -> None:
    """Print how many manifests a second are loaded from a file of a hundred."""
    as_yaml = "---\n".join([codec.dump_yaml(data)] * MANIFESTS)
    as_json = json.dumps({"apiVersion": "v1", "kind": "List", "items": [data] * MANIFESTS}, indent=4)
    for form, text in (("yaml", as_yaml), ("json", as_json)):
        seconds = _seconds(lambda text=text: codec.load_manifests(text))  # type: ignore[misc]
        print(f"load {form}, {name}  {MANIFESTS / seconds:.0f} manifests/s")


def _measure_object(name: str, data: dict[str, Any]) -> None:
    obj = codec.from_json(data)
    encoded = Encoded.of(obj)
    measured: dict[str, Callable[[], object]] = {
        "decode protobuf": encoded.parse,
        "encode protobuf": lambda: Encoded.of(obj),
        "to_json": lambda: codec.to_json(obj),
        "from_json": lambda: codec.from_json(data),
        "dumps": lambda: codec.dumps(obj),
        "dump_yaml": lambda: codec.dump_yaml(obj),
    }
    for what, call in measured.items():
        print(f"{what}, {name} ({len(encoded.value)} bytes)  {_seconds(call) * 1e6:.1f} µs")


def _seconds(call: Callable[[], object]) -> float:
    """Return the seconds one call takes, the best of three rounds."""
    timer = timeit.Timer(call)
    number = max(1, round(SECONDS / REPEATS / max(timer.timeit(1), 1e-7)))
    return min(timer.repeat(REPEATS, number)) / number


if __name__ == "__main__":
    main()
