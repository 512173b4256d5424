"""The same seed and inputs give the same event log, byte for byte, whatever a process brings along."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


async def _told_elsewhere(seed: int, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = (sys.executable, "-m", "tests.rehearsal.told", str(seed))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_processes_with_other_orders_of_sets_tell_the_same_and_another_seed_is_another_story() -> None:
    async with asyncio.TaskGroup() as tasks:
        telling = [tasks.create_task(_told_elsewhere(*each)) for each in ((5, "0"), (5, "random"), (6, "0"))]
    one, same, other = (task.result() for task in telling)
    assert one == same != other
    assert int(one.split()[0]) > 1000
