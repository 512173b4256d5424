"""A program that can be run, and why one cannot be had."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

CACHE = "ROLLPLANE_TOOLS"
_SECONDS = 60


class UnavailableError(Exception):
    """A program cannot be had here; the message says why, in a line."""


@dataclass(frozen=True)
class Tool:
    """A program of one version; ``origin`` says where it is from."""

    program: str
    version: str
    path: Path
    origin: str

    def __str__(self) -> str:
        return f"{self.program} {self.version} ({self.origin})"


def cache_folder() -> Path:
    """Return where fetched programs are kept: ``$ROLLPLANE_TOOLS``, else a folder among the user's caches."""
    return Path(os.environ.get(CACHE) or Path.home() / ".cache" / "rollplane-tools")


def probed(program: str, path: Path, origin: str) -> Tool:
    """Return the program at ``path`` with the version it tells; raises UnavailableError when it does not run here."""
    command = (
        ["version", "--client", "-o", "json"] if program == "kubectl" else ["version", "--template", "{{.Version}}"]
    )
    told = run([str(path), *command])
    version = json.loads(told)["clientVersion"]["gitVersion"] if program == "kubectl" else told.strip()
    return Tool(program, version.removeprefix("v"), path, origin)


def run(command: list[str], *, folder: Path | None = None, seconds: float = _SECONDS) -> str:
    """Return what a command prints; raises UnavailableError, in a line, when it cannot be run or fails."""
    try:
        ran = subprocess.run(command, cwd=folder, timeout=seconds, check=True, capture_output=True, text=True)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise UnavailableError(f"{Path(command[0]).name}: {exc}") from exc
    except subprocess.CalledProcessError as exc:
        last = ([line for line in exc.stderr.splitlines() if line.strip()] or [f"exit code {exc.returncode}"])[-1]
        raise UnavailableError(f"{Path(command[0]).name}: {last.strip()}") from exc
    return ran.stdout
