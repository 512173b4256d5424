"""Custom kinds at the command line: defined and used in one file, told, changed and deleted like all others."""

from __future__ import annotations

import json
from pathlib import Path

from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import written
from tests.customs import GROUP, custom, definition

NAME = f"crontab.{GROUP}/one"


def bundle(**spec: object) -> str:
    more = custom(spec={"cron": "* * * * 5", **spec})
    return f"{json.dumps(definition())}\n---\n{json.dumps(more)}\n"


async def test_a_life(cli: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, bundle())
    assert await cli.ok("apply", "-f", file) == (
        f"customresourcedefinition.apiextensions.k8s.io/crontabs.{GROUP} created\n{NAME} created\n"
    )
    assert (await cli.ok("apply", "-f", file)).count("unchanged") == 2
    written(tmp_path, bundle(replicas=3))
    assert (await cli.ok("apply", "-f", file)).splitlines()[1] == f"{NAME} configured"
    table = (await cli.ok("get", "cr")).splitlines()
    assert table[0].split() == ["NAME", "CRON", "AGE"]
    assert table[1].split()[:6] == ["one", "*", "*", "*", "*", "5"]
    assert "REPLICAS" in await cli.ok("get", f"crontabs.{GROUP}", "-o", "wide")
    assert NAME in await cli.ok("get", "all", "-o", "name")
    assert "replicas: 3" in await cli.ok("get", "crontab/one", "-o", "yaml")
    assert "replicas" in (await cli.ok("describe", "crontab", "one")).lower()
    assert await cli.ok("scale", "crontab/one", "--replicas", "5") == f"{NAME} scaled\n"
    assert await cli.ok("patch", "crontab", "one", "--type", "merge", "-p", '{"spec":{"replicas":6}}') == (
        f"{NAME} patched\n"
    )
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/replicas: 6/replicas: 7/' \"$1\"\n")
    editor.chmod(0o755)
    edited = await cli.run("edit", "crontab", "one", EDITOR=str(editor))
    assert edited.out == f"{NAME} edited\n", edited
    assert "crontabs" in await cli.ok("get", "crd")
    assert (await cli.run("events", "--for", "cr/one")).err == "No events found in default namespace.\n"
    for command, told in {
        "why cr/one": "why is known of workloads only, not of crontabs",
        "logs cr/one": "crontabs have no pods to ask",
        "rollout status cr/one": f"no status viewer has been implemented for crontabs.{GROUP}",
        "rollout pause cr/one": f'crontabs.{GROUP} "one" pausing is not supported',
    }.items():
        refused = await cli.run(*command.split())
        assert (refused.code, refused.err) == (1, f"error: {told}\n")
    assert await cli.ok("delete", "crontab", "one") == f'crontab.{GROUP} "one" deleted\n'
    assert "crontab" in (await cli.run("get", "crontab", "one")).err


async def test_what_is_not_defined(cli: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, json.dumps(custom()))
    told = await cli.run("apply", "-f", file)
    assert told.code == 1
    assert f'no matches for kind "CronTab" in version "{GROUP}/v1"' in told.err
    assert 'the server doesn\'t have a resource type "crontabs"' in (await cli.run("get", "crontabs")).err


async def test_a_list_of_them(cli: Cli, tmp_path: Path) -> None:
    """As ``get -o yaml`` prints several: the kind that is not built in is told of an item."""
    items = [definition(), custom(spec={"cron": "* * * * 5"})]
    file = written(tmp_path, json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    assert (await cli.ok("apply", "-f", file)).splitlines()[1] == f"{NAME} created"
