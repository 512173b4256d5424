"""``get`` in all its forms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from rollplane.core.v1 import ConfigMap
from rollplane_cli.reading import key_of, list_all
from rollplane_machinery.api import ListQuery
from rollplane_machinery.kinds import CONFIG_MAP, ApiObject, Kind
from tests.clients.cli.commands import Cli, Running, Stream
from tests.clients.cli.manifests import CONFIG, WEB, written
from tests.clients.cli.stand_in import StandIn
from tests.clients.cli.transcript import normalized
from tests.clients.python.plane import Plane

LABELLED = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, labels: {app: APP, tier: front}}
"""


@pytest.fixture
async def labelled(cli: Cli) -> None:
    one = LABELLED.replace("NAME", "one").replace("APP", "web")
    two = LABELLED.replace("NAME", "two").replace("APP", "db")
    await cli.ok("create", "-f", "-", input=f"{one}---\n{two}")


TABLES: dict[str, tuple[str, str]] = {
    "plain": ("get cm", "NAME  DATA  AGE\none  0  AGE\ntwo  0  AGE"),
    "by label": ("get cm -l app=db", "NAME  DATA  AGE\ntwo  0  AGE"),
    "by field": ("get cm --field-selector metadata.name=one", "NAME  DATA  AGE\none  0  AGE"),
    "without headers": ("get cm --no-headers", "one  0  AGE\ntwo  0  AGE"),
    "labels": (
        "get cm --show-labels",
        "NAME  DATA  AGE  LABELS\none  0  AGE  app=web,tier=front\ntwo  0  AGE  app=db,tier=front",
    ),
    "label columns": (
        "get cm -L app,none",
        "NAME  DATA  AGE  APP  NONE\none  0  AGE  web  <none>\ntwo  0  AGE  db  <none>",
    ),
    "everywhere": (
        "get cm -A",
        "NAMESPACE  NAME  DATA  AGE\ndefault  one  0  AGE\ndefault  two  0  AGE",
    ),
    "by name, in the order given": ("get cm two one", "NAME  DATA  AGE\ntwo  0  AGE\none  0  AGE"),
    "absent ones passed over": ("get cm none two --ignore-not-found", "NAME  DATA  AGE\ntwo  0  AGE"),
    "names": ("get cm -o name", "configmap/one\nconfigmap/two"),
}


@pytest.mark.usefixtures("labelled")
@pytest.mark.parametrize(("line", "expected"), TABLES.values(), ids=TABLES)
async def test_tables(cli: Cli, line: str, expected: str) -> None:
    # -A shows what every cluster has as well; here that is nothing but our own.
    assert normalized(await cli.ok(*line.split())) == expected


@pytest.mark.usefixtures("labelled")
async def test_what_is_there_is_shown_when_something_else_is_not(cli: Cli) -> None:
    ran = await cli.run("get", "cm", "one", "none", "-o", "name")
    assert (ran.code, ran.out) == (1, "configmap/one\n")
    assert ran.err == 'Error from server (NotFound): configmaps "none" not found\n'


NOTHING = {
    "get pods": "No resources found in default namespace.\n",
    "get pods,deploy -n other": "No resources found in other namespace.\n",
    "get pods -A": "No resources found\n",
    "get nodes": "No resources found\n",
    "get pods -o name": "",
    "get cm none --ignore-not-found": "",
}


@pytest.mark.parametrize(("line", "message"), NOTHING.items(), ids=NOTHING)
async def test_nothing_found(cli: Cli, line: str, message: str) -> None:
    ran = await cli.run(*line.split())
    assert (ran.code, ran.out, ran.err) == (0, "", message)


async def test_one_object_as_yaml_is_what_was_stored(cli: Cli, tmp_path: Path) -> None:
    await cli.ok("create", "-f", written(tmp_path, CONFIG))
    text = await cli.ok("get", "cm", "settings", "-o", "yaml")
    shown = yaml.safe_load(text)
    assert list(shown) == ["apiVersion", "data", "kind", "metadata"]
    assert (shown["kind"], shown["data"]) == ("ConfigMap", {"a": "1", "b": "2"})
    assert "managedFields" not in shown["metadata"]


async def test_what_yaml_shows_can_be_applied_again(cli: Cli, tmp_path: Path) -> None:
    await cli.ok("apply", "-f", written(tmp_path, WEB))
    text = await cli.ok("get", "deploy", "web", "-o", "yaml")
    again = await cli.ok("apply", "-f", "-", input=text)
    assert again == "deployment.apps/web configured\n"


