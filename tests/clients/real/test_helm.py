"""Real Helm with a chart of every kind that rollouts are about, from install to uninstall."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.real.conftest import Planes, had, numbered
from tests.clients.real.manifests import read
from tests.clients.real.programs import Program
from tests.customs import GROUP, definition

CHART = str(Path(__file__).parents[3] / "examples" / "chart")
BAD = "image=nginx:404"
SECONDS = 120


@pytest.fixture(scope="session")
def kubectl(planes: Planes, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A kubectl to look with."""
    return Program(had("kubectl", "1.32"), planes.kubeconfig(), tmp_path_factory.mktemp("kubectl-beside-helm"))


@pytest.fixture
def shop(any_helm: Program, kubectl: Program) -> Iterator[tuple[Program, Program]]:
    """A release that is installed and rolled out, in a namespace that Helm made; Helm and kubectl within it."""
    namespace = numbered("shop")
    helm, looking = any_helm.within(namespace), kubectl.within(namespace)
    out = helm.ok(
        "install",
        "shop",
        CHART,
        "--create-namespace",
        "--wait",
        "--timeout=60s",
        seconds=SECONDS,
    )
    assert "STATUS: deployed" in out
    assert "shop runs nginx:1.27" in out
    yield helm, looking
    kubectl.done("delete", "namespace", namespace, "--wait=false")


def history(helm: Program) -> list[tuple[int, str]]:
    told = json.loads(helm.ok("history", "shop", "-o", "json"))
    return [(each["revision"], each["status"]) for each in told]


def ready(kubectl: Program, what: str = "deploy/shop-web") -> str:
    return kubectl.ok("get", what, "-o", "jsonpath={.spec.template.spec.containers[0].image} {.status.readyReplicas}")


def test_install(shop: tuple[Program, Program]) -> None:
    helm, kubectl = shop
    assert ready(kubectl) == "nginx:1.27 2"
    kinds = kubectl.ok(
        "get", "deploy,sts,ds,svc,cm,secret,sa,pdb", "-o", "name", "-l", "app.kubernetes.io/instance=shop"
    )
    assert len(kinds.split()) == 10
    assert kubectl.ok("get", "cm", "shop-before", "-o", "jsonpath={.data.revision}") == "1"
    assert kubectl.ok("get", "pod", "shop-migrate", "-o", "jsonpath={.status.phase}") == "Succeeded"
    assert [each["name"] for each in json.loads(helm.ok("list", "-o", "json"))] == ["shop"]
    assert "STATUS: deployed" in helm.ok("status", "shop")
    assert "kind: StatefulSet" in helm.ok("get", "manifest", "shop")


def test_upgrade_rollback_uninstall(shop: tuple[Program, Program]) -> None:
    helm, kubectl = shop
    upgrade = ("upgrade", "shop", CHART, "--wait", "--timeout=60s")
    helm.ok(*upgrade, "--set", "image=nginx:1.28,replicas=3,settings.greeting=bye", seconds=SECONDS)
    assert ready(kubectl) == "nginx:1.28 3"
    assert kubectl.ok("get", "cm", "shop-settings", "-o", "jsonpath={.data.greeting}") == "bye"
    assert history(helm) == [(1, "superseded"), (2, "deployed")]
    helm.ok("rollback", "shop", "1", "--wait", "--timeout=60s", seconds=SECONDS)
    assert ready(kubectl) == "nginx:1.27 2"
    assert history(helm) == [(1, "superseded"), (2, "superseded"), (3, "deployed")]
    assert 'release "shop" uninstalled' in helm.ok("uninstall", "shop", "--wait", seconds=SECONDS)
    ours = "app.kubernetes.io/instance=shop,part!=migrate"  # hooks are nobody's
    kubectl.run("wait", "--for=delete", "pods", "-l", ours, "--timeout=30s")
    assert kubectl.ok("get", "deploy,sts,ds,svc,secret,pdb,pods", "-o", "name", "-l", ours) == ""
    assert json.loads(helm.ok("list", "-o", "json")) == []


