"""Servers for tests: their own processes, namespaces, time that is stepped, and an end with whoever started them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import unittest
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from rollplane.apps.v1 import Deployment
from rollplane_client.objects import connect
from rollplane_machinery.errors import BadRequestError, NotFoundError
from rollplane_testing.options import Options
from rollplane_testing.place import CommandFailedError, Place
from rollplane_testing.server import Server, ServerEndedError, Servers
from tests.testing.sub_runs import ROOM, WEB

MANIFEST = WEB.split('"""')[1]
SECONDS = 60


@pytest.fixture(scope="module", autouse=True)
def _found_by_servers() -> Iterator[None]:
    """Let servers find this room, also where it was not there yet when the others were installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (ROOM, os.environ.get("PYTHONPATH", "")))))
        yield


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with Servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture
def place(servers: Servers) -> Iterator[Place]:
    with servers.place(Options(profile="realistic")) as place:
        yield place


def _get(place: Place, path: str) -> Any:
    with closing(HTTPConnection(place.url.removeprefix("http://"), timeout=SECONDS)) as connection:
        connection.request("GET", path)
        return json.load(connection.getresponse())


def test_time_is_stepped(place: Place) -> None:
    assert place.apply(MANIFEST) == ["deployment/web"]
    before = place.now()
    took = place.until_rolled_out()
    assert 1 < took < 600
    assert took <= place.now() - before < took + SECONDS
    deployment = _get(place, f"/apis/apps/v1/namespaces/{place.namespace}/deployments/web")
    assert deployment["status"]["availableReplicas"] == 3
    before = place.now()
    place.advance(1000.0)
    assert 1000.0 <= place.now() - before < 1000.0 + SECONDS
    assert place.at_rest() < 60


def test_what_must_not_last_does_not(servers: Servers, place: Place) -> None:
    place.faults.break_image("web:v1", message="no such manifest")
    place.troubles.busy(times=3)
    place.apply(MANIFEST)
    with pytest.raises(TimeoutError, match="0 of 3 updated replicas"):
        place.until_rolled_out(30.0)
    assert "no such manifest" in place.told()
    assert place.troubles_left == 3
    first = place.namespace
    with servers.place(Options(profile="realistic")) as second:
        assert (second.url, second.namespace != first) == (place.url, True)
        assert second.troubles_left == 3  # the other test's go on until it ends
    with servers.place(Options(profile="realistic")) as third:
        assert third.troubles_left == 0
        third.apply(MANIFEST)
        assert third.until_rolled_out() < 600
        namespaces = {each["metadata"]["name"] for each in _get(third, "/api/v1/namespaces")["items"]}
        assert second.namespace not in namespaces


def test_own_options_are_an_own_server(servers: Servers, place: Place) -> None:
    with servers.place(Options(nodes=5, profile="realistic", speed=0.0)) as other:
        assert other.url != place.url
        assert len(_get(other, "/api/v1/nodes")["items"]) == 5
        before = other.now()
        other.apply(MANIFEST)
        assert other.until_rolled_out() == other.now() - before  # nothing passes that is not stepped
    with servers.place(Options(profile="realistic", own=True)) as alone:
        assert alone.url != place.url


def test_who_reacts_meanwhile_sees_time_pass(place: Place) -> None:
    before = place.now()
    with place.at_speed(1000.0):
        place.until(lambda: place.now() > before + 50.0, SECONDS)
    with pytest.raises(TimeoutError, match="no such luck"):
        place.until(lambda: False, 0.0, "no such luck")


def test_nodes_that_only_this_process_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a number, or the path"), Server(Options(nodes=[]), tmp_path):
        pass


def test_an_answer_that_nobody_waited_for_is_nobody_else_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, or a test's time limit, while the server is at work."""
    with Server(Options(), tmp_path) as server:
        with monkeypatch.context() as patch:
            patch.setattr(server, "_heard", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                server.ask("set_speed", 5.0)
        assert server.ask("troubles_left") == 0


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_wrong_words_are_the_test_s_to_hear(place: Place) -> None:
    with pytest.raises(BadRequestError, match="no matches for kind"):
        place.apply("apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}")
    with pytest.raises(AttributeError, match="no_such_fault"):
        place.faults.no_such_fault()
    with pytest.raises(TypeError):
        place.faults.drain()


def test_the_environment_finds_the_plane(place: Place) -> None:
    environ = place.env(MORE="x")
    assert (environ["MORE"], environ["KUBECONFIG"]) == ("x", str(place.kubeconfig))
    assert "127.0.0.1" in environ["NO_PROXY"]
    applied = place.run(
        sys.executable, "-m", "rollplane_cli", "apply", "-n", place.namespace, "-f", "-", given=MANIFEST
    )
    assert "deployment.apps/web created" in applied.stdout
    with pytest.raises(CommandFailedError, match="not found"):
        place.run(sys.executable, "-m", "rollplane_cli", "get", "deployment", "no-such", "-n", place.namespace)


def test_no_kubectl_skips(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLPLANE_KUBECTL", "/no/such/kubectl")
    with pytest.raises(unittest.SkipTest, match="no kubectl"):
        place.kubectl("get", "pods")


async def test_over_grpc(place: Place) -> None:
    place.troubles.lose_answers(resource="deployments.apps")
    async with connect(place.address) as client:
        await client.apply_yaml(MANIFEST.replace("{name: web}", f"{{name: web, namespace: {place.namespace}}}"))
        assert place.troubles_left == 0
        assert (await client.get(Deployment, place.namespace, "web")).spec.replicas == 3


def test_what_keeps_it_from_starting_is_raised(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no profile"), Server(Options(profile="no-such"), tmp_path):
        pass


def test_a_server_that_was_killed_says_so(tmp_path: Path) -> None:
    with Server(Options(), tmp_path) as server:
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ServerEndedError, match="exit code -9"):
            server.ask("now")


def test_a_server_that_fails_says_why(tmp_path: Path) -> None:
    told = r"exit code 1\n(.*\n)*TypeError: unsupported operand"
    impossible = Options().having({"speed": "fast"})
    with pytest.raises(ServerEndedError, match=told), Server(impossible, tmp_path) as server:
        _ask_often(server)


def _ask_often(server: Server) -> None:
    for _ in range(100):
        server.ask("now")


KILLED = """
import os, signal, sys
from pathlib import Path
from rollplane_testing import Options, Server
with Server(Options(), Path(sys.argv[1])) as server:
    if os.fork() == 0:
        os.close(1)
        signal.pause()
    print(server.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_with_its_parent_however_that_ended(tmp_path: Path) -> None:
    """Also while a child that was forked from the parent holds the pipe open."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        out, _ = parent.communicate(timeout=SECONDS)
    try:
        deadline = time.monotonic() + SECONDS
        while _lives(int(out)):
            assert time.monotonic() < deadline
            time.sleep(0.05)  # nobody tells who is not its parent
    finally:
        os.killpg(parent.pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
