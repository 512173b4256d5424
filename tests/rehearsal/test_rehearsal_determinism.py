"""The same seed and inputs give the same event log, byte for byte, whatever a process brings along."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from rollplane_rehearsal import run
from tests.rehearsal.told import told

ROOT = Path(__file__).parents[2]


async def _told_elsewhere(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = (sys.executable, "-m", "tests.rehearsal.told", "5")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_processes_with_other_orders_of_sets_tell_the_same() -> None:
    async with asyncio.TaskGroup() as tasks:
        telling = [tasks.create_task(_told_elsewhere(seed)) for seed in ("0", "1", "random")]
    one, other, another = (task.result() for task in telling)
    assert one == other == another
    assert int(one.split()[0]) > 1000


def test_another_seed_is_another_story() -> None:
    assert run(told(1)) != run(told(2))