def test_a_bad_image_is_rolled_back(shop: tuple[Program, Program]) -> None:
    helm, kubectl = shop
    flag = "--rollback-on-failure" if helm.release >= (4, 0) else "--atomic"
    ran = helm.run("upgrade", "shop", CHART, flag, "--timeout=8s", "--set", BAD, seconds=SECONDS)
    assert ran.code == 1, str(ran)
    assert ready(kubectl) == "nginx:1.27 2"
    assert [status for _, status in history(helm)] == ["superseded", "failed", "deployed"]


def test_a_bad_image_fails_the_wait(shop: tuple[Program, Program]) -> None:
    helm, _ = shop
    ran = helm.run("upgrade", "shop", CHART, "--wait", "--timeout=6s", "--no-hooks", "--set", BAD, seconds=SECONDS)
    assert ran.code == 1, str(ran)
    assert history(helm)[-1] == (2, "failed")


def test_template_against_the_plane(any_helm: Program) -> None:
    flags = ["--dry-run=server"] if any_helm.release >= (4, 0) else ["--validate"]
    assert "kind: DaemonSet" in any_helm.done("template", "shop", CHART, *flags)


def test_a_dry_run_on_the_server_stores_nothing(any_helm: Program, kubectl: Program) -> None:
    namespace = numbered("dry")
    kubectl.ok("create", "namespace", namespace)
    helm = any_helm.within(namespace)
    assert "kind: StatefulSet" in helm.done("install", "shop", CHART, "--dry-run=server")
    assert kubectl.within(namespace).ok("get", "deploy,secret", "-o", "name") == ""


def test_an_unknown_field_is_told(any_helm: Program, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    (wrong / "templates").mkdir(parents=True)
    (wrong / "Chart.yaml").write_text("apiVersion: v2\nname: wrong\nversion: 1.0.0\n")
    named = "metadata: {name: '{{ .Release.Name }}'}"
    (wrong / "templates" / "cm.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\n{named}\ndatta: {{}}\n")
    install = ("install", numbered("wrong"), str(wrong))
    if any_helm.release >= (4, 0):
        assert "datta" in any_helm.refused(*install)
    else:  # it does not ask for strictness, and passes the server's warning on
        assert 'unknown field "datta"' in any_helm.done(*install)


def test_a_chart_of_helm_create(any_helm: Program, kubectl: Program, tmp_path: Path) -> None:
    any_helm.ok("create", str(tmp_path / "plain"))
    namespace = numbered("plain")
    helm = any_helm.within(namespace)
    wait = ("--create-namespace", "--wait", "--timeout=60s")
    assert "STATUS: deployed" in helm.ok("install", "plain", str(tmp_path / "plain"), *wait, seconds=SECONDS)
    deployed = read(kubectl.within(namespace).ok("get", "deploy", "plain", "-o", "json"))
    assert deployed["status"]["readyReplicas"] == 1


def test_a_chart_that_brings_its_kinds(any_helm: Program, kubectl: Program, tmp_path: Path) -> None:
    """Helm creates what is in ``crds/``, waits until it is established, and makes objects of it."""
    namespace = numbered("custom")
    plural = f"things-{namespace}".replace("-", "")
    crd = definition(kind="Thing" + plural[6:].capitalize(), plural=plural, singular=f"{plural}1", shortNames=[])
    files = {
        "Chart.yaml": {"apiVersion": "v2", "name": "things", "version": "0.1.0"},
        "crds/things.yaml": crd,
        "templates/one.yaml": {
            "apiVersion": f"{GROUP}/v1",
            "kind": crd["spec"]["names"]["kind"],
            "metadata": {"name": "one"},
            "spec": {"cron": "* * * * 5"},
        },
    }
    for name, content in files.items():
        file = tmp_path / "things" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    helm, looking = any_helm.within(namespace), kubectl.within(namespace)
    helm.ok("install", "things", str(tmp_path / "things"), "--create-namespace", "--wait", seconds=SECONDS)
    assert looking.ok("get", f"{plural}.{GROUP}", "one", "-o", "jsonpath={.spec.replicas}") == "1"
    helm.ok("uninstall", "things", "--wait", seconds=SECONDS)
    assert looking.ok("get", f"{plural}.{GROUP}", "-o", "name") == ""
    looking.done("delete", "crd", f"{plural}.{GROUP}", "--timeout=30s")
    kubectl.done("delete", "namespace", namespace, "--wait=false")
