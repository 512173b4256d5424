"""What processes have used: CPU seconds and memory, by name, from /proc or from their own figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """``life`` tells one life of a process from the next; ``cpu_seconds`` is user and system time of that life.

    ``resident_mib`` is its memory now, ``peak_mib`` the most it ever had; 0 where nobody knows.
    """

    life: int
    cpu_seconds: float
    resident_mib: float
    peak_mib: float = 0.0


class UsageSource(Protocol):
    """Where the use of processes can be read; ``every_seconds`` is how often that may be done."""

    every_seconds: float

    async def look(self) -> Mapping[str, Usage]:
        """Return what the processes that are there have used, by name."""
        ...


class Processes:
    """Processes of this machine; ``pids`` tells which they are now, since one that is killed comes back as another."""

    every_seconds = 0.25

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        self._pids = pids

    async def look(self) -> Mapping[str, Usage]:
        found = {name: usage_of(pid) for name, pid in self._pids().items()}
        return {name: usage for name, usage in found.items() if usage is not None}


def usage_of(pid: int) -> Usage | None:
    """Return what the process has used so far, None when it is gone or this system has no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    kib = {line.split()[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith(("VmHWM", "VmRSS"))}
    cpu = (int(fields[11]) + int(fields[12])) / TICKS
    return Usage(pid, cpu, kib.get("VmRSS:", 0) / 1024, kib.get("VmHWM:", 0) / 1024)


class Spending:
    """Adds up what processes use from look to look, over their lives."""

    def __init__(self) -> None:
        self._last: dict[str, Usage] = {}
        self.cpu_seconds: dict[str, float] = {}
        self.peak_mib: dict[str, float] = {}
        self.resident_mib: dict[str, float] = {}

    def take(self, found: Mapping[str, Usage]) -> None:
        """Take in a look; the first one of a process that was there before only says where it stands."""
        for name, now in found.items():
            before = self._last.get(name)
            known = before.cpu_seconds if before is not None and before.life == now.life else 0.0
            spent = now.cpu_seconds - known if before is not None else 0.0
            self.cpu_seconds[name] = self.cpu_seconds.get(name, 0.0) + spent
            self.peak_mib[name] = max(self.peak_mib.get(name, 0.0), now.peak_mib or now.resident_mib)
            self.resident_mib[name] = now.resident_mib
            self._last[name] = now


class Together:
    """Several sources in one; it is read as often as the slowest may be."""

    def __init__(self, *sources: UsageSource) -> None:
        self._sources = sources
        self.every_seconds = max(each.every_seconds for each in sources)

    async def look(self) -> Mapping[str, Usage]:
        return {name: usage for source in self._sources for name, usage in (await source.look()).items()}
