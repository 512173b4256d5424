"""Tests with programs of others: no part of ``make test``, since these may have to be fetched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.real.programs import Program
from tests.clients.tools.catalogue import HELMS, KUBECTLS, find
from tests.clients.tools.tool import Tool
from tests.end_to_end.up_process import running

NODES = 6
_NUMBERS = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, before what is not asked for is left out."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.real_clients)


def had(program: str, release: str) -> Tool:
    """Return the program, or skip the test and say why."""
    found = find(program, release)
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a plane of instant pods that all tests share, each in a namespace of its own."""
    import os

    if "XK" in os.environ:
        yield Path(os.environ["XK"])
        return
    data = tmp_path_factory.mktemp("plane")
    with running("--nodes", str(NODES), "--profile", "instant", "--port", "0", "--data", str(data)) as up:
        yield Path(up.ready["kubeconfig"])


@pytest.fixture(scope="session", params=KUBECTLS)
def any_kubectl(request: pytest.FixtureRequest, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """kubectl of every release, in no namespace."""
    tool = had("kubectl", request.param)
    return Program(tool, kubeconfig, tmp_path_factory.mktemp(f"kubectl-{tool.version}"))


@pytest.fixture
def kubectl(any_kubectl: Program) -> Program:
    """kubectl of every release, in a fresh namespace."""
    namespace = f"test-{next(_NUMBERS)}"
    any_kubectl.ok("create", "namespace", namespace)
    return any_kubectl.within(namespace)


@pytest.fixture(scope="session", params=HELMS)
def helm(request: pytest.FixtureRequest, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Helm of every release, in the namespace ``default``."""
    tool = had("helm", request.param)
    return Program(tool, kubeconfig, tmp_path_factory.mktemp(f"helm-{tool.version}"))
