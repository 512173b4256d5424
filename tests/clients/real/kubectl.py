"""A kubectl of one release, run against a server with a home of its own: its caches are those of nobody else."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.tools.catalogue import find

SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass(frozen=True, slots=True)
class Kubectl:
    """``server`` is the address of the gateway, ``home`` an empty folder."""

    path: Path
    server: str
    home: Path

    async def run(self, *arguments: str | Path, stdin: str = "") -> Ran:
        """Run a command to its end; fails when it hangs."""
        process = await asyncio.create_subprocess_exec(
            self.path,
            f"--server={self.server}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "HOME": str(self.home), "KUBECONFIG": "/dev/null"},
        )
        try:
            async with asyncio.timeout(SECONDS):
                out, err = await process.communicate(stdin.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    async def done(self, *arguments: str | Path, stdin: str = "") -> Ran:
        """Run a command that must succeed and say nothing on the side."""
        ran = await self.run(*arguments, stdin=stdin)
        assert (ran.code, ran.err) == (0, ""), (arguments, ran)
        return ran


def kubectl(release: str, server: str, home: Path) -> Kubectl:
    """Return the kubectl of ``release``; skips where it cannot be had."""
    tool = find("kubectl", release)
    if isinstance(tool, str):
        pytest.skip(tool)
    return Kubectl(tool.path, server, home)
