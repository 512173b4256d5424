"""Tests with programs of others: no part of ``make test``, since these may have to be fetched."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rollplane_machinery.releases import LATEST
from tests.clients.real.programs import Program
from tests.clients.tools.catalogue import HELMS, KUBECTLS, find
from tests.clients.tools.tool import Tool
from tests.end_to_end.up_process import running

NODES = 6
OF_THEIR_AGE = ("1.20",)
"""Releases of kubectl that ask for what newer servers have given up."""
_NUMBERS = itertools.count(1)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder unread where it is not asked for: libraries may be missing, and each worker would read it."""
    return True if "not real_clients" in config.option.markexpr else None


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


class Planes:
    """Planes of instant pods, one for each release behaved as, which all tests share in namespaces of their own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._kubeconfigs: dict[str, Path] = {}

    def kubeconfig(self, release: str = LATEST.name) -> Path:
        """Return the kubeconfig of a plane that behaves as ``release``, which is started when it is first asked for."""
        if release not in self._kubeconfigs:
            self._kubeconfigs[release] = self._start(release)
        return self._kubeconfigs[release]

    def _start(self, release: str) -> Path:
        ports = ("--port", "0", "--rest-port", "0")
        data = ("--data", str(self._folder / release))
        nodes = ("--nodes", str(NODES), "--profile", "instant")
        up = self._stack.enter_context(running(*nodes, *ports, *data, "--kubernetes", release))
        return Path(up.ready["kubeconfig"])


@pytest.fixture(scope="session")
def planes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planes]:
    with ExitStack() as stack:
        yield Planes(tmp_path_factory.mktemp("planes"), stack)


@pytest.fixture(scope="session", params=KUBECTLS)
def any_kubectl(request: pytest.FixtureRequest, planes: Planes, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """kubectl of every release, in no namespace; a very old one speaks to a plane of its own age."""
    tool = had("kubectl", request.param)
    kubeconfig = planes.kubeconfig(request.param if request.param in OF_THEIR_AGE else LATEST.name)
    return Program(tool, kubeconfig, tmp_path_factory.mktemp(f"kubectl-{tool.version}"))


@pytest.fixture
def kubectl(any_kubectl: Program) -> Program:
    """kubectl of every release, in a fresh namespace."""
    return in_namespace(any_kubectl)


def numbered(word: str) -> str:
    """Return a name that nobody else has."""
    return f"{word}-{os.getpid()}-{next(_NUMBERS)}"


def in_namespace(kubectl: Program) -> Program:
    """Return kubectl as used in a fresh namespace."""
    namespace = numbered("test")
    kubectl.ok("create", "namespace", namespace)
    return kubectl.within(namespace)


@pytest.fixture(scope="session", params=HELMS)
def any_helm(request: pytest.FixtureRequest, planes: Planes, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Helm of every release, in no namespace."""
    tool = had("helm", request.param)
    return Program(tool, planes.kubeconfig(), tmp_path_factory.mktemp(f"helm-{tool.version}"))
