"""Planes that grow: ``python -m tests.bench.scale rest|slopes|processes``, each with sizes of your own (``--help``)."""

from __future__ import annotations

import argparse
import asyncio

from tests.bench.scale.load import Load
from tests.bench.scale.planes import Shape
from tests.bench.scale.processes import by_turns, median
from tests.bench.scale.rest import Rest, at_rest
from tests.bench.scale.slopes import Sizes, slopes


def main() -> None:
    """Measure what the command line asks for and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parts = parser.add_subparsers(required=True)
    _add_rest(parts.add_parser("rest", help="one plane at rest: memory and CPU of each process"))
    _add_slopes(parts.add_parser("slopes", help="what one more pod, node, watcher and Deployment costs at rest"))
    _add_processes(parts.add_parser("processes", help="rollovers with one process of each kind and with several"))
    flags = parser.parse_args()
    flags.run(flags)


def _numbers(parser: argparse.ArgumentParser, **defaults: int) -> None:
    for name, default in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default)


def _add_rest(parser: argparse.ArgumentParser) -> None:
    _numbers(parser, nodes=200, deployments=100, pods=10_000, watchers=0, apiservers=1, controllers=1, fleets=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.set_defaults(run=_rest)


def _rest(flags: argparse.Namespace) -> None:
    shape = Shape(flags.nodes, flags.apiservers, flags.controllers, flags.fleets)
    load = Load(flags.deployments, flags.pods, flags.watchers)
    print(f"{flags.nodes} nodes, {load}; {shape}", flush=True)
    _show(asyncio.run(at_rest(shape, load, flags.seconds)))


def _show(rest: Rest) -> None:
    for name, mib in rest.mib.items():
        print(f"{name:<20}{mib:9.1f} MiB{rest.core[name] * 100:8.2f} % of a core")
    print(f"{'all':<20}{sum(rest.mib.values()):9.1f} MiB{sum(rest.core.values()) * 100:8.2f} % of a core")
    print(f"filled in {rest.fill_seconds:.1f} s")


def _add_slopes(parser: argparse.ArgumentParser) -> None:
    _numbers(parser, nodes=400, deployments=200, pods=20_000)
    _numbers(parser, more_nodes=1_600, more_deployments=2_000, more_pods=60_000, watchers=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.set_defaults(run=_slopes)


def _slopes(flags: argparse.Namespace) -> None:
    sizes = Sizes(**{name: getattr(flags, name) for name in Sizes.__dataclass_fields__})
    print(sizes, flush=True)
    for slope in asyncio.run(slopes(sizes, flags.seconds)):
        kib = "".join(f"  {name} {value:.2f}" for name, value in slope.kib.items())
        core = "".join(f"  {name} {value:.2f}" for name, value in slope.core.items())
        print(f"a {slope.what}, KiB:{kib}  all {sum(slope.kib.values()):.2f}")
        print(f"a {slope.what}, 0.001 % of a core:{core}  all {sum(slope.core.values()):.2f}")


def _add_processes(parser: argparse.ArgumentParser) -> None:
    _numbers(parser, nodes=100, deployments=100, replicas=10, rounds=3, apiservers=2, controllers=2, fleets=4)
    parser.set_defaults(run=_processes)


def _processes(flags: argparse.Namespace) -> None:
    shapes = [Shape(flags.nodes), Shape(flags.nodes, flags.apiservers, flags.controllers, flags.fleets)]
    print(f"{flags.deployments} x {flags.replicas}, {flags.nodes} nodes, medians of {flags.rounds}", flush=True)
    runs = asyncio.run(by_turns(shapes, flags.deployments, flags.replicas, flags.rounds))
    for shape, run in zip(shapes, map(median, runs), strict=True):
        print(
            f"{shape}: create {run.create:.2f} s, rollover {run.rollover:.2f} s, CPU {run.cpu:.2f} s, "
            f"{run.broken} invariants broken"
        )


if __name__ == "__main__":
    main()
