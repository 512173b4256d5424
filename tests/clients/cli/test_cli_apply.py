"""``apply`` and ``create``: three-way merges, the mark they leave, and files in all forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap
from rollplane_machinery.well_known import LAST_APPLIED
from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import CONFIG, WEB, written
from tests.clients.cli.stand_in import StandIn


async def test_the_mark_is_the_manifest_as_compact_json(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    await cli.ok("apply", "-f", written(tmp_path, WEB))
    mark = (await stand_in.get(Deployment, "web")).metadata.annotations[LAST_APPLIED]
    assert mark == (
        '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{},"labels":{"tier":"front"},'
        '"name":"web","namespace":"default"},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}},'
        '"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"image":"nginx:1.7.9",'
        '"name":"nginx","ports":[{"containerPort":80}]}]}}}}\n'
    )


async def test_created_unchanged_configured(cli: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, WEB)
    assert await cli.ok("apply", "-f", file) == "deployment.apps/web created\n"
    assert await cli.ok("apply", "-f", file) == "deployment.apps/web unchanged\n"
    written(tmp_path, WEB.replace("1.7.9", "1.9.1"))
    assert await cli.ok("apply", "-f", file) == "deployment.apps/web configured\n"
    assert await cli.ok("apply", "-f", file) == "deployment.apps/web unchanged\n"


async def test_what_the_manifest_no_longer_says_goes_and_what_others_wrote_stays(
    cli: Cli, stand_in: StandIn, tmp_path: Path
) -> None:
    file = written(tmp_path, WEB.replace("tier: front", "tier: front, team: web"))
    await cli.ok("apply", "-f", file)
    await cli.ok("patch", "deploy", "web", "-p", "metadata: {labels: {theirs: stays}}")
    await cli.ok("scale", "deploy", "web", "--replicas=7")
    written(tmp_path, WEB.replace("tier: front", "team: web").replace("  replicas: 3\n", ""))
    await cli.ok("apply", "-f", file)
    web = await stand_in.get(Deployment, "web")
    assert dict(web.metadata.labels) == {"team": "web", "theirs": "stays"}
    # Dropped from the manifest, so the field goes; and a Deployment that does not say has one replica.
    assert web.spec.replicas == 1


async def test_an_object_that_was_not_applied_before_loses_nothing(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    file = written(tmp_path, CONFIG)
    await cli.ok("create", "-f", file)
    written(tmp_path, CONFIG.replace('a: "1", ', ""))
    ran = await cli.run("apply", "-f", file)
    assert (ran.code, ran.out) == (0, "configmap/settings configured\n")
    assert ran.err.startswith(
        f"Warning: resource configmaps/settings is missing the {LAST_APPLIED} annotation which is required"
    )
    assert dict((await stand_in.get(ConfigMap, "settings")).data) == {"a": "1", "b": "2"}


async def test_files_folders_and_standard_input(cli: Cli, tmp_path: Path) -> None:
    written(tmp_path, CONFIG.replace("settings", "one"), "1.yaml")
    written(tmp_path, json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}}), "2.json")
    written(tmp_path, "not a manifest", "3.txt")
    (tmp_path / "inner").mkdir()
    written(tmp_path / "inner", CONFIG.replace("settings", "three"))
    assert await cli.ok("apply", "-f", str(tmp_path)) == "configmap/one created\nconfigmap/two created\n"
    three = await cli.ok("apply", "-R", "-f", str(tmp_path))
    assert three == "configmap/one unchanged\nconfigmap/two unchanged\nconfigmap/three created\n"
    both = CONFIG.replace("settings", "four") + "---\n" + CONFIG.replace("settings", "five")
    assert await cli.ok("apply", "-f", "-", input=both) == "configmap/four created\nconfigmap/five created\n"


async def test_namespaces(cli: Cli, tmp_path: Path) -> None:
    await cli.ok("create", "namespace", "shop")
    file = written(tmp_path, CONFIG)
    await cli.ok("apply", "-n", "shop", "-f", file)
    assert await cli.ok("get", "cm", "-n", "shop", "-o", "name") == "configmap/settings\n"
    written(tmp_path, CONFIG.replace("settings", "settings, namespace: other"))
    ran = await cli.run("apply", "-n", "shop", "-f", file)
    assert ran.code == 1
    assert ran.err == (
        'error: the namespace from the provided object "other" does not match the namespace "shop". '
        "You must pass '--namespace=other' to perform this operation.\n"
    )


async def test_one_failure_does_not_keep_the_others_back(cli: Cli, tmp_path: Path) -> None:
    text = CONFIG.replace("settings", "one, namespace: nowhere") + "---\n" + CONFIG.replace("settings", "two")
    ran = await cli.run("apply", "-f", written(tmp_path, text))
    assert (ran.code, ran.out) == (1, "configmap/two created\n")
    assert ran.err == 'Error from server (NotFound): namespaces "nowhere" not found\n'


@pytest.mark.parametrize(("flag", "suffix"), [("client", "(dry run)"), ("server", "(server dry run)")])
async def test_a_dry_run_stores_nothing(cli: Cli, tmp_path: Path, flag: str, suffix: str) -> None:
    file = written(tmp_path, WEB)
    assert await cli.ok("apply", "-f", file, f"--dry-run={flag}") == f"deployment.apps/web created {suffix}\n"
    assert (await cli.run("get", "deploy", "web")).code == 1
    await cli.ok("apply", "-f", file)
    written(tmp_path, WEB.replace("1.7.9", "1.9.1"))
    assert await cli.ok("apply", "-f", file, f"--dry-run={flag}") == f"deployment.apps/web configured {suffix}\n"
    assert "nginx:1.7.9" in await cli.ok("get", "deploy", "web", "-o", "wide")


async def test_output_of_writes(cli: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, CONFIG)
    assert await cli.ok("apply", "-f", file, "-o", "name") == "configmap/settings\n"
    stored: dict[str, Any] = json.loads(await cli.ok("apply", "-f", file, "-o", "json"))
    assert (stored["kind"], stored["data"]) == ("ConfigMap", {"a": "1", "b": "2"})


async def test_create_refuses_what_exists(cli: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, CONFIG)
    assert await cli.ok("create", "-f", file) == "configmap/settings created\n"
    ran = await cli.run("create", "-f", file)
    assert (ran.code, ran.out) == (1, "")
    sentence = f'error when creating "{file}": configmaps "settings" already exists'
    assert ran.err == f"Error from server (AlreadyExists): {sentence}\n"


async def test_create_lets_the_server_choose_a_name(cli: Cli) -> None:
    made = await cli.ok("create", "-f", "-", input=CONFIG.replace("name: settings", "generateName: set-"))
    name = made.removeprefix("configmap/").removesuffix(" created\n")
    assert name.startswith("set-")
    assert len(name) == len("set-") + 5


GADGET = WEB.replace("kind: Deployment", "kind: Gadget").replace("name: web", "name: gadget")
NO_GADGETS = 'kind: no matches for kind "Gadget" in version "apps/v1"'


async def test_what_cannot_be_read_does_not_keep_the_rest_back(cli: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, f"{CONFIG}---\n{GADGET}---\n{WEB}---\n{CONFIG}more: 1\n")
    told = f"error: {file}: document 2, line 7: {NO_GADGETS}\nerror: {file}: document 4, line 42: more: unknown field\n"
    for line, out in (
        (("create", "-f"), "configmap/settings created\ndeployment.apps/web created\n"),
        (("apply", "-f"), "configmap/settings configured\ndeployment.apps/web configured\n"),
        (("apply", "-f"), "configmap/settings unchanged\ndeployment.apps/web unchanged\n"),
        (("get", "-o", "name", "-f"), "configmap/settings\ndeployment.apps/web\n"),
        (("delete", "--wait=false", "-f"), 'configmap "settings" deleted\ndeployment.apps "web" deleted\n'),
    ):
        ran = await cli.run(*line, file)
        assert (ran.code, ran.out) == (1, out)
        assert "".join(each for each in ran.err.splitlines(keepends=True) if "Warning" not in each) == told


async def test_a_file_that_cannot_be_read_does_not_keep_the_others_back(cli: Cli, tmp_path: Path) -> None:
    written(tmp_path, CONFIG, "b.yaml")
    (tmp_path / "a.yaml").write_bytes(b"\xff\xff")
    ran = await cli.run("apply", "-f", str(tmp_path))
    assert (ran.code, ran.out) == (1, "configmap/settings created\n")
    assert (
        ran.err
        == f"error: {tmp_path}/a.yaml: document 1, line 1: is neither UTF-8, nor UTF-16 with a byte order mark\n"
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
async def test_files_with_a_byte_order_mark(cli: Cli, tmp_path: Path, encoding: str) -> None:
    text = f"{CONFIG}---\n{CONFIG.replace('settings', 'grüße')}".replace("grüße", "other").replace('"1"', '"grüße"')
    (tmp_path / "a.yaml").write_bytes(text.encode(encoding))
    applied = await cli.ok("apply", "-f", str(tmp_path / "a.yaml"))
    assert applied == "configmap/settings created\nconfigmap/other created\n"
    assert "a: grüße" in await cli.ok("get", "cm", "other", "-o", "yaml")


async def test_null_takes_a_member_away_whoever_wrote_it(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    file = written(tmp_path, WEB)
    await cli.ok("apply", "-f", file)
    template = '{"spec": {"nodeSelector": {"disk": "ssd"}}}'
    theirs = f'{{"metadata": {{"labels": {{"owner": "someone"}}}}, "spec": {{"template": {template}}}}}'
    await cli.ok("patch", "deploy", "web", "-p", theirs)
    nulls = WEB.replace("tier: front", "tier: front, owner: null").replace(
        "    spec:\n", "    spec:\n      nodeSelector: null\n      securityContext: {}\n"
    )
    written(tmp_path, nulls)
    assert await cli.ok("apply", "-f", file) == "deployment.apps/web configured\n"
    web = await stand_in.get(Deployment, "web")
    assert dict(web.metadata.labels) == {"tier": "front"}
    assert dict(web.spec.template.spec.node_selector) == {}
    mark = json.loads(web.metadata.annotations[LAST_APPLIED])
    assert mark["metadata"]["labels"] == {"owner": None, "tier": "front"}
    assert mark["spec"]["template"]["spec"]["nodeSelector"] is None
    assert mark["spec"]["template"]["spec"]["securityContext"] == {}
    assert await cli.ok("apply", "-f", file) == "deployment.apps/web unchanged\n"


async def test_what_tools_print_is_applied_unchanged(cli: Cli, tmp_path: Path) -> None:
    """What kubectl's generators print holds an empty status, empty objects and creation times of null."""
    generated = WEB.replace("metadata: {labels", "metadata: {creationTimestamp: null, labels").replace(
        "  template:", "  strategy: {}\n  template:"
    )
    file = written(
        tmp_path, generated.replace("metadata:\n", "metadata:\n  creationTimestamp: null\n") + "status: {}\n"
    )
    await cli.ok("apply", "-f", file)
    assert await cli.ok("apply", "-f", file) == "deployment.apps/web unchanged\n"


