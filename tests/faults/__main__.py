"""Rollovers under faults, one story a seed: ``python -m tests.faults --seeds 1000 [--first N] [--processes 2]``.

Each seed that ends badly is printed; ``--seeds 1 --first N`` tells it again.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter

from tests.faults.rollovers import tell_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--seeds", type=int, default=1000, help="how many stories")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    started = time.monotonic()
    faults: Counter[str] = Counter()
    events = bad = 0
    for told in tell_all(range(asked.first, asked.first + asked.seeds), asked.processes):
        faults += told.faults
        events += told.events
        bad += bool(told.problems)
        for problem in told.problems:
            print(f"seed {told.seed}: {problem}", flush=True)
    seconds = time.monotonic() - started
    pace = asked.seeds / seconds * 60
    print(f"{asked.seeds} seeds in {seconds:.1f} s ({pace:.0f} a minute), {events} changes, {bad} bad")
    print(", ".join(f"{name} {count}" for name, count in sorted(faults.items())))
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
