"""``rollplane load`` as users run it: over gRPC, over REST, with kubeconfigs of several makers, ended, killed under."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.up_process import COMMAND, Ran, Up, eventually, rollplane, running

pytestmark = pytest.mark.long

SCENARIO = """
nodes: 4
workloads:
  - {kind: Deployment, count: 3, replicas: 3}
  - {kind: StatefulSet, replicas: 2}
phases:
  - create: all
  - rollover: all
  - mix: {scale: 2, restart: 1, delete pods: 1, drain: 1}
    concurrency: 2
    actions: 8
    faults: [{crash pods: 1, at: 0.5s}]
"""
ENDLESS = SCENARIO.replace("    actions: 8\n", "    for: 1h\n")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    data = tmp_path_factory.mktemp("load") / "data"
    with running(
        "--nodes", "4", "--profile", "instant", "--port", "0", "--rest-port", "0", "--data", str(data)
    ) as plane:
        yield plane


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    return tmp_path / "scenario.yaml"


def _load(line: str, expected: int = 0) -> Ran:
    ran = rollplane(f"load {line}")
    assert ran.code == expected, ran
    return ran


def _result(line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_load(f"{line} -o json").out)
    return found


def _kubectl_made(folder: Path, server: str) -> Path:
    """A kubeconfig as kubectl writes one."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl here")
    file = folder / "made-by-kubectl"
    for line in (
        f"set-cluster mine --server={server}",
        "set-credentials me --token=abc",
        "set-context there --cluster=mine --user=me",
    ):
        subprocess.run([kubectl, "--kubeconfig", str(file), "config", *line.split()], check=True, capture_output=True)
    return file


def test_rest_comes_to_the_same_as_grpc(up: Up, scenario: Path, tmp_path: Path) -> None:
    grpc = _result(f"{scenario} --server {up.server} --metrics apiserver={up.ready['metrics'].split(',')[0]}")
    rest = _result(f"{scenario} --kubeconfig {up.ready['kubeconfig']} --report {tmp_path / 'report.html'}")
    assert (grpc["target"]["kind"], rest["target"]["kind"]) == ("grpc", "rest")
    assert rest["target"]["version"].startswith("v1.")
    (ours,), (theirs,) = grpc["runs"], rest["runs"]
    for run in (ours, theirs):
        assert (run["invariant_violations"], run["errors"], run["left_behind"]) == ([], {}, [])
        assert run["invariants_judged"]
        assert run["pod_lives"] >= 11 * 2
    assert _done(ours) == _done(theirs)
    assert {"patch", "list all pods", "open watch", "evict"} <= {each["verb"] for each in theirs["verbs"]}
    assert theirs["watch_lag"]["count"] > 10
    assert ours["cpu_seconds"]["apiserver"] > 0
    assert "default-src 'none'" in (tmp_path / "report.html").read_text()
    for name, result in (("a", grpc), ("b", rest)):
        (tmp_path / f"{name}.json").write_text(json.dumps(result))
    compared = _load(f"compare {tmp_path / 'a.json'} {tmp_path / 'b.json'}").out
    assert "only 1 run of one side" in compared
    assert "rollover Deployment, P50, s" in compared


def _done(run: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(row["action"], row["kind"]): row["count"] for row in run["rollouts"]}


def test_a_kubeconfig_that_kubectl_made_does_as_well(up: Up, tmp_path: Path) -> None:
    file = _kubectl_made(tmp_path, up.ready["rest"])
    small = tmp_path / "small.yaml"
    small.write_text("workloads: [{kind: Deployment, replicas: 2}]\nphases: [{create: all}]\n")
    assert _result(f"{small} --kubeconfig {file} --context there")["runs"][0]["errors"] == {}
    assert "has no current context; --context names one of there" in _load(f"{small} --kubeconfig {file}", 1).err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_load_that_is_ended_gives_everything_back(up: Up, tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "endless.yaml").write_text(ENDLESS)
    line = [*COMMAND, "load", str(tmp_path / "endless.yaml"), "--kubeconfig", up.ready["kubeconfig"], "-n", "ended"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as load:
        eventually(lambda: "9" in _available(up), "nothing comes up")
        load.send_signal(number)
        _, err = load.communicate(timeout=60)
    assert load.returncode == (130 if number is signal.SIGINT else 1), err
    assert "Traceback" not in err
    assert "ended" not in rollplane("get namespaces", server=up.server).out
    assert "SchedulingDisabled" not in rollplane("get nodes", server=up.server).out


def _available(up: Up) -> str:
    """How many pods the load has ready, in words of one line each."""
    pods = rollplane("get pods -n ended", server=up.server).out.splitlines()
    return str(sum("Running" in line for line in pods[1:]))


def test_services_are_killed_and_come_back(tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text(
        "nodes: 4\nworkloads: [{kind: Deployment, count: 2, replicas: 3}]\npatience: 1m\nphases:\n  - create: all\n"
        "  - mix: {roll: 1}\n    rate: 1/s\n    for: 4s\n"
        "    faults: [{kill controller: true, at: 1s}, {kill apiserver: true, at: 2s}]\n"
    )
    (run,) = _result(f"{tmp_path / 'faults.yaml'}")["runs"]
    assert run["invariant_violations"] == []
    assert run["unfinished"] == 0
    assert {"kill controller", "kill apiserver"} <= {label for _, label in run["marks"]}
    assert {"redis", "apiserver", "controller", "kubelet_sim", "load tester"} == run["cpu_seconds"].keys()
    assert {each["service"] for each in run["waits"]} >= {"kubelet_sim"}


def test_what_cannot_be_is_told_in_a_line(up: Up, tmp_path: Path) -> None:
    dead = yaml.safe_load(Path(up.ready["kubeconfig"]).read_text())
    dead["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:1"
    (tmp_path / "dead").write_text(yaml.safe_dump(dead))
    assert "error: http://127.0.0.1:1 cannot be reached" in _load(f"1x1000 --kubeconfig {tmp_path / 'dead'}", 1).err
    refused = _load(f"faults --kubeconfig {up.ready['kubeconfig']}", 1).err
    assert "kill controller: only services of a plane that is started for the load can be killed" in refused
    assert 'no scenario is called "nothing"' in _load("nothing", 1).err
    assert 'invalid argument "x" for "--pid" flag' in _load(f"100x10 --server {up.server} --pid a=x", 1).err
