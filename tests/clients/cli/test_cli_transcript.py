"""Every command of the recorded kubectl session answers as kubectl did: output, errors, exit code."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.clients.cli.commands import Cli, Ran
from tests.clients.cli.replay import RECORDED_WITH, LateClock, Replay, write_manifests
from tests.clients.cli.stand_in import StandIn
from tests.clients.cli.transcript import Entry, normalized, read_transcript
from tests.clients.python.plane import Plane

ENTRIES = {f"{entry.number} {entry.command}": entry for entry in read_transcript()}


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Ran]:
    """What each command came to; the session is replayed once."""
    return asyncio.run(_replay(tmp_path_factory.mktemp("session")))


async def _replay(folder: Path) -> dict[int, Ran]:
    write_manifests(folder)
    clock = LateClock()
    plane = Plane(clock=clock, settings=RECORDED_WITH)
    await plane.start()
    try:
        with contextlib.chdir(folder):
            return await Replay(Cli(plane.address), StandIn(plane.in_process()), clock).run()
    finally:
        await plane.stop()


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_command_answers_as_kubectl_did(entry: Entry, replayed: dict[int, Ran]) -> None:
    ran = replayed[entry.number]
    # What --record writes down is the program's own name.
    out = ran.out.replace("rollplane set image", "kubectl set image")
    assert normalized(out) == normalized(entry.out)
    assert ran.err.replace("'rollplane ", "'kubectl ") == entry.err
    assert ran.code == entry.code


def test_the_whole_record_is_replayed(replayed: dict[int, Ran]) -> None:
    assert sorted(replayed) == list(range(1, 84))
