"""``describe`` as a command; what it says is tested on the pure functions and by the recorded session."""

from __future__ import annotations

from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import Event, Namespace, ObjectReference, Pod
from rollplane.meta.v1 import ObjectMeta
from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import CONFIG, WEB
from tests.clients.cli.stand_in import StandIn

TWO = CONFIG.replace("settings", "one") + "---\n" + CONFIG.replace("settings", "two")


async def test_several_objects_stand_apart(cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=TWO)
    text = await cli.ok("describe", "cm")
    one, two = text.split("<none>\n\n\n")
    assert one.startswith("Name:         one\nNamespace:    default\n")
    assert two.startswith("Name:         two\n")
    assert await cli.ok("describe", "cm/one", "cm/two") == text


async def test_events_are_those_of_the_object_and_can_be_left_out(cli: Cli, stand_in: StandIn) -> None:
    await cli.ok("create", "-f", "-", input=TWO)
    for name in ("one", "two"):
        event = Event(metadata=ObjectMeta(name=f"{name}.1", namespace="default"), reason=f"About-{name}", type="Normal")
        event.involved_object.CopyFrom(ObjectReference(kind="ConfigMap", namespace="default", name=name))
        found = (await cli.ok("get", "cm", name, "-o", "yaml")).split("uid: ")[1].strip()
        event.involved_object.uid = found
        await stand_in.create(event)
    text = await cli.ok("describe", "cm", "one")
    assert "About-one" in text
    assert "About-two" not in text
    assert "About-one" not in await cli.ok("describe", "cm", "one", "--show-events=false")


async def test_what_is_absent_is_told_and_the_rest_described(cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=TWO)
    ran = await cli.run("describe", "cm", "none", "two")
    assert ran.code == 1
    assert ran.out.startswith("Name:         two\n")
    assert ran.err == 'Error from server (NotFound): configmaps "none" not found\n'


async def test_nothing_to_describe(cli: Cli) -> None:
    ran = await cli.run("describe", "pods")
    assert (ran.code, ran.out, ran.err) == (0, "", "No resources found in default namespace.\n")
    ran = await cli.run("describe")
    assert (ran.code, ran.err) == (1, "error: You must specify the type of resource to describe.\n")


async def test_a_node_with_its_lease_its_pods_and_both_kinds_of_events(cli: Cli, stand_in: StandIn) -> None:
    await cli.ok("create", "-f", "-", input=WEB)
    await stand_in.nodes(["node-0"])
    owner = await stand_in.replica_set("web", "v1")
    await stand_in.pod(owner, "web-v1-0", node="node-0")
    await stand_in.pod(owner, "web-v1-1", node="node-1")
    ended = await stand_in.pod(owner, "web-v1-2", node="node-0")
    await stand_in.set_status(Pod, ended.metadata.name, lambda pod: setattr(pod.status, "phase", "Succeeded"))
    if not any(each.metadata.name == "kube-node-lease" for each in await stand_in.list(Namespace)):
        await stand_in.create(Namespace(metadata=ObjectMeta(name="kube-node-lease")))
    lease = Lease(metadata=ObjectMeta(name="node-0", namespace="kube-node-lease"))
    lease.spec.holder_identity = "kubelet-0"
    await stand_in.create(lease)
    uid = (await cli.ok("get", "node", "node-0", "-o", "yaml")).split("uid: ")[1].split()[0]
    for reason, known_as in (("Lost", uid), ("Booted", "node-0")):
        event = Event(metadata=ObjectMeta(name=reason.lower(), namespace="default"), reason=reason, type="Normal")
        event.involved_object.CopyFrom(ObjectReference(kind="Node", name="node-0", uid=known_as))
        await stand_in.create(event)
    text = await cli.ok("describe", "node", "node-0")
    for part in ("HolderIdentity:  kubelet-0", "(1 in total)", "web-v1-0", "Lost", "Booted"):
        assert part in text
    assert "web-v1-1" not in text