@pytest.mark.usefixtures("labelled")
async def test_several_objects_are_a_list(cli: Cli) -> None:
    shown = json.loads(await cli.ok("get", "cm", "-o", "json"))
    assert (shown["kind"], shown["apiVersion"]) == ("List", "v1")
    assert [item["metadata"]["name"] for item in shown["items"]] == ["one", "two"]


async def test_an_empty_list_is_a_list(cli: Cli) -> None:
    assert json.loads(await cli.ok("get", "cm", "-o", "json"))["items"] == []


async def test_json_is_indented_and_sorted_as_kubectl_does(cli: Cli, tmp_path: Path) -> None:
    await cli.ok("create", "-f", written(tmp_path, CONFIG))
    text = await cli.ok("get", "-f", str(tmp_path / "web.yaml"), "-o", "json")
    assert text.startswith('{\n    "apiVersion": "v1",\n    "data": {\n        "a": "1",')
    assert text == json.dumps(json.loads(text), indent=4, sort_keys=True) + "\n"


async def test_long_lists_come_in_pages_and_are_read_whole(cli: Cli, plane: Plane) -> None:
    names = [f"map-{number:02}" for number in range(23)]
    await cli.ok("create", "-f", "-", input="---\n".join(CONFIG.replace("settings", name) for name in names))
    listed = await list_all(plane.in_process(), ListQuery(CONFIG_MAP, limit=5))
    assert [key_of(each).name for each in listed.objects] == names


def relabel(config: ConfigMap) -> None:
    config.data["c"] = "3"


async def test_watch_shows_what_is_there_and_then_every_change(cli: Cli, stand_in: StandIn) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG)
    command = Running(cli, "get", "cm", "-w")
    await command.out.until("settings")
    await stand_in.update(ConfigMap, "settings", relabel)
    await command.out.until("settings", 2)
    await cli.ok("create", "-f", "-", input=CONFIG.replace("settings", "more"))
    await cli.ok("delete", "cm", "settings")
    await command.out.until("settings", 3)
    ran = await command.interrupt()
    rows = "settings  2  AGE\nsettings  3  AGE\nmore  2  AGE\nsettings  3  AGE"
    assert normalized(ran.out) == f"NAME  DATA  AGE\n{rows}"


async def test_watch_of_one_object_tells_of_no_other(cli: Cli, stand_in: StandIn) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG + "---\n" + CONFIG.replace("settings", "other"))
    command = Running(cli, "get", "cm", "settings", "-w", "-o", "name")
    await command.out.until("settings")
    await stand_in.update(ConfigMap, "other", relabel)
    await stand_in.update(ConfigMap, "settings", relabel)
    await command.out.until("settings", 2)
    assert (await command.interrupt()).out == "configmap/settings\n" * 2


async def test_watch_only_leaves_out_what_is_there(cli: Cli, stand_in: StandIn) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG)
    await stand_in.get(ConfigMap, "settings")
    command = Running(cli, "get", "cm", "--watch-only", "-o", "json", "--field-selector=metadata.name=late")
    # Whenever the watch begins, it sees the object at the latest when it is deleted.
    while "late" not in command.out.getvalue():
        await cli.ok("create", "-f", "-", input=CONFIG.replace("settings", "late"))
        await cli.ok("delete", "cm", "late")
    assert "settings" not in (await command.interrupt()).out


async def test_a_watch_goes_on_after_the_server_was_away(cli: Cli, plane: Plane) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG)
    command = Running(cli, "get", "cm", "-w", "-o", "name")
    await command.out.until("settings")
    await plane.stop()
    await plane.start()
    await cli.ok("create", "-f", "-", input=CONFIG.replace("settings", "after"))
    await command.out.until("after")
    assert (await command.interrupt()).out == "configmap/settings\nconfigmap/after\n"


async def test_a_table_parses_each_object_once_and_is_one_write(
    cli: Cli, labelled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []
    written_texts: list[str] = []
    parse, write = Kind.parse, Stream.write

    def counted_parse(kind: Kind, value: bytes) -> ApiObject:
        parsed.append(value)
        return parse(kind, value)

    def counted_write(stream: Stream, text: str) -> int:
        written_texts.append(text)
        return write(stream, text)

    monkeypatch.setattr(Kind, "parse", counted_parse)
    monkeypatch.setattr(Stream, "write", counted_write)
    await cli.ok("get", "cm")
    ours = [value for value in parsed if b"front" in value]
    assert len(ours) == len(set(ours)) == 2
    assert len(written_texts) == 1
