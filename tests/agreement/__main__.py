"""Whether a rehearsal and a plane of processes agree: ``python -m tests.agreement [STORY …]``.

Prints each story's steps where they differ and how long it took in both; exit code 1 when steps differ, or durations by
more than a tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.agreement.real import told_for_real
from tests.agreement.rehearsed import rehearsed
from tests.agreement.stories import STORIES

TOLERANCE = 0.1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.agreement")
    parser.add_argument("stories", nargs="*", help="names of stories; all without any")
    names = parser.parse_args().stories
    stories = [each for each in STORIES if not names or each.name in names]
    with tempfile.TemporaryDirectory() as data:
        real = asyncio.run(told_for_real(stories, Path(data)))
    bad = 0
    print("| Story | Steps | Rehearsed | On processes | |\n| --- | ---: | ---: | ---: | ---: |")
    for told, was in zip(stories, real, strict=True):
        foretold = rehearsed(told)
        off = was.seconds / foretold.seconds - 1
        same = foretold.steps == was.steps
        print(f"| {told.name} | {len(was.steps)} | {foretold.seconds:.1f} s | {was.seconds:.1f} s | {off:+.1%} |")
        if not same:
            print(f"  rehearsed {foretold.told}\n  real      {was.told}")
        bad += not same or abs(off) > TOLERANCE
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
