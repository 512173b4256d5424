"""A process ends when it is told to: with its work, or loudly without it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

LIMIT_SECONDS = 20.0

FRAME = """
import asyncio, sys, time
from rollplane_service import process as lives
from rollplane_service.settings import ProcessSettings

lives.CLOSING_SECONDS = 0.2

async def polite(process):
    process.announce("x=1")
    await process.told_to_stop()
    print("drained", flush=True)

async def cancelled(process):
    process.announce("x=1")
    await asyncio.Event().wait()

async def deaf(process):
    process.announce("x=1")
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue

async def slow(process):
    process.announce("x=1")
    await process.told_to_stop()
    await asyncio.Event().wait()

async def stuck_thread(process):
    process.announce("x=1")
    await asyncio.to_thread(time.sleep, 60)

async def held_loop(process):
    process.announce("x=1")
    await process.told_to_stop()
    time.sleep(60)

async def refused(process):
    raise OSError("cannot listen on x")

settings = ProcessSettings(grace_seconds=0.2)
sys.exit(lives.run_process("program", settings, globals()[sys.argv[1]]))
"""


def start(work: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-c", FRAME, work), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end(work: str, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    """Start ``work``, tell it to stop once it is ready, and return its exit code, output and log."""
    with start(work) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready x=1\n"
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=LIMIT_SECONDS)
        return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_work_that_leaves_by_itself_is_not_cancelled(number: signal.Signals) -> None:
    assert end("polite", number) == (0, "drained\n", "")


def test_other_work_is_cancelled() -> None:
    assert end("cancelled") == (0, "", "")


@pytest.mark.parametrize("work", ["deaf", "slow", "stuck_thread", "held_loop"])
def test_what_does_not_stop_in_time_is_abandoned_loudly(work: str) -> None:
    started = time.monotonic()
    code, out, err = end(work)
    assert (code, out) == (1, "")
    line = json.loads(err.splitlines()[-1])
    assert (line["level"], line["message"]) == ("error", "abandoned what did not stop in time")
    assert line["seconds"] == pytest.approx(0.4)
    assert work in ("stuck_thread",) or any(task.startswith(work) for task in line["tasks"])
    assert time.monotonic() - started < LIMIT_SECONDS


def test_what_an_operator_can_mend_is_told_in_one_line() -> None:
    with start("refused") as process:
        out, err = process.communicate(timeout=LIMIT_SECONDS)
    assert (process.returncode, out, err) == (1, "", "program: cannot listen on x\n")
