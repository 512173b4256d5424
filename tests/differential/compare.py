"""A walk in two worlds, held against each other after every step: sizes by image, revisions, conditions, status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollplane_machinery.releases import Release
from rollplane_rehearsal import run
from tests.differential.walks import Walk
from tests.differential.worlds import PlannersWorld, plane_world
from tests.planners.traces import Json, normalised, tolerate


@dataclass(frozen=True, slots=True)
class Difference:
    """The first step after which two worlds differ; ``where`` names each field, with what either world shows."""

    walk: str
    step: int
    action: Any
    where: tuple[str, ...]

    def __str__(self) -> str:
        return "\n  ".join([f"{self.walk}, step {self.step}, {json.dumps(self.action)}:", *self.where])


def walk_by_seed(seed: int, steps: int, release: Release) -> Difference | None:
    """Return the first difference between planners and plane in ``steps`` steps from ``seed``."""
    return run(_walk(seed, steps, release))


async def _walk(seed: int, steps: int, release: Release) -> Difference | None:
    walk, action, acted = Walk(seed), "create", {}
    planners = PlannersWorld(walk.manifest, release)
    async with plane_world(walk.manifest, release) as plane:
        for step in range(steps + 1):
            if step:
                action = walk.next(planners.snapshot())
                acted = planners.choose(action)
                planners.act(action, acted)
                await plane.act(action, acted)
            names = ("planners", "plane")
            where = tuple(_differences(names, planners.snapshot(), await plane.snapshot()))
            if where:
                return Difference(f"seed {seed}", step, action, where)
    return None


def follow_record(file: Path, steps: int | None, release: Release) -> list[Difference]:
    """Return where planners and plane first differ from a recorded world, each at most once.

    ``file`` has the form of tests/golden/traces (tests/golden/README.md). ``steps`` None follows it to its end.
    Raises ValueError for a record of another kind than Deployment.
    """
    trace = json.loads(file.read_text())
    if trace["manifest"]["kind"] != "Deployment":
        raise ValueError(f"{file}: a walk of a {trace['manifest']['kind']}, only Deployments can be followed")
    return run(_follow(file.stem, trace, steps, release))


async def _follow(name: str, trace: Json, steps: int | None, release: Release) -> list[Difference]:
    planners = PlannersWorld(trace["manifest"], release)
    found: dict[str, Difference] = {}
    async with plane_world(trace["manifest"], release) as plane:
        for step, recorded in enumerate(trace["trace"][: None if steps is None else steps + 1]):
            action, acted = recorded["after"], recorded.get("acted") or {}
            if action != "create":
                planners.act(action, acted)
                await plane.act(action, acted)
            for world, seen in (("planners", planners.snapshot()), ("plane", await plane.snapshot())):
                expected = normalised(recorded)
                tolerate(name, expected, seen)
                if where := tuple(_differences(("record", world), expected, seen)):
                    found.setdefault(world, Difference(name, step, action, where))
    return list(found.values())


def _differences(names: tuple[str, str], one: Any, other: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from _differences(names, one.get(key), other.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for position, pair in enumerate(zip(one, other, strict=True)):
            yield from _differences(names, *pair, f"{path}[{position}]")
    elif one != other:
        yield f"{path}: {names[0]} {json.dumps(one)}, {names[1]} {json.dumps(other)}"
