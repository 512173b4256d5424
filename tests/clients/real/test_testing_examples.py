"""The examples of docs/testing.md that need kubectl, Helm, kopf or the official client, each in a run of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.clients.real.conftest import had
from tests.testing.sub_runs import example_run


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which kubectl and Helm are found."""
    folder = tmp_path_factory.mktemp("bin")
    for program, release in (("kubectl", "1.34"), ("helm", "3.17")):
        (folder / program).symlink_to(had(program, release).path)
    return os.pathsep.join((str(folder), os.environ["PATH"]))


@pytest.mark.parametrize("name", ["test_deploy.py", "test_chart.py"])
def test_programs(name: str, path: str, tmp_path: Path) -> None:
    example_run(tmp_path, name, PATH=path, HOME=str(tmp_path))


@pytest.mark.parametrize(
    ("name", "libraries"), [("test_operator.py", ("kopf", "kubernetes")), ("test_retries.py", ("kubernetes",))]
)
def test_libraries(name: str, libraries: tuple[str, ...], tmp_path: Path) -> None:
    for library in libraries:
        pytest.importorskip(library, reason=f"the library {library} is not installed")
    example_run(tmp_path, name)
