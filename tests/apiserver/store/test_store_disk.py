"""A full disk is called by its name."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from rollplane_apiserver.store.disk import FULL_BYTES, full_disk, naming_a_full_disk
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_machinery.errors import Outcome, UnavailableError

BLOCK = 1024


def leave(monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_bavail=left // BLOCK, f_frsize=BLOCK))


def test_full_is_less_than_a_commit_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, FULL_BYTES)
    assert full_disk(Path("/data")) == ""
    leave(monkeypatch, 3 * BLOCK)
    assert full_disk(Path("/data")) == "the disk of /data is full, 3 KiB are left"


def test_a_folder_that_is_not_there_is_not_full() -> None:
    assert full_disk(Path("/nowhere/at/all")) == ""


async def test_a_store_that_went_with_its_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, 0)
    store = RedisStore(RedisSettings(f"unix://{tmp_path}/server.sock"))
    with pytest.raises(UnavailableError, match=f"the disk of {tmp_path} is full, 0 KiB are left: the store cannot be"):
        await store.commit(())
    await store.close()


def test_a_disk_elsewhere_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, 0)
    with pytest.raises(UnavailableError, match=r"^away$"), naming_a_full_disk("redis://elsewhere:6379/0"):
        raise UnavailableError("away", outcome=Outcome.NOT_SENT)
