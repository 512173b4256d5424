"""A server whose user may not run all that a commit needs: nothing is done by halves, and the command is named."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from importlib.resources import files

import pytest

from rollplane_machinery.errors import Outcome, UnavailableError

from .administering import command
from .conftest import NewRedisStore
from .writing import create, must_commit, update

OF_EACH_COMMIT = ("HSET", "HDEL", "XADD")
NOW_AND_THEN = ("HGET", "HMGET", "XTRIM", "RPUSH", "LPOP", "SADD", "DEL", "UNLINK", "RENAME", "EXISTS")


ASKED_BY_RUNNING = {"TIME", "INFO"}
"""What the script begins with: denied, it ends before it has done anything."""


def test_all_that_a_commit_calls_is_asked_for() -> None:
    source = files("rollplane_apiserver.store").joinpath("commit.lua").read_text()
    called = set(re.findall(r"\bcall\('(\w+)'", source))
    assert called - ASKED_BY_RUNNING == {*OF_EACH_COMMIT, *NOW_AND_THEN}


@asynccontextmanager
async def denied(url: str, name: str) -> AsyncIterator[None]:
    """Take a command away from everybody while the context is open."""
    await command(url, b"ACL", b"SETUSER", b"default", b"-" + name.lower().encode())
    try:
        yield
    finally:
        await command(url, b"ACL", b"SETUSER", b"default", b"+@all")


async def refusal(call: Awaitable[object]) -> UnavailableError:
    with pytest.raises(UnavailableError) as told:
        await call
    assert told.value.outcome is Outcome.NOT_SENT
    return told.value


@pytest.mark.parametrize("name", OF_EACH_COMMIT)
async def test_a_commit_is_made_whole_or_not_at_all(new_redis_store: NewRedisStore, server_url: str, name: str) -> None:
    store = new_redis_store()
    await must_commit(store, create("pods", "a/1"))
    before = await store.revision()
    async with denied(server_url, name):
        error = await refusal(store.commit([update("pods", "a/1", b"other"), create("pods", "a/2")]))
        assert f"this user may not run {name}" in error.message
    assert await store.revision() == before
    async with store.follow(before) as batches:
        await must_commit(store, create("pods", "a/2"), update("pods", "a/1", b"other"))
        assert [change.key for change in (await anext(batches)).changes] == ["a/2", "a/1"]


@pytest.mark.parametrize("name", [*OF_EACH_COMMIT, *NOW_AND_THEN])
async def test_a_look_at_the_store_tells_what_is_missing(
    new_redis_store: NewRedisStore, server_url: str, name: str
) -> None:
    store = new_redis_store()
    await must_commit(store, create("pods", "a/1"))
    async with denied(server_url, name):
        for asked in (store, new_redis_store()):
            error = await refusal(asked.commit(()))
            assert f"this user may not run {name}" in error.message
    await store.commit(())
