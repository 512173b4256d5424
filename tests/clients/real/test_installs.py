"""Whole public installs (``installs/README.md``): they apply without an error, come to rest, and apply again."""

from __future__ import annotations

import lzma
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.real.conftest import had
from tests.clients.real.programs import Program
from tests.end_to_end.up_process import running

FILES = Path(__file__).parent / "installs"
SECONDS = 120
WARNINGS = (
    "Warning: Rollplane stores ",
    "Warning: Rollplane does not call ",
    "Warning: unrecognized format ",  # of a schema, as a kube-apiserver says
)


@dataclass(frozen=True)
class Install:
    """What is applied, file by file, and ``seeds``: Secrets that its own Jobs or init containers would make.

    ``namespace`` is that of its workloads: ``is_made`` by whoever installs, and ``is_named`` on the command line.
    """

    namespace: str
    files: tuple[str, ...]
    seeds: tuple[tuple[str, ...], ...] = ()
    is_made: bool = False
    is_named: bool = False


INSTALLS: Mapping[str, Install] = {
    "argo-cd": Install("argocd", ("argo-cd",), (("argocd-redis", "auth"),), is_made=True, is_named=True),
    "cert-manager": Install("cert-manager", ("cert-manager",), is_made=True),
    "ingress-nginx": Install("ingress-nginx", ("ingress-nginx",), (("ingress-nginx-admission", "cert", "key", "ca"),)),
    "kube-prometheus": Install("monitoring", ("kube-prometheus-setup", "kube-prometheus")),
    "knative-serving": Install("knative-serving", ("knative-serving-crds", "knative-serving")),
    "metrics-server": Install("kube-system", ("metrics-server",)),
}


@pytest.fixture(scope="module", params=["1.27", "1.37"])
def kubectl(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """kubectl on a plane of its own, which keeps webhooks without calling them."""
    tool, folder = had("kubectl", request.param), tmp_path_factory.mktemp("installs")
    nodes = ("--nodes", "6", "--profile", "instant", "--ignore-webhooks")
    with running(*nodes, "--port", "0", "--rest-port", "0", "--data", str(folder / "data")) as up:
        yield Program(tool, Path(up.ready["kubeconfig"]), folder)


@pytest.mark.parametrize("name", INSTALLS)
def test_it_is_applied_and_comes_to_rest(kubectl: Program, name: str) -> None:
    install = INSTALLS[name]
    if install.is_made:
        kubectl.ok("create", "namespace", install.namespace)
    within = kubectl.within(install.namespace) if install.is_named else kubectl
    for file in install.files:
        told = apply(within, file)
        assert all(line.endswith(" serverside-applied") for line in told), told
    for secret, *keys in install.seeds:
        values = [f"--from-literal={key}=x" for key in keys]
        kubectl.ok("create", "secret", "generic", secret, "-n", install.namespace, *values)
    look = kubectl.within(install.namespace)
    workloads = look.ok("get", "deploy,sts,ds", "-o", "name").split()
    assert workloads
    for workload in workloads:
        look.done("rollout", "status", workload, "--timeout=60s", seconds=SECONDS)
    assert apply(within, install.files[-1])
    assert not look.ok("get", "pods", "--field-selector=status.phase!=Running", "-o", "name")


def apply(kubectl: Program, file: str) -> list[str]:
    """Apply a file on the server's side, whose client-side annotation would be too long, and return what was said."""
    text = lzma.decompress((FILES / f"{file}.yaml.xz").read_bytes()).decode()
    ran = kubectl.run("apply", "--server-side", "-f", "-", given=text, seconds=SECONDS)
    wrong = [line for line in ran.err.splitlines() if not line.startswith(WARNINGS)]
    assert (ran.code, wrong) == (0, []), ran.err[:2000]
    return ran.out.splitlines()
