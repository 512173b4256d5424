"""Supervision: a child comes back for as long as the plane runs, and says why when it does not."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import SetupError, TimedOutError
from rollplane_plane import child as child_module
from rollplane_plane.child import Child, death_of
from rollplane_plane.services import Service

WAIT_SECONDS = 30.0

BRIEF = 'print("ready", flush=True)'
"""A life that is ready and over at once."""
LONG = 'print("ready n=1", flush=True); sys.stdin.read()'


class Impatient(SystemClock):
    """Time in which nobody waits."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def make(tmp_path: Path, script: str, returned: Callable[[], None] = lambda: None) -> Child:
    """Return a child that runs ``script``, which may count its lives in the file ``lives``."""
    (tmp_path / "script.py").write_text(
        "import sys, time\nfrom pathlib import Path\n"
        "lives = Path(__file__).with_name('lives')\n"
        "life = len(lives.read_text()) + 1 if lives.exists() else 1\n"
        "lives.write_text('x' * life)\n"
        f"sys.stdin.readline()\n{script}\n"
    )
    return Child(
        Service.CONTROLLER,
        lambda: ("--x",),
        tmp_path / "logs" / "child.log",
        clock=Impatient(),
        environ={},
        returned=returned,
        command=(sys.executable, "-S", str(tmp_path / "script.py")),
    )


async def lives_through(child: Child, done: asyncio.Event) -> None:
    """Start the child, supervise it until ``done``, and end it."""
    async with asyncio.timeout(WAIT_SECONDS), asyncio.TaskGroup() as tasks:
        await child.start()
        tasks.create_task(child.supervise())
        await done.wait()
        await child.stop()


async def test_lives_that_were_ready_may_end_as_often_as_they_like(tmp_path: Path) -> None:
    done = asyncio.Event()
    child = make(tmp_path, BRIEF, lambda: done.set() if child.restarts >= 30 else None)
    await lives_through(child, done)
    assert child.restarts >= 30


async def test_starts_that_fail_are_tried_again_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    done = asyncio.Event()
    script = f"if life == 1: {BRIEF}\nelif life < 5: sys.exit('rollplane_controller: no luck')\nelse: {LONG}"
    await lives_through(make(tmp_path, script, done.set), done)
    assert caplog.messages[0].startswith("the controller ended: code 0, without a word")
    told = [message for message in caplog.messages if message.startswith("controller did not start: no luck (more in")]
    assert (len(told), told[0].endswith("; it is tried again")) == (3, True)


async def test_a_life_that_takes_long_to_be_ready_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = asyncio.Event()
    child = make(tmp_path, f"if life == 1: {BRIEF}\nelse:\n  time.sleep(1)\n  {LONG}", done.set)
    await child.start()
    monkeypatch.setattr(child_module, "READY_SECONDS", 0.2)
    async with asyncio.timeout(WAIT_SECONDS), asyncio.TaskGroup() as tasks:
        tasks.create_task(child.supervise())
        await done.wait()
        await child.stop()
    assert child.ready == {"n": "1"}
    assert any(message.startswith("the controller is not ready after 0 s; it goes on") for message in caplog.messages)


async def test_one_that_refuses_its_settings_ends_the_plane(tmp_path: Path) -> None:
    script = f"if life == 1: {BRIEF}\nelse:\n  print('program: error: no', file=sys.stderr)\n  sys.exit(2)"
    child = make(tmp_path, script)
    await child.start()
    async with asyncio.timeout(WAIT_SECONDS):
        with pytest.raises(SetupError, match=r"the controller will never start: .*error: no"):
            await child.supervise()


async def test_a_first_start_that_fails_is_the_callers_to_hear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SetupError, match="controller did not start: no luck"):
        await make(tmp_path, "sys.exit('rollplane_apiserver.store: no luck')").start()
    monkeypatch.setattr(child_module, "READY_SECONDS", 0.1)
    slow = make(tmp_path, "sys.stdin.read()")
    with pytest.raises(TimedOutError, match="controller did not start: it is not ready after 0 s"):
        await slow.start()
    await slow.stop()


async def test_one_that_does_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(child_module, "STOP_SECONDS", 0.2)
    script = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LONG
    child = make(tmp_path, script)
    await child.start()
    caplog.set_level(logging.WARNING)
    await child.stop()
    assert caplog.messages == ["the controller did not end within 0 s; it is killed"]


DEATHS = {
    "killed": (-9, "was killed (SIGKILL)"),
    "ended": (1, "ended: no luck"),
    "unknown signal": (-63, "was killed (signal 63)"),
}


@pytest.mark.parametrize(("code", "sentence"), DEATHS.values(), ids=DEATHS)
def test_deaths_are_told_in_words(code: int, sentence: str) -> None:
    assert death_of(code, "no luck") == sentence
