"""An apiserver that starts long before its store does waits for it, however long that takes."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from pathlib import Path

import pytest

from rollplane_apiserver import main
from rollplane_apiserver.core import CoreSettings
from rollplane_apiserver.settings import Settings
from rollplane_apiserver.store.server import SOCKET_NAME, RedisServer
from rollplane_service.process import Process

WAIT_SECONDS = 20.0


async def test_serve_waits_longer_than_one_load_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(main, "CoreSettings", partial(CoreSettings, load_timeout_seconds=0.2))
    settings = Settings(listen="127.0.0.1:0", metrics_listen="", redis=f"unix://{tmp_path / SOCKET_NAME}")
    process = Process(grace_seconds=WAIT_SECONDS)
    caplog.set_level(logging.WARNING, main.__name__)
    async with asyncio.timeout(WAIT_SECONDS), asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(process.run(lambda process: main.serve(settings, process)))
        while caplog.messages.count("waiting for the store") < 2:  # noqa: ASYNC110 - a log gives no event
            await asyncio.sleep(0.01)
        async with RedisServer(tmp_path):
            while not process.health.started:  # noqa: ASYNC110 - nor does the ready line
                await asyncio.sleep(0.01)
            process.end()
            await serving
    process.ended()
