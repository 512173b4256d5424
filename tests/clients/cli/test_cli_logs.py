"""``logs``: of which pods and containers, and how much."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import ContainerStatus, Node, Pod
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery import codec
from rollplane_machinery.times import time_of
from tests.clients.cli.commands import Cli, Running
from tests.clients.cli.manifests import WEB
from tests.clients.cli.stand_in import StandIn

LONG_AGO = 1_700_000_000


def running(pod: Pod, name: str = "c", *, ready: bool = True) -> None:
    del pod.status.container_statuses[:]
    status = ContainerStatus(name=name, image="nginx:1.27", ready=ready, started=True)
    status.state.running.started_at.CopyFrom(time_of(LONG_AGO))
    pod.status.container_statuses.append(status)
    pod.status.conditions.add(type="Ready", status="True" if ready else "False")


def ended(pod: Pod) -> None:
    terminated = pod.status.container_statuses[0].state.terminated
    terminated.exit_code, terminated.reason = 1, "Error"
    pod.status.container_statuses[0].state.ClearField("running")


def a_pod(name: str, *containers: str) -> Pod:
    spec = {"nodeName": "n", "containers": [{"name": each, "image": "nginx:1.27"} for each in containers or ("c",)]}
    data = {"metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}}, "spec": spec}
    return codec.message_from_json(Pod, data)


@pytest.fixture
async def told(stand_in: StandIn) -> StandIn:
    await stand_in.create(Node(metadata=ObjectMeta(name="n")))
    await stand_in.create(a_pod("one"))
    await stand_in.set_status(Pod, "one", running)
    return stand_in


async def test_of_a_pod(cli: Cli, told: StandIn) -> None:
    lines = ["image nginx:1.27 is there", "simulated container c started, run 1", "ready"]
    assert (await cli.ok("logs", "one")).splitlines() == lines
    assert (await cli.ok("logs", "pod/one", "--tail", "1")).splitlines() == ["ready"]
    assert (await cli.ok("logs", "one", "c", "--limit-bytes=5")) == "image"
    assert (await cli.ok("logs", "one", "--since=1h")) == ""
    assert (await cli.ok("logs", "one", "--timestamps")).startswith("2023-11-14T22:13:20.000000000Z image")


async def test_of_several_containers(cli: Cli, told: StandIn) -> None:
    await told.create(a_pod("two", "a", "b"))
    await told.set_status(Pod, "two", lambda pod: running(pod, "a"))
    ran = await cli.run("logs", "two", "--tail=1")
    assert (ran.out, ran.err) == ("ready\n", 'Defaulted container "a" out of: a, b\n')
    missing = await cli.run("logs", "two", "-c", "b")
    assert missing.code == 1
    assert 'container "b" in pod "two" is waiting to start - no logs yet' in missing.err
    everything = await cli.run("logs", "two", "--all-containers")
    assert "simulated container a started" in everything.out


async def test_of_what_labels_choose(cli: Cli, told: StandIn) -> None:
    await told.create(a_pod("two"))
    await told.set_status(Pod, "two", running)
    assert (await cli.ok("logs", "-l", "app=web", "--tail=1")) == "ready\nready\n"


async def test_of_a_workload(cli: Cli, told: StandIn) -> None:
    await cli.ok("apply", "-f", "-", input=WEB)
    assert await cli.ok("logs", "deploy/web", "--tail=1") == "ready\n"
    await told.create(a_pod("a-pod-that-waits"))
    ran = await cli.run("logs", "deploy/web", "--tail=1")
    assert (ran.out, ran.err) == ("ready\n", "Found 2 pods, using pod/one\n")
    await told.remove(await told.get(Pod, "one"))
    await told.remove(await told.get(Pod, "a-pod-that-waits"))
    bare = await cli.run("logs", "deploy/web")
    assert (bare.code, bare.err) == (1, "error: deployment web has no pods\n")


async def test_the_run_before(cli: Cli, told: StandIn) -> None:
    ran = await cli.run("logs", "one", "-p")
    assert ran.code == 1
    assert 'previous terminated container "c" in pod "one" not found' in ran.err


async def test_followed(cli: Cli, told: StandIn) -> None:
    following = Running(cli, "logs", "-f", "one", "--tail=1")
    await following.out.until("ready")
    await told.set_status(Pod, "one", ended)
    ran = await following.end()
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "ended with exit code 1 (Error)"


@pytest.mark.parametrize("line", [["logs"], ["logs", "one", "-l", "a=b"], ["logs", "cm/one"]])
async def test_refused(cli: Cli, told: StandIn, line: list[str]) -> None:
    assert (await cli.run(*line)).code != 0
