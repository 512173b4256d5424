"""kubectl and custom kinds: defined, waited for, applied, explained, scaled, patched and taken away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients.real.kubectl import kubectl
from tests.clients.tools.catalogue import KUBECTLS
from tests.customs import GROUP, custom, definition, version
from tests.gateway.serving import serving

ONE = f"crontab.{GROUP}/one"


def written(folder: Path, name: str, *documents: object) -> Path:
    file = folder / name
    file.write_text("\n---\n".join(map(json.dumps, documents)))
    return file


@pytest.mark.parametrize("release", KUBECTLS)
async def test_a_life(release: str, tmp_path: Path) -> None:
    crd = written(tmp_path, "crd.yaml", definition(version("v1"), version("v1beta1", storage=False)))
    tab = written(tmp_path, "tab.yaml", custom())
    async with serving() as gateway:
        client = kubectl(release, gateway.url, tmp_path)
        assert "created" in (await client.done("apply", "-f", crd)).out
        assert "unchanged" in (await client.done("apply", "-f", crd)).out
        await client.done("wait", "--for=condition=established", f"crd/crontabs.{GROUP}", "--timeout=20s")
        assert (await client.done("apply", "-f", tab)).lines == [f"{ONE} created"]
        assert (await client.done("apply", "-f", tab)).lines == [f"{ONE} unchanged"]
        changed = written(tmp_path, "tab.yaml", custom(spec={"cron": "* * * * 5", "replicas": 2}))
        assert (await client.done("apply", "-f", changed)).lines == [f"{ONE} configured"]
        applied = await client.done("apply", "--server-side", "--force-conflicts", "-f", changed)
        assert applied.lines == [f"{ONE} serverside-applied"]
        header, row = (await client.done("get", "cr")).lines
        assert header.split() == ["NAME", "CRON", "AGE"]
        assert row.split()[:6] == ["one", "*", "*", "*", "*", "5"]
        assert "REPLICAS" in (await client.done("get", "crontabs", "-o", "wide")).out
        assert ONE in (await client.done("get", "all", "-o", "name")).out
        assert f"{GROUP}/v1beta1" in (await client.done("get", f"crontabs.v1beta1.{GROUP}", "one", "-o", "yaml")).out
        assert "scaled" in (await client.done("scale", ONE, "--replicas=5")).out
        await client.done("patch", "crontab", "one", "--type=merge", "-p", '{"spec":{"replicas":6}}')
        assert (await client.done("get", ONE, "-o", "jsonpath={.spec.replicas}")).out == "6"
        assert "crontabs" in (await client.done("api-resources", f"--api-group={GROUP}")).out
        told = (await client.done("explain", "crontab.spec")).out
        assert ("replicas" in told, "<integer>" in told) == (True, True)
        assert f"crontabs.{GROUP}" in (await client.done("get", "crd")).out
        assert "Replicas" in (await client.done("describe", "crontab", "one")).out
        odd = written(tmp_path, "odd.yaml", custom("odd", spec={"cron": "* * * * 5", "colour": "red"}))
        refused = await client.run("apply", "-f", odd)
        assert (refused.code, "colour" in refused.err) == (1, True), refused
        wrong = written(tmp_path, "wrong.yaml", custom("wrong", spec={"cron": "now"}))
        refused = await client.run("apply", "-f", wrong)
        assert (refused.code, "spec.cron" in refused.err) == (1, True), refused
        assert "deleted" in (await client.done("delete", "crontab", "one")).out
        assert "deleted" in (await client.done("delete", "-f", crd, "--wait=false")).out
