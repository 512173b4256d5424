"""``python -m tests.bench.scale rest|slopes|processes``: see ``--help`` of each for its sizes."""

from __future__ import annotations

import argparse
import asyncio
import logging

from tests.bench.scale.load import Load
from tests.bench.scale.planes import Shape
from tests.bench.scale.rest import Rest, at_rest


def main() -> None:
    """Measure what the command line asks for and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parts = parser.add_subparsers(required=True)
    _add_rest(parts.add_parser("rest", help="one plane at rest: memory and CPU of each process"))
    flags = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    flags.run(flags)


def _add_rest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nodes", type=int, default=200)
    parser.add_argument("--deployments", type=int, default=100)
    parser.add_argument("--pods", type=int, default=10_000)
    parser.add_argument("--watchers", type=int, default=0)
    parser.add_argument("--apiservers", type=int, default=1)
    parser.add_argument("--controllers", type=int, default=1)
    parser.add_argument("--fleets", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.set_defaults(run=_rest)


def _rest(flags: argparse.Namespace) -> None:
    shape = Shape(flags.nodes, flags.apiservers, flags.controllers, flags.fleets)
    load = Load(flags.deployments, flags.pods, flags.watchers)
    print(f"{flags.nodes} nodes, {load}; {shape}")
    _show(asyncio.run(at_rest(shape, load, flags.seconds)))


def _show(rest: Rest) -> None:
    for name, mib in rest.mib.items():
        print(f"{name:<20}{mib:9.1f} MiB{rest.core[name] * 100:8.2f} % of a core")
    print(f"{'all':<20}{sum(rest.mib.values()):9.1f} MiB{sum(rest.core.values()) * 100:8.2f} % of a core")
    print(f"filled in {rest.fill_seconds:.1f} s")


if __name__ == "__main__":
    main()
