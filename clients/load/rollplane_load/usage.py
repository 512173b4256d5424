"""What processes have used: CPU seconds and peak memory, read from /proc."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu_seconds`` of user and system time together, ``peak_mib`` of resident memory."""

    cpu_seconds: float
    peak_mib: float


def usage_of(pid: int) -> Usage | None:
    """Return what the process has used so far, None when it is gone or this system has no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    peak_kib = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
    return Usage((int(fields[11]) + int(fields[12])) / TICKS, peak_kib / 1024)


def spent(before: Mapping[str, Usage | None], after: Mapping[str, Usage | None]) -> dict[str, Usage]:
    """Return, by name, the CPU seconds spent between two looks and the peak memory at the second."""
    used = {}
    for name, end in after.items():
        start = before.get(name)
        if end is not None:
            used[name] = Usage(
                round(end.cpu_seconds - (start.cpu_seconds if start else 0.0), 2), round(end.peak_mib, 1)
            )
    return used
