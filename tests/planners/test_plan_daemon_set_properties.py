"""What DaemonSets promise, whatever users, kubelets and nodes do: docs/semantics/daemonset.md sections 5 and 6."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollplane.core.v1 import Pod, Taint
from rollplane_planners.daemon_set.placement import target_node
from tests.planners.daemon_sets import a_daemon_set, rolling, surging
from tests.planners.ordinal_world import DaemonSetWorld, is_ready
from tests.planners.pods import a_node

ACTIONS = (
    "sync",
    "sync",
    "sync",
    "calm",
    "calm",
    "ready",
    "unready",
    "fail",
    "finish",
    "delete",
    "image",
    "taint",
    "add",
    "remove",
)
Deed = tuple[str, int]
DEEDS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 7)), min_size=12, max_size=40)
NODES = 4
NO_SCHEDULE = Taint(key="dedicated", value="db", effect="NoSchedule")


def live(world: DaemonSetWorld, deeds: list[Deed]) -> None:
    """Let the set come to rest once, then do these deeds one after another."""
    run_to_rest(world)
    for deed in deeds:
        act(world, deed)


def act(world: DaemonSetWorld, deed: Deed) -> None:
    """Do one thing to the world; a deed that has no object to act on does nothing."""
    action, number = deed
    pods, nodes = world.live(), sorted(world.nodes)
    match action:
        case "sync":
            world.sync()
        case "finish":
            world.finish()
        case "calm":
            world.calm()
        case "image":
            world.edit(lambda one: setattr(one.spec.template.spec.containers[0], "image", f"v{number % 3}"))
        case "add":
            world.nodes[f"n{number}"] = a_node(f"n{number}")
        case "remove" if len(nodes) > 1:
            world.remove_node(nodes[number % len(nodes)])
        case "taint":
            taints = world.nodes[nodes[number % len(nodes)]].spec.taints
            taints.pop() if taints else taints.append(NO_SCHEDULE)
        case "ready" | "unready" | "fail" | "delete" if pods:
            _move(world, pods[number % len(pods)], action)
        case _:
            pass


def _move(world: DaemonSetWorld, pod: Pod, action: str) -> None:
    if action == "delete":
        world.mark_deleted(pod.metadata.name)
    else:
        world.report(pod, ready=action == "ready", phase="Failed" if action == "fail" else "Running")


def _is_available(pod: Pod) -> bool:
    return is_ready(pod) and pod.status.phase == "Running"


@given(deeds=DEEDS, most=st.integers(1, 3))
def test_never_more_than_max_unavailable(deeds: list[Deed], most: int) -> None:
    """Deleting an available pod never leaves more than maxUnavailable eligible nodes without one."""
    world = DaemonSetWorld(a_daemon_set("v0", updateStrategy=rolling(maxUnavailable=most)), NODES)

    def check(pod: Pod) -> None:
        node = world.nodes.get(pod.spec.node_name)
        if node is None or node.spec.taints or not _is_available(pod) or len(list(world.on(node.metadata.name))) > 1:
            return
        others = [name for name, one in world.nodes.items() if not one.spec.taints and name != node.metadata.name]
        bare = [name for name in others if not any(_is_available(one) for one in world.on(name))]
        assert len(bare) < most

    world.before_deletion = check
    live(world, deeds)


@given(deeds=DEEDS, most=st.integers(1, 3))
def test_never_more_than_max_surge(deeds: list[Deed], most: int) -> None:
    """A node gets a pod beside an available one only while fewer than maxSurge others have two; none gets a third."""
    world = DaemonSetWorld(a_daemon_set("v0", updateStrategy=surging(most)), NODES)

    def check(pod: Pod) -> None:
        node = target_node(pod.spec)
        here = list(world.on(node))
        assert len(here) < 2
        if any(_is_available(one) for one in here):
            double = [name for name in world.nodes if name != node and len(list(world.on(name))) > 1]
            useful = [name for name in double if sum(_is_available(one) for one in world.on(name)) == 1]
            assert len([name for name in useful if not _replaces_a_useless_one(world, name)]) < most

    world.before_creation = check
    live(world, deeds)


def _replaces_a_useless_one(world: DaemonSetWorld, node: str) -> bool:
    """Tell whether the older of a node's two pods is of no use: its successor is outside the budget."""
    oldest = min(world.on(node), key=lambda pod: (pod.metadata.creation_timestamp.seconds, pod.metadata.name))
    return not _is_available(oldest)


@given(deeds=DEEDS, surge=st.booleans(), most=st.integers(1, 3))
def test_converges_from_any_state(deeds: list[Deed], surge: bool, most: int) -> None:
    """When all others rest, each node that should run the daemon has one available pod of the present template."""
    strategy = surging(most) if surge else rolling(maxUnavailable=most)
    world = DaemonSetWorld(a_daemon_set("v0", updateStrategy=strategy), NODES)
    live(world, deeds)
    run_to_rest(world)
    wanted = world.set.spec.template.spec.containers[0].image
    for name, node in world.nodes.items():
        pods = list(world.on(name))
        assert len(pods) == 1 if not node.spec.taints else len(pods) <= 1
        assert all(
            pod.spec.containers[0].image == wanted and _is_available(pod) for pod in pods if not node.spec.taints
        )
    status, eligible = world.set.status, sum(not node.spec.taints for node in world.nodes.values())
    assert status.desired_number_scheduled == status.number_available == eligible
    assert status.updated_number_scheduled == eligible


def run_to_rest(world: DaemonSetWorld) -> None:
    """Let kubelets make every pod ready and end what terminates, until all rests."""
    for _ in range(60):
        world.settle()
        waiting = [pod for pod in world.live() if not _is_available(pod) and pod.status.phase != "Failed"]
        for pod in waiting:
            world.report(pod)
        ending = len(world.live()) < len(world.pods)
        world.finish()
        if not waiting and not ending:
            return
    raise AssertionError("the world never comes to rest")
