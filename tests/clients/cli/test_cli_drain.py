"""``rollplane drain``: kubectl's sentences and refusals, budgets that say no, nodes that do not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from rollplane.apps.v1 import DaemonSet, Deployment
from rollplane.core.v1 import Container, Pod, Volume
from rollplane.meta.v1 import OwnerReference, Time
from rollplane_cli.commands.drain import DrainFlags
from rollplane_cli.draining.choice import Choice, DrainRules, choose_pods
from rollplane_cli.main import Invocation, find
from rollplane_rehearsal import run
from tests.clients.cli.drain_session import drain
from tests.end_to_end.fleet_plane import NAMESPACE, FleetPlane, fleet_plane

NOW = 1_700_000_000.0


def pod(
    name: str = "p",
    *,
    owner: str = "ReplicaSet",
    local: bool = False,
    mirror: bool = False,
    phase: str = "Running",
    going_since: float | None = None,
) -> Pod:
    """Return a pod; ``owner`` is the kind of its controller, "" for none."""
    message = Pod()
    message.metadata.namespace, message.metadata.name = "default", name
    message.status.phase = phase
    if owner:
        message.metadata.owner_references.append(OwnerReference(kind=owner, name="owner", controller=True))
    if local:
        volume = message.spec.volumes.add(name="scratch")
        volume.volume_source.empty_dir.SetInParent()
    if mirror:
        message.metadata.annotations["kubernetes.io/config.mirror"] = "x"
    if going_since is not None:
        message.metadata.deletion_timestamp.CopyFrom(Time(seconds=int(going_since)))
    return message


def going(*names: str, warning: str = "") -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    return names, warning, ()


def refused(*errors: str) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    return (), "", errors


DAEMON, LOCAL, BARE = pod(owner="DaemonSet"), pod(local=True), pod(owner="")
MISSING = {"default/owner": 'daemonsets.apps "owner" not found'}
CASES: dict[str, tuple[Pod, DrainRules, tuple[tuple[str, ...], str, tuple[str, ...]]]] = {
    "controlled": (pod(), DrainRules(), going("p")),
    "daemon": (
        DAEMON,
        DrainRules(),
        refused("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): default/p"),
    ),
    "daemon ignored": (
        DAEMON,
        DrainRules(ignore_daemon_sets=True),
        going(warning="ignoring DaemonSet-managed Pods: default/p"),
    ),
    "daemon that has ended": (pod(owner="DaemonSet", phase="Failed"), DrainRules(), going("p")),
    "daemon without its set": (
        DAEMON,
        DrainRules(ignore_daemon_sets=True, missing_daemon_sets=MISSING),
        refused('cannot delete daemonsets.apps "owner" not found: default/p'),
    ),
    "daemon without its set, forced": (
        DAEMON,
        DrainRules(force=True, missing_daemon_sets=MISSING),
        going("p", warning='daemonsets.apps "owner" not found: default/p'),
    ),
    "local data": (
        LOCAL,
        DrainRules(),
        refused("cannot delete Pods with local storage (use --delete-emptydir-data to override): default/p"),
    ),
    "local data given up": (
        LOCAL,
        DrainRules(delete_local_data=True),
        going("p", warning="deleting Pods with local storage: default/p"),
    ),
    "local data of one that has ended": (pod(local=True, phase="Succeeded"), DrainRules(), going("p")),
    "no controller": (
        BARE,
        DrainRules(),
        refused("cannot delete Pods that declare no controller (use --force to override): default/p"),
    ),
    "no controller, forced": (
        BARE,
        DrainRules(force=True),
        going("p", warning="deleting Pods that declare no controller: default/p"),
    ),
    "no controller, ended": (pod(owner="", phase="Failed"), DrainRules(), going("p")),
    "mirror": (pod(mirror=True, owner=""), DrainRules(), going()),
    "ending, waited for": (pod(going_since=NOW - 100), DrainRules(), going("p")),
    "ending for too long": (pod(going_since=NOW - 100), DrainRules(skip_after_seconds=60), going()),
    "ending for a while": (pod(going_since=NOW - 30), DrainRules(skip_after_seconds=60), going("p")),
}


@pytest.mark.parametrize(("one", "rules", "expected"), CASES.values(), ids=CASES)
def test_choose_pods(one: Pod, rules: DrainRules, expected: tuple[tuple[str, ...], str, tuple[str, ...]]) -> None:
    choice: Choice = choose_pods([one], rules, NOW)
    assert (tuple(each.metadata.name for each in choice.going), choice.warning, choice.errors) == expected


def test_choose_pods_names_all_pods_of_one_sort_together() -> None:
    choice = choose_pods([pod("a", owner=""), pod("b", owner=""), pod("c", local=True)], DrainRules(), NOW)
    assert choice.errors == (
        "cannot delete Pods that declare no controller (use --force to override): default/a, default/b",
        "cannot delete Pods with local storage (use --delete-emptydir-data to override): default/c",
    )


def test_drain_is_a_command() -> None:
    found = find(["drain", "node-0", "--ignore-daemonsets", "--timeout=5m"])
    assert isinstance(found, Invocation)
    assert isinstance(found.flags, DrainFlags)
    assert (found.name, found.flags.words, found.flags.timeout) == ("drain", ("node-0",), 300.0)


def told(story: Callable[[FleetPlane], Coroutine[Any, Any, None]], nodes: int = 3) -> None:
    """Run ``story`` on a plane of some nodes with a Deployment ``web`` of three pods, one on each node."""

    async def lived() -> None:
        async with fleet_plane(nodes) as plane:
            await plane.deploy("web", 3)

            async def settled() -> bool:
                return await plane.available("web") == 3

            await plane.until(settled, 30, "web is never available")
            await story(plane)

    run(lived())


def test_drain_says_what_kubectl_says_and_the_node_is_empty() -> None:
    async def story(plane: FleetPlane) -> None:
        (one,) = await plane.pods(node="node-1")
        name = one.metadata.name
        ran = await drain(plane, "node-1")
        assert ran.out.splitlines() == [
            "node/node-1 cordoned",
            f"evicting pod default/{name}",
            f"pod/{name} evicted",
            "node/node-1 drained",
        ]
        assert (ran.code, ran.err) == (0, "")
        assert await plane.pods(node="node-1") == []
        again = await drain(plane, "node/node-1")
        assert again.out.splitlines() == ["node/node-1 already cordoned", "node/node-1 drained"]

    told(story)


def test_drain_refuses_bare_pods_and_daemons_and_goes_on_to_the_next_node() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.client.create(_bare("loner", "node-0"))
        await _daemons(plane)
        ran = await drain(plane, "node-0", "node-1", "--force")
        daemon = await _daemon_on(plane, "node-0")
        other = await _daemon_on(plane, "node-1")
        first = f"cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): default/{daemon}"
        second = f"cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): default/{other}"
        assert ran.code == 1
        assert ran.out.splitlines() == ["node/node-0 cordoned", "node/node-1 cordoned"]
        assert ran.err.splitlines() == [
            f'error: unable to drain node "node-0" due to error: {first}, continuing command...',
            f'error: unable to drain node "node-1" due to error: {second}, continuing command...',
            "There are pending nodes to be drained:",
            " node-0",
            " node-1",
            first,
            second,
        ]
        bare = await drain(plane, "node-0", "--ignore-daemonsets")
        message = "cannot delete Pods that declare no controller (use --force to override): default/loner"
        assert bare.err.splitlines()[-1] == f"error: {message}"
        forced = await drain(plane, "node-0", "--ignore-daemonsets", "--force")
        assert forced.code == 0
        assert forced.err.splitlines() == [
            f"Warning: ignoring DaemonSet-managed Pods: default/{daemon}; "
            "deleting Pods that declare no controller: default/loner"
        ]
        assert [each.metadata.name for each in await plane.pods(node="node-0")] == [daemon]

    told(story)


def test_drain_waits_for_the_budget_and_never_takes_more_than_it_allows() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.protect("web", min_available=3)
        await asyncio.sleep(1)
        (one,) = await plane.pods(node="node-1")
        started = plane.clock.now()
        running = asyncio.ensure_future(drain(plane, "node-1"))
        await asyncio.sleep(12)
        assert not running.done()
        assert len(await plane.pods(node="node-1")) == 1
        await _scale(plane, 4)
        ran = await running
        name = one.metadata.name
        refusal = (
            f'error when evicting pods/"{name}" -n "default" (will retry after 5s): '
            "Cannot evict pod as it would violate the pod's disruption budget. "
            "The disruption budget web needs 3 healthy pods and has 3 currently"
        )
        assert ran.code == 0
        assert ran.err.splitlines() == [refusal] * 3
        assert 15 <= plane.clock.now() - started < 20
        assert ran.out.count(f"evicting pod default/{name}\n") == 4
        assert ran.out.endswith("node/node-1 drained\n")

    told(story)


def test_drain_gives_up_after_its_timeout() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.protect("web", min_available="100%")
        await asyncio.sleep(1)
        (one,) = await plane.pods(node="node-1")
        name = one.metadata.name
        ran = await drain(plane, "node-1", "--timeout=8s")
        failure = f'error when evicting pods/"{name}" -n "default": global timeout reached: 8s'
        assert ran.code == 1
        assert ran.err.splitlines()[2:] == [
            f'There are pending pods in node "node-1" when an error occurred: {failure}',
            f"pod/{name}",
            f'error: unable to drain node "node-1" due to error: {failure}, continuing command...',
            "There are pending nodes to be drained:",
            " node-1",
            f"error: {failure}",
        ]

    told(story)


def test_drain_of_a_silent_node_waits_in_vain_and_may_skip_what_is_going() -> None:
    async def story(plane: FleetPlane) -> None:
        (one,) = await plane.pods(node="node-1")
        plane.silence("node-1")
        await asyncio.sleep(1)
        ran = await drain(plane, "node-1", "--timeout=1m")
        name = one.metadata.name
        failure = (
            f'error when waiting for pod "{name}" in namespace "default" to terminate: global timeout reached: 1m0s'
        )
        assert ran.err.splitlines()[-1] == f"error: {failure}"
        skipped = await drain(plane, "node-1", "--skip-wait-for-delete-timeout=10")
        assert (skipped.code, skipped.out) == (0, "node/node-1 already cordoned\nnode/node-1 drained\n")

    told(story)


def test_drain_without_eviction_asks_no_budget() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.protect("web", min_available="100%")
        await asyncio.sleep(1)
        (one,) = await plane.pods(node="node-1")
        ran = await drain(plane, "node-1", "--disable-eviction", "--grace-period=2")
        assert ran.out.splitlines() == [
            "node/node-1 cordoned",
            f"pod/{one.metadata.name} deleted",
            "node/node-1 drained",
        ]

    told(story)


@pytest.mark.parametrize(("mode", "suffix"), [("client", " (dry run)"), ("server", " (server dry run)")])
def test_drain_as_a_dry_run_changes_nothing(mode: str, suffix: str) -> None:
    async def story(plane: FleetPlane) -> None:
        (one,) = await plane.pods(node="node-1")
        ran = await drain(plane, "node-1", f"--dry-run={mode}")
        assert ran.out.splitlines() == [
            f"node/node-1 cordoned{suffix}",
            f"evicting pod default/{one.metadata.name}{suffix}",
            f"node/node-1 drained{suffix}",
        ]
        assert not (await plane.node("node-1")).spec.unschedulable
        assert [each.metadata.uid for each in await plane.pods(node="node-1")] == [one.metadata.uid]

    told(story)


def test_drain_chooses_nodes_and_pods_by_labels() -> None:
    async def story(plane: FleetPlane) -> None:
        node = await plane.node("node-2")
        node.metadata.labels["rack"] = "b"
        await plane.client.update(node)
        ran = await drain(plane, "-l", "rack=b", "--pod-selector=app=none")
        assert ran.out.splitlines() == ["node/node-2 cordoned", "node/node-2 drained"]
        assert len(await plane.pods(node="node-2")) == 1

    told(story)


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no node": ((), "error: USAGE: drain NODE [flags]"),
    "both": (("node-0", "-l", "a=b"), "error: cannot specify both a node name and a --selector option"),
    "bad selector": (
        ("node-0", "--pod-selector=a in b"),
        "error: --pod-selector=<pod_selector> must be a valid label selector",
    ),
    "unknown node": (("nope",), 'Error from server (NotFound): nodes "nope" not found'),
}


@pytest.mark.parametrize(("line", "message"), WRONG.values(), ids=WRONG)
def test_drain_refuses(line: tuple[str, ...], message: str) -> None:
    async def story(plane: FleetPlane) -> None:
        ran = await drain(plane, *line)
        assert (ran.code, ran.out, ran.err) == (1, "", f"{message}\n")

    told(story)


def _bare(name: str, node: str) -> Pod:
    message = Pod()
    message.metadata.namespace, message.metadata.name = NAMESPACE, name
    message.spec.node_name = node
    message.spec.containers.append(Container(name="app", image="app:v1"))
    return message


async def _daemons(plane: FleetPlane) -> None:
    daemon_set = DaemonSet()
    daemon_set.metadata.namespace, daemon_set.metadata.name = NAMESPACE, "agent"
    daemon_set.spec.selector.match_labels["app"] = "agent"
    daemon_set.spec.template.metadata.labels["app"] = "agent"
    daemon_set.spec.template.spec.containers.append(Container(name="agent", image="agent:v1"))
    daemon_set.spec.template.spec.volumes.append(Volume(name="none"))
    await plane.client.create(daemon_set)

    async def everywhere() -> bool:
        return (await plane.client.get(DaemonSet, NAMESPACE, "agent")).status.number_available == 3

    await plane.until(everywhere, 30, "agents are not everywhere")


async def _daemon_on(plane: FleetPlane, node: str) -> str:
    return next(one.metadata.name for one in await plane.pods(node=node) if one.metadata.labels.get("app") == "agent")


async def _scale(plane: FleetPlane, replicas: int) -> None:
    deployment = await plane.client.get(Deployment, NAMESPACE, "web")
    deployment.spec.replicas = replicas
    await plane.client.update(deployment)
