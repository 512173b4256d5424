"""``python -m tests.soak``: break a plane of real processes for minutes, and judge what its clients saw.

Prints one JSON document. The exit code is 1 when anything was found; the same seed breaks things in the same order,
though processes take their own time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from random import SystemRandom

from tests.soak.soaking import soak


def run() -> int:
    """Soak as the arguments say and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long")
    parser.add_argument("--era", type=float, default=60.0, metavar="SECONDS", help="how long until clients are judged")
    parser.add_argument("--seed", type=int, default=0, help="what goes wrong when; 0 for any")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where data and logs stay; else they are removed")
    given = parser.parse_args()
    seed = given.seed or SystemRandom().randrange(1, 2**31)
    print(f"seed {seed}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="rollplane-soak-") as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(soak(folder, seed, given.minutes * 60, given.era))
    print(json.dumps(asdict(report), indent=2))
    return int(bool(report.faults))


if __name__ == "__main__":
    sys.exit(run())
