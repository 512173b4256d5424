"""kopf: the operator of our examples, as a process that follows the Deployments of one namespace."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.real.libraries.conftest import Place
from tests.clients.real.libraries.plain import Rest
from tests.clients.real.manifests import deployment
from tests.end_to_end.up_process import eventually

pytest.importorskip("kopf", reason="the library kopf is not installed")
OPERATOR = Path(__file__).parents[4] / "examples" / "operator" / "rollouts.py"
RUNS = "rollouts.example.com/runs"
WEB = "/apis/apps/v1/namespaces/{namespace}/deployments"
STRATEGIC = "application/strategic-merge-patch+json"


@contextmanager
def operator(place: Place, log: Path) -> Iterator[None]:
    """Run the operator; its log is told when the test fails."""
    options = ["--standalone", "--namespace", place.namespace, str(OPERATOR)]
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "kopf", "run", *options],
            env={**os.environ, "KUBECONFIG": str(place.kubeconfig)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)
    told = log.read_text()
    print(told)
    assert process.returncode == 0
    assert "ERROR" not in told


@pytest.fixture
def rest(place: Place) -> Rest:
    return Rest(place.url)


@pytest.fixture
def deployments(place: Place) -> str:
    return WEB.format(namespace=place.namespace)


def runs(rest: Rest, deployments: str) -> Callable[[], str | None]:
    def read() -> str | None:
        annotations: dict[str, str] = rest.read(f"{deployments}/web")["metadata"].get("annotations", {})
        return annotations.get(RUNS)

    return read


def set_image(rest: Rest, deployments: str, image: str) -> None:
    containers = [{"name": "nginx", "image": image}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    assert rest.send("PATCH", f"{deployments}/web", patch, STRATEGIC).status == 200


def events(rest: Rest, place: Place) -> list[dict[str, Any]]:
    selector = "fieldSelector=reason=RolledOut,involvedObject.name=web"
    found: list[dict[str, Any]] = rest.read(f"/api/v1/namespaces/{place.namespace}/events?{selector}")["items"]
    return found


def test_the_operator_follows_rollouts(place: Place, rest: Rest, deployments: str, tmp_path: Path) -> None:
    read = runs(rest, deployments)
    assert rest.send("POST", deployments, yaml.safe_load(deployment("web", replicas=2))).status == 201
    with operator(place, tmp_path / "log"):  # it sees what was there before it
        eventually(lambda: read() == "nginx:1.7.9", "the operator has not written what runs")
        set_image(rest, deployments, "nginx:1.9.1")
        eventually(lambda: read() == "nginx:1.9.1", "the operator has not seen the rollout")
        eventually(lambda: len(events(rest, place)) == 2, "the operator has not told of both rollouts")
    assert {each["message"] for each in events(rest, place)} == {
        "nginx:1.7.9 runs in 2 pods, nothing before",
        "nginx:1.9.1 runs in 2 pods, nginx:1.7.9 before",
    }
    set_image(rest, deployments, "nginx:1.10")  # while nobody follows
    with operator(place, tmp_path / "log"):
        eventually(lambda: read() == "nginx:1.10", "the operator has not caught up")
