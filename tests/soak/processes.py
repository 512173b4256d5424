"""The processes of a plane as its operator sees them: started, killed, paused, started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

RESTART_SECONDS = 0.2
READY_SECONDS = 60.0


class Process:
    """A program that is started again whenever it ends, until ``stop``; its output goes to ``log``.

    It may end by itself when its last words have ``refuses`` in them: one that starts may say that it will not.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[], Sequence[str]],
        log: Path,
        variables: Mapping[str, str] = MappingProxyType({}),
        refuses: str = "",
    ) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._variables = dict(variables)
        self._refuses = refuses
        self._process: asyncio.subprocess.Process | None = None
        self._may_run = asyncio.Event()
        self._may_run.set()
        self._stopping = False
        self.lives = 0
        self.odd_exits: list[int] = []
        """Exit codes of lives that ended by themselves."""
        self._killed = False

    async def run(self) -> None:
        """Keep it running until ``stop``."""
        while not self._stopping:
            await self._may_run.wait()
            with self._log.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env={**os.environ, **self._variables},
                )
            self.lives += 1
            code = await self._process.wait()
            if not self._killed and not self._stopping and not self._has_refused(code):
                self.odd_exits.append(code)
            self._killed = False
            await asyncio.sleep(RESTART_SECONDS)

    def _has_refused(self, code: int) -> bool:
        words = self._log.read_text(errors="replace").splitlines()[-1:]
        return code == 1 and bool(self._refuses) and any(self._refuses in line for line in words)

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal to the present life; return whether there is one."""
        if self._process is None or self._process.returncode is not None:
            return False
        self._killed = self._killed or number == signal.SIGKILL
        self._process.send_signal(number)
        return True

    async def hold(self) -> None:
        """End the present life by SIGKILL and begin no other before ``release``."""
        self._may_run.clear()
        if self.signal(signal.SIGKILL) and self._process is not None:
            await self._process.wait()

    def release(self) -> None:
        """Let the next life begin."""
        self._may_run.set()

    async def stop(self) -> None:
        """End it for good."""
        self._stopping = True
        self._may_run.set()
        self.signal(signal.SIGCONT)
        if not self.signal(signal.SIGTERM) or self._process is None:
            return
        try:
            async with asyncio.timeout(15):
                await self._process.wait()
        except TimeoutError:
            self.odd_exits.append(-int(signal.SIGKILL))
            self.signal(signal.SIGKILL)
            await self._process.wait()


def service(module: str, *arguments: str) -> list[str]:
    """Return the command of one of our services."""
    return [sys.executable, "-m", module, *arguments]


class StoreServer(Process):
    """A durable Redis on ``port`` with its data in ``folder``; ``follows`` is the port of the master it copies."""

    def __init__(self, name: str, port: int, folder: Path, binary: Path) -> None:
        folder.mkdir(parents=True)
        super().__init__(name, self._redis, folder.parent / f"{name}.log")
        self.port, self.folder = port, folder
        self.follows = 0
        self._binary = binary

    def _redis(self) -> Sequence[str]:
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.folder,
            "appendonly": "yes",
            "appendfsync": "always",
            "repl-diskless-sync-delay": 0,
        }
        command = [str(self._binary), *(str(word) for name, value in options.items() for word in (f"--{name}", value))]
        return [*command, "--save", "", *(["--replicaof", f"127.0.0.1 {self.follows}"] if self.follows else [])]

    def copy_data(self, to: Path) -> None:
        """Copy the data as they lie on disk now, as a backup would."""
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.folder, to)

    async def restore(self, backup: Path) -> None:
        """Go back to an older copy: what was written since is lost, as after a restored backup."""
        await self.hold()
        shutil.rmtree(self.folder)
        shutil.copytree(backup, self.folder)
        self.release()


async def wait_for_port(port: int) -> None:
    """Wait until somebody listens on ``port``; raises TimeoutError after READY_SECONDS."""
    async with asyncio.timeout(READY_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.transport.abort()
            return


async def redis_command(port: int, *words: str) -> bytes:
    """Send one command to a Redis and return its answer, at most 64 KiB of it. Raises OSError, TimeoutError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        parts = [f"*{len(words)}", *(line for word in words for line in (f"${len(word)}", word))]
        writer.write("\r\n".join([*parts, ""]).encode())
        async with asyncio.timeout(5):
            return await reader.read(64 * 1024)
    finally:
        writer.transport.abort()


async def redis_info(port: int, section: str) -> dict[str, str]:
    """Return a section of a Redis' INFO."""
    lines = (await redis_command(port, "INFO", section)).decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