async def test_values_are_compared_as_the_server_prints_them(cli: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, WEB + "        resources: {limits: {cpu: 0.5, memory: 1024Mi}}\n")
    await cli.ok("apply", "-f", file)
    assert await cli.ok("apply", "-f", file) == "deployment.apps/web unchanged\n"


async def test_server_side(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    file = written(tmp_path, WEB)
    for _ in range(2):
        assert await cli.ok("apply", "--server-side", "-f", file) == "deployment.apps/web serverside-applied\n"
    web = await stand_in.get(Deployment, "web")
    assert [(entry.manager, entry.operation) for entry in web.metadata.managed_fields] == [("rollplane", "Apply")]
    assert LAST_APPLIED not in web.metadata.annotations
    written(tmp_path, WEB.replace("replicas: 3", "replicas: 5"))
    ran = await cli.run("apply", "--server-side", "--field-manager=other", "-f", file)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(
        'error: Apply failed with 1 conflict: conflict with "rollplane": .spec.replicas\n'
        "Please review the fields above--they currently have other managers."
    )
    rehearsal = ("--dry-run=server", "--force-conflicts", "--field-manager=other")
    out = await cli.ok("apply", "--server-side", *rehearsal, "-f", file)
    assert out == "deployment.apps/web serverside-applied (server dry run)\n"
    assert (await stand_in.get(Deployment, "web")).spec.replicas == 3
    await cli.ok("apply", "--server-side", "--force-conflicts", "--field-manager=other", "-f", file)
    assert (await stand_in.get(Deployment, "web")).spec.replicas == 5


async def test_server_side_goes_on_where_client_side_ended(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    file = written(tmp_path, WEB.replace("tier: front", "tier: front, team: web"))
    await cli.ok("apply", "-f", file)
    await cli.ok("patch", "deploy", "web", "-p", "metadata: {labels: {theirs: stays}}")
    written(tmp_path, WEB.replace("replicas: 3", "replicas: 5"))
    assert await cli.ok("apply", "--server-side", "-f", file) == "deployment.apps/web serverside-applied\n"
    web = await stand_in.get(Deployment, "web")
    assert web.spec.replicas == 5
    assert dict(web.metadata.labels) == {"tier": "front", "theirs": "stays"}
    assert '"replicas":5' in web.metadata.annotations[LAST_APPLIED]
    assert await cli.ok("apply", "-f", file) == "deployment.apps/web unchanged\n"


async def test_flags_that_go_with_server_side_only(cli: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, WEB)
    forced = await cli.run("apply", "--force-conflicts", "-f", file)
    assert "--force-conflicts only works with --server-side" in forced.err
    rehearsed = await cli.run("apply", "--server-side", "--dry-run=client", "-f", file)
    assert "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)" in rehearsed.err
