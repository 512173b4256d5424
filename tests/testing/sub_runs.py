"""Runs of pytest as users have them: of files of their own, with the plugins that are named and no others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOM = str(ROOT / "services" / "testing")
SECONDS = 120

WEB = '''
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:v1"}]}
"""
'''


class SubRuns:
    """Runs ``text`` as a file of tests, with ``WEB``, a Deployment, in it."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester = pytester
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (ROOM, os.environ.get("PYTHONPATH", "")))))
        monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def __call__(self, text: str, *words: str, plugins: tuple[str, ...] = (), ini: str = "") -> pytest.RunResult:
        self.pytester.makepyfile(WEB + text)
        self.pytester.makeini(f"[pytest]\nfilterwarnings = error\n{ini}")
        loaded = [word for plugin in ("rollplane_testing.plugin", *plugins) for word in ("-p", plugin)]
        return self.pytester.runpytest_subprocess(*loaded, "-p", "no:cacheprovider", *words, timeout=SECONDS)


def example_run(folder: Path, *names: str, **environ: str) -> None:
    """Run files of examples/testing in ``folder`` as a user would; all of their tests must pass."""
    here = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1", **environ}
    here["PYTHONPATH"] = os.pathsep.join(filter(None, (ROOM, os.environ.get("PYTHONPATH", ""))))
    words = ("-q", "-p", "rollplane_testing.plugin", "-p", "no:cacheprovider", "-W", "error", "-c", os.devnull)
    files = [ROOT / "examples" / "testing" / name for name in names]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *words,
            f"--rootdir={files[0].parent}",
            f"--basetemp={folder / 'base'}",
            *files,
        ],
        cwd=folder,
        env=here,
        capture_output=True,
        text=True,
        timeout=SECONDS * 2,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed in", done.stdout, re.MULTILINE), done.stdout
