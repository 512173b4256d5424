"""Running commands against a plane in this process, and what they printed."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass

from rollplane_cli.console import Console
from rollplane_cli.main import execute


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


class Stream(io.StringIO):
    """An output that a test can wait on."""

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__()
        self._written = asyncio.Event()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        self._written.set()
        return super().write(text)

    async def until(self, text: str, count: int = 1) -> None:
        """Wait until ``text`` has been written ``count`` times."""
        async with asyncio.timeout(20):
            while self.getvalue().count(text) < count:
                self._written.clear()
                await self._written.wait()


class Cli:
    """The command line, speaking to one server."""

    def __init__(self, server: str, environ: Mapping[str, str] | None = None) -> None:
        self.environ = {"ROLLPLANE_SERVER": server, "PATH": "/usr/bin:/bin", **(environ or {})}

    async def run(self, *line: str, input: str = "", **environ: str) -> Ran:  # noqa: A002 - what a process reads
        """Carry out one command line to its end."""
        out, err = Stream(), Stream()
        code = await execute(line, {**self.environ, **environ}, Console(out, err, io.StringIO(input)))
        return Ran(code, out.getvalue(), err.getvalue())

    async def start(self, *line: str) -> Running:
        """Begin one command line."""
        return Running(self, *line)

    async def ok(self, *line: str, input: str = "") -> str:  # noqa: A002
        """Carry out a command that must succeed, and return what it answered."""
        ran = await self.run(*line, input=input)
        assert (ran.code, ran.err) == (0, ""), ran
        return ran.out


class Running:
    """A command while it runs."""

    def __init__(self, cli: Cli, *line: str, terminal: bool = False) -> None:
        self.out, self.err = Stream(terminal=terminal), Stream()
        console = Console(self.out, self.err, io.StringIO())
        self.task = asyncio.ensure_future(execute(line, cli.environ, console))

    async def begun(self) -> None:
        """Wait until it has printed a line."""
        await self.out.until("\n")

    async def end(self) -> Ran:
        """Wait for its end."""
        async with asyncio.timeout(20):
            code = await self.task
        return Ran(code, self.out.getvalue(), self.err.getvalue())

    async def interrupt(self) -> Ran:
        """End it as Ctrl-C does, and return what it has printed."""
        self.task.cancel()
        await asyncio.wait({self.task})
        assert self.task.cancelled()
        return Ran(130, self.out.getvalue(), self.err.getvalue())
