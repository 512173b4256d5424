"""The wheel: everything that the rooms hold is in it, and what is installed from it runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
SECONDS = 240
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = [ROOT / path for path in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Return what a command prints. It sees no source tree, unless it runs in one."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-c", "constraints.txt", "-w", folder, ".")
    (built,) = folder.glob("rollplane-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of a fresh environment with the wheel and all extras."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    _run(sys.executable, "-m", "venv", "--without-pip", folder)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python")
    _run(*pip, "install", "-q", "--no-compile", "-c", "constraints.txt", f"{wheel}[all]")
    return folder / "bin"


def _sources() -> set[str]:
    return {
        str(path.relative_to(package.parent))
        for package in PACKAGES
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_holds_every_file_of_every_room(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == _sources()


@pytest.mark.parametrize("package", [path.name for path in PACKAGES])
def test_every_package_is_typed(wheel: Path, package: str) -> None:
    assert f"{package}/py.typed" in zipfile.ZipFile(wheel).namelist()


@pytest.mark.parametrize(
    "data",
    [
        "rollplane_apiserver/store/commit.lua",
        "rollplane_kubelet_sim/profiles/realistic.yaml",
        "rollplane_plane/demo/manifests/nginx-deployment.yaml",
    ],
)
def test_wheel_holds_what_is_read_at_run_time(wheel: Path, data: str) -> None:
    assert data in zipfile.ZipFile(wheel).namelist()


def test_wheel_names_the_plugin(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        (name,) = (name for name in files.namelist() if name.endswith(".dist-info/entry_points.txt"))
        assert "[pytest11]\nrollplane = rollplane_testing.plugin\n" in files.read(name).decode()


def test_version_is_the_project_s(installed: Path) -> None:
    version = PROJECT["project"]["version"]
    assert _run(installed / "rollplane", "version", cwd=installed) == f"Client Version: v{version}\n"


@pytest.mark.parametrize(
    "module",
    [
        "rollplane_apiserver",
        "rollplane_apiserver.store",
        "rollplane_controller",
        "rollplane_gateway",
        "rollplane_kubelet_sim",
    ],
)
def test_every_service_tells_how_it_is_started(installed: Path, module: str) -> None:
    assert _run(installed / "python", "-m", module, "--help", cwd=installed).startswith(f"usage: {module}")


def test_a_plane_from_the_wheel_rolls_over(installed: Path) -> None:
    """Small and instant: it is the installation that is tested."""
    small = ("--deployments", "2", "--replicas", "2", "--nodes", "2")
    report = _run(installed / "rollplane", "load", "rollover", *small, cwd=installed)
    assert "invariant violations: 0" in report
