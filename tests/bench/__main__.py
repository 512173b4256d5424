"""Run every benchmark, or those whose names are given: ``python -m tests.bench [codec store …]``."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path


def main(names: list[str]) -> int:
    """Run each ``bench_*.py`` in a process of its own; return the number that failed."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    chosen = [module for module in modules if not names or module.removeprefix("bench_") in names]
    print(f"# Python {platform.python_version()}, {platform.machine()}")
    failed = 0
    for module in chosen:
        print(f"\n## {module.removeprefix('bench_')}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"tests.bench.{module}"], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
