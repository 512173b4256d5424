"""One walk in two worlds: ``python -m tests.differential --seed N --steps M [--recorded FILE] [--kubernetes RELEASE]``.

Prints the first difference of each walk with its seed and step and exits with 1; 0 means that the worlds agree after
every step.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from rollplane_machinery.releases import LATEST, RECORDED
from rollplane_service.settings import read_release
from tests.differential.compare import Difference, follow_record, walk_by_seed

STEPS = 40


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many walks, from --seed on")
    parser.add_argument("--steps", type=int, help=f"default {STEPS}; of a record, all")
    parser.add_argument("--recorded", type=Path, metavar="FILE", help="a recorded world to hold both worlds against")
    parser.add_argument("--kubernetes", metavar="RELEASE", help="default the newest; of a record, that of the records")
    asked = parser.parse_args(arguments)
    found = 0
    try:
        for difference in _differences(asked):
            print(difference, flush=True)
            found += 1
    except (OSError, ValueError) as exc:
        parser.error(str(exc))
    print(f"{found} differences" if found else "no difference")
    return 1 if found else 0


def _differences(asked: argparse.Namespace) -> Iterable[Difference]:
    if asked.recorded:
        return follow_record(asked.recorded, asked.steps, read_release(asked.kubernetes or RECORDED.name))
    release, steps = read_release(asked.kubernetes or LATEST.name), STEPS if asked.steps is None else asked.steps
    walks = (walk_by_seed(seed, steps, release) for seed in range(asked.seed, asked.seed + asked.seeds))
    return (difference for difference in walks if difference is not None)


if __name__ == "__main__":
    raise SystemExit(main())
