"""Bad input on a real plane: one clear line, exit code 1, and nothing has changed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rollplane_cli.console import Console
from rollplane_cli.main import execute
from rollplane_client.grpc_api import connect
from rollplane_machinery.api import Api, Key, ListQuery
from rollplane_machinery.kinds import DEPLOYMENT, NAMESPACE, POD, REPLICA_SET
from tests.end_to_end.up_process import Up, rollplane, running

GOOD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: nginx, image: "nginx:1.7.9"}]}
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A plane with two Deployments at rest: ``web``, at its first revision, and ``frozen``, paused at its second."""
    folder = tmp_path_factory.mktemp("plane")
    with running("--nodes", "2", "--profile", "instant", "--port", "0", "--data", str(folder / "data")) as plane:
        for name in ("web", "frozen"):
            (folder / f"{name}.yaml").write_text(GOOD.replace("NAME", name))
            _must(plane, f"apply -f {folder}/{name}.yaml")
        _must(plane, "set image deploy/frozen nginx=nginx:1.9.1")
        for name in ("web", "frozen"):
            _must(plane, f"rollout status deploy/{name} --timeout=20s")
        _must(plane, "rollout pause deploy/frozen")
        yield plane


def _must(plane: Up, line: str) -> None:
    done = rollplane(line, server=plane.server)
    assert done.code == 0, done


async def _state(api: Api) -> Mapping[Key, str]:
    """Return every object that a command could have touched, with its resource version."""
    pages = [await api.list(ListQuery(kind)) for kind in (NAMESPACE, DEPLOYMENT, REPLICA_SET, POD)]
    metadata = [(one.kind, one.parse().metadata) for page in pages for one in page.objects]
    return {Key(kind, each.namespace, each.name): each.resource_version for kind, each in metadata}


MANIFESTS = {
    "unknown field": (GOOD.replace("image:", "imagee:"), "spec.template.spec.containers[0].imagee"),
    "wrong type": (GOOD.replace("replicas: 2", "replicas: two"), "spec.replicas"),
    "selector that does not match": (GOOD.replace("labels: {app: NAME}", "labels: {app: b}"), "selector"),
    "no room to move": (
        GOOD.replace("  replicas: 2", "  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}"),
        "maxUnavailable",
    ),
    "negative replicas": (GOOD.replace("replicas: 2", "replicas: -2"), "spec.replicas"),
    "no such kind": (GOOD.replace("kind: Deployment", "kind: Deploymint"), "Deploymint"),
    "no YAML": ("kind: [", "yaml"),
    "nothing": ("", "error: no objects passed"),
}


@pytest.mark.parametrize(("manifest", "word"), MANIFESTS.values(), ids=MANIFESTS)
async def test_a_bad_manifest_changes_nothing(up: Up, tmp_path: Path, manifest: str, word: str) -> None:
    (tmp_path / "bad.yaml").write_text(manifest.replace("NAME", "new"))
    await _expect_one_line(up, f"apply -f {tmp_path}/bad.yaml", word)


COMMANDS = {
    "missing object, get": ("get deploy none", 'deployments.apps "none" not found'),
    "missing object, set image": ("set image deploy/none nginx=nginx:1", 'deployments.apps "none" not found'),
    "missing object, scale": ("scale deploy/none --replicas=3", 'deployments.apps "none" not found'),
    "missing object, undo": ("rollout undo deploy/none", 'deployments.apps "none" not found'),
    "missing object, status": ("rollout status deploy/none", 'deployments.apps "none" not found'),
    "missing object, delete": ("delete deploy none", 'deployments.apps "none" not found'),
    "missing object, why": ("why deploy/none", 'deployments.apps "none" not found'),
    "no such container": ("set image deploy/web apache=httpd:2", 'unable to find container named "apache"'),
    "undo without history": ("rollout undo deploy/web", "no rollout history found for deployment"),
    "undo while paused": ("rollout undo deploy/frozen", "you cannot rollback a paused deployment"),
    "undo to a revision there is not": ("rollout undo deploy/web --to-revision=7", "unable to find specified revision"),
    "pause twice": ("rollout pause deploy/frozen", "is already paused"),
    "resume what runs": ("rollout resume deploy/web", "is not paused"),
    "scale below zero": ("scale deploy/web --replicas=-1", "replicas"),
    "missing file": ("apply -f /no/such/file.yaml", "/no/such/file.yaml"),
    "no such resource": ("get deploymints", 'the server doesn\'t have a resource type "deploymints"'),
}


@pytest.mark.parametrize(("line", "words"), COMMANDS.values(), ids=COMMANDS)
async def test_a_command_that_cannot_be_carried_out_changes_nothing(up: Up, line: str, words: str) -> None:
    await _expect_one_line(up, line, words)


async def _expect_one_line(up: Up, line: str, words: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    async with connect(up.server) as api:
        before = await _state(api)
        code = await execute(line.split(), {"ROLLPLANE_SERVER": up.server}, Console(out, err, io.StringIO()))
        after = await _state(api)
    assert (code, out.getvalue()) == (1, ""), err.getvalue()
    assert err.getvalue().count("\n") == 1, err.getvalue()
    assert words in err.getvalue()
    assert after == before
