"""Programs of others, run against a plane as their users run them: a kubeconfig, a home of their own, no proxy."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.clients.tools.tool import Tool

SECONDS = 60


@dataclass(frozen=True)
class Ran:
    """How a program ended, and what it printed."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.out}{self.err}"


@dataclass(frozen=True)
class Program:
    """A program with what it always gets; ``home`` keeps its caches, one for each plane, since discovery is cached."""

    tool: Tool
    kubeconfig: Path
    home: Path
    always: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the program under its own name, which it writes into histories, whatever the release's file is called."""
        self._path.parent.mkdir(exist_ok=True)
        if not self._path.exists():
            self._path.symlink_to(self.tool.path)

    @property
    def _path(self) -> Path:
        return self.home / "bin" / self.tool.program

    def within(self, namespace: str) -> Program:
        """Return the program as used in ``namespace``."""
        return replace(self, always=("--namespace", namespace))

    @property
    def release(self) -> tuple[int, int]:
        """The minor release."""
        major, minor, *_ = self.tool.version.split(".")
        return int(major), int(minor)

    def run(self, *words: str, given: str = "", seconds: float = SECONDS, **environ: str) -> Ran:
        """Run to the end, with ``given`` on standard input; raises subprocess.TimeoutExpired after ``seconds``."""
        ran = subprocess.run(
            self._command(words),
            input=given,
            env=self._environ(environ),
            cwd=self.home,
            timeout=seconds,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def ok(self, *words: str, given: str = "", seconds: float = SECONDS, **environ: str) -> str:
        """Run what must succeed without a word on standard error, and return what it printed."""
        ran = self.run(*words, given=given, seconds=seconds, **environ)
        assert (ran.code, ran.err) == (0, ""), f"{' '.join(words)}: {ran}"
        return ran.out

    def done(self, *words: str, given: str = "", seconds: float = SECONDS, **environ: str) -> str:
        """Run what must succeed, and return all that it printed, warnings included."""
        ran = self.run(*words, given=given, seconds=seconds, **environ)
        assert ran.code == 0, f"{' '.join(words)}: {ran}"
        return ran.out + ran.err

    def refused(self, *words: str, given: str = "", code: int = 1) -> str:
        """Run what must fail with ``code``, and return what it said of that."""
        ran = self.run(*words, given=given)
        assert ran.code == code, f"{' '.join(words)}: {ran}"
        return ran.err

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Run beside the test, and end it with the context."""
        process = subprocess.Popen(
            self._command(words), env=self._environ({}), cwd=self.home, stdout=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [str(self._path), *self.always, *words]

    def _environ(self, more: dict[str, str]) -> dict[str, str]:
        path = os.environ.get("PATH", "")
        return {"PATH": path, "HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig), **self.environ, **more}
