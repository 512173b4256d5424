"""The official client for JavaScript, with its informer: a rollout from creation to deletion."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.clients.real.libraries.conftest import Place
from tests.clients.tools.tool import UnavailableError, cache_folder, run

PACKAGE = "@kubernetes/client-node@1.4.0"
SCRIPT = Path(__file__).parent / "node" / "rollout.mjs"
_FETCH_SECONDS = 300
_SECONDS = 90


@pytest.fixture(scope="session")
def modules() -> Path:
    """The folder ``node_modules`` with the client, fetched once."""
    kept = cache_folder() / PACKAGE.replace("/", "-")
    try:
        if not kept.is_dir():
            _fetch(kept)
    except UnavailableError as exc:
        pytest.skip(f"no {PACKAGE}: {exc}")
    return kept / "node_modules"


def _fetch(kept: Path) -> None:
    """Install beside ``kept`` and rename, so that whoever is cut off leaves nothing half."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        made = Path(folder) / "made"
        made.mkdir()
        options = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
        run(["npm", "install", *options, PACKAGE], folder=made, seconds=_FETCH_SECONDS)
        made.rename(kept)


def test_a_rollout(place: Place, modules: Path, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(modules)
    script = shutil.copy(SCRIPT, tmp_path)
    ran = subprocess.run(
        ["node", script, place.namespace],
        env={**os.environ, "KUBECONFIG": str(place.kubeconfig)},
        timeout=_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "patched 80",
        "cached 1",
        "apply 409 Conflict",
        "applied 2",
        "logged true",
        "ERROR 410 Expired",
        "read 404 NotFound",
        "deleted web",
    ]
