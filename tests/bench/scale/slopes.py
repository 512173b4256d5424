"""What one more pod, node, watcher or Deployment costs at rest: the difference between two planes that differ in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.bench.scale.load import Load
from tests.bench.scale.planes import Shape
from tests.bench.scale.rest import Rest, at_rest


@dataclass(frozen=True)
class Sizes:
    """The smaller plane, and what the larger ones have more than it; nothing of what is 0 is measured."""

    nodes: int
    deployments: int
    pods: int
    more_nodes: int
    more_deployments: int
    more_pods: int
    watchers: int


@dataclass(frozen=True)
class Slope:
    """By process: KiB of memory, and thousandths of a percent of a core, for one more of ``what``."""

    what: str
    kib: dict[str, float]
    core: dict[str, float]


async def slopes(sizes: Sizes, seconds: float) -> list[Slope]:
    """Measure the smaller plane, then one larger one for each thing, on the same machine one after the other."""
    shape, load = Shape(sizes.nodes), Load(sizes.deployments, sizes.pods)
    base = await at_rest(shape, load, seconds)
    found = []
    for what, count, larger_shape, larger_load in _larger(sizes, shape, load):
        found.append(_slope(what, count, base, await at_rest(larger_shape, larger_load, seconds)))
    return found


def _larger(sizes: Sizes, shape: Shape, load: Load) -> Iterator[tuple[str, int, Shape, Load]]:
    if sizes.more_pods:
        yield "pod", sizes.more_pods, shape, replace(load, pods=load.pods + sizes.more_pods)
    if sizes.more_nodes:
        yield "node", sizes.more_nodes, replace(shape, nodes=shape.nodes + sizes.more_nodes), load
    if sizes.watchers:
        yield "watcher of all pods", sizes.watchers, shape, replace(load, watchers=sizes.watchers)
    if sizes.more_deployments:
        yield (
            "Deployment without pods",
            sizes.more_deployments,
            shape,
            replace(load, deployments=load.deployments + sizes.more_deployments),
        )


def _slope(what: str, count: int, base: Rest, larger: Rest) -> Slope:
    kib = {name: (larger.mib[name] - base.mib[name]) * 1024 / count for name in base.mib}
    core = {name: (larger.core[name] - base.core[name]) * 100_000 / count for name in base.core}
    return Slope(what, kib, core)
