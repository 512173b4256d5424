"""``events``: which are shown, in which order and form."""

from __future__ import annotations

import json

import pytest

from rollplane.core.v1 import Event, Namespace, ObjectReference
from rollplane.meta.v1 import MicroTime, ObjectMeta
from rollplane_machinery.times import time_of
from tests.clients.cli.commands import Cli, Running
from tests.clients.cli.stand_in import StandIn
from tests.clients.cli.transcript import normalized

LONG_AGO = 1_700_000_000


def event(name: str, at: int, *, kind: str = "Pod", of: str = "web-1", type_: str = "Normal", count: int = 1) -> Event:
    made = Event(metadata=ObjectMeta(name=name, namespace="default"), reason=f"Is{name.title()}", type=type_)
    made.involved_object.CopyFrom(ObjectReference(kind=kind, namespace="default", name=of))
    made.message, made.count = f"about\n{name}", count
    made.first_timestamp.CopyFrom(time_of(LONG_AGO))
    made.last_timestamp.CopyFrom(time_of(LONG_AGO + at))
    return made


@pytest.fixture
async def told(stand_in: StandIn) -> StandIn:
    """Four events, made in another order than they happened last; the last one is of the newer form."""
    await stand_in.create(event("second", 20, kind="Deployment", of="web", count=3))
    await stand_in.create(event("first", 10))
    await stand_in.create(event("third", 30, type_="Warning"))
    newer = event("newer", 0, of="web-2")
    newer.ClearField("first_timestamp")
    newer.ClearField("last_timestamp")
    newer.event_time.CopyFrom(MicroTime(seconds=LONG_AGO + 1))
    newer.reporting_component, newer.reporting_instance, newer.action = "test", "test-1", "Look"
    newer.series.count = 7
    newer.series.last_observed_time.CopyFrom(MicroTime(seconds=LONG_AGO + 40))
    await stand_in.create(newer)
    return stand_in


def reasons(text: str) -> list[str]:
    return [word for line in text.splitlines() for word in line.split() if word.startswith("Is")]


async def test_they_stand_in_the_order_they_happened_last(cli: Cli, told: StandIn) -> None:
    text = await cli.ok("events")
    assert reasons(text) == ["IsFirst", "IsSecond", "IsThird", "IsNewer"]
    header, first, second, _, newer = text.splitlines()
    assert header.split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert first.split()[1:] == ["Normal", "IsFirst", "Pod/web-1", "about", "first"]
    assert " (x3 over " in second
    assert "Deployment/web " in second
    assert " (x7 over " in newer
    assert [len(line) - len(line.lstrip()) for line in text.splitlines()] == [0] * 5
    assert await told.list(Event)


CHOSEN: dict[str, tuple[list[str], list[str]]] = {
    "of one object": (["--for", "pod/web-1"], ["IsFirst", "IsThird"]),
    "of a workload, by a short name": (["--for=deploy/web"], ["IsSecond"]),
    "of a type": (["--types=Warning"], ["IsThird"]),
    "of types in any case": (["--types=warning,NORMAL"], ["IsFirst", "IsSecond", "IsThird", "IsNewer"]),
    "both": (["--types=Normal", "--for=po/web-1"], ["IsFirst"]),
    "everywhere": (["-A"], ["IsFirst", "IsSecond", "IsThird", "IsNewer"]),
}


@pytest.mark.parametrize(("flags", "expected"), CHOSEN.values(), ids=CHOSEN)
async def test_which_are_shown(cli: Cli, told: StandIn, flags: list[str], expected: list[str]) -> None:
    assert reasons(await cli.ok("events", *flags)) == expected
    assert await told.list(Event)


async def test_everywhere_has_a_column_of_namespaces(cli: Cli, told: StandIn) -> None:
    await told.create(Namespace(metadata=ObjectMeta(name="other")))
    far = event("far", 50)
    far.metadata.namespace = far.involved_object.namespace = "other"
    await told.create(far)
    text = await cli.ok("events", "-A")
    assert text.startswith("NAMESPACE   LAST SEEN")
    assert normalized(text).splitlines()[-1].startswith("other ")
    assert "IsFar" not in await cli.ok("events")


async def test_documents_and_names(cli: Cli, told: StandIn) -> None:
    shown = json.loads(await cli.ok("events", "-o", "json"))
    assert (shown["kind"], [each["metadata"]["name"] for each in shown["items"]]) == (
        "List",
        ["first", "second", "third", "newer"],
    )
    assert await cli.ok("events", "-o", "name", "--for=deploy/web") == "event/second\n"
    assert len((await cli.ok("events", "--no-headers")).splitlines()) == len(await told.list(Event))


async def test_what_happens_is_followed(cli: Cli, told: StandIn) -> None:
    command = Running(cli, "events", "-w", "--for=pod/web-1", "--types=Normal")
    await command.out.until("IsFirst")
    await told.create(event("loud", 60, type_="Warning"))
    await told.create(event("fourth", 60))
    await command.out.until("IsFourth")
    await told.remove(await told.get(Event, "fourth"))
    await told.create(event("fifth", 70))
    await command.out.until("IsFifth")
    ran = await command.interrupt()
    assert reasons(ran.out) == ["IsFirst", "IsFourth", "IsFifth"]


REFUSED = {
    "events --for web": "error: --for must be in resource/name form\n",
    "events --types Loud": "error: valid --types are Normal or Warning\n",
    "events web": "error: events takes no words; name an object by --for TYPE/NAME\n",
    "events --for nonsense/web": 'error: the server doesn\'t have a resource type "nonsense"\n',
}


@pytest.mark.parametrize(("line", "error"), REFUSED.items(), ids=REFUSED)
async def test_what_is_refused(cli: Cli, line: str, error: str) -> None:
    ran = await cli.run(*line.split())
    assert (ran.code, ran.out, ran.err) == (1, "", error)


async def test_none_at_all(cli: Cli) -> None:
    ran = await cli.run("events")
    assert (ran.code, ran.out, ran.err) == (0, "", "No events found in default namespace.\n")
    assert (await cli.run("events", "-A")).err == "No events found.\n"
