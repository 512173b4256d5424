"""``describe`` as a command; what it says is tested on the pure functions and by the recorded session."""

from __future__ import annotations

from rollplane.core.v1 import Event, ObjectReference
from rollplane.meta.v1 import ObjectMeta
from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import CONFIG
from tests.clients.cli.stand_in import StandIn

TWO = CONFIG.replace("settings", "one") + "---\n" + CONFIG.replace("settings", "two")


async def test_several_objects_stand_apart(cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=TWO)
    text = await cli.ok("describe", "cm")
    one, two = text.split("\n\n\n")
    assert one.startswith("Name:               one\nNamespace:          default\n")
    assert two.startswith("Name:               two\n")
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
    assert ran.out.startswith("Name:               two\n")
    assert ran.err == 'Error from server (NotFound): configmaps "none" not found\n'


async def test_nothing_to_describe(cli: Cli) -> None:
    ran = await cli.run("describe", "pods")
    assert (ran.code, ran.out, ran.err) == (0, "", "No resources found in default namespace.\n")
    ran = await cli.run("describe")
    assert (ran.code, ran.err) == (1, "error: You must specify the type of resource to describe.\n")
