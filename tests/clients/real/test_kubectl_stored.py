"""kubectl and kinds that are only stored: applied twice, changed, told, and taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollplane_apiserver.core.settings import CoreSettings
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, STORED_KINDS
from tests.clients.real.kubectl import kubectl
from tests.clients.tools.catalogue import KUBECTLS
from tests.gateway.serving import serving

KINDS = [kind for kind in STORED_KINDS if kind is not CUSTOM_RESOURCE_DEFINITION]
MANIFEST = Path(__file__).parent / "manifests" / "stored_kinds.yaml"
ALWAYS_SENT = {
    "endpoints/outside",  # the default protocol is in a list that is replaced whole
    "endpointslice.discovery.k8s.io/outside",
    "validatingadmissionpolicy.admissionregistration.k8s.io/limits",
}
"""What kubectl calls configured although nothing changes, here as with Kubernetes."""
CHANGES = {"busybox:1.36": "busybox:1.37", 'pods: "10"': 'pods: "20"', "number: 80": "number: 81"}


@pytest.mark.parametrize("release", KUBECTLS)
async def test_every_kind_is_applied_twice_changed_and_deleted(release: str, tmp_path: Path) -> None:
    text = MANIFEST.read_text()
    for old, new in CHANGES.items():
        assert old in text
        text = text.replace(old, new)
    changed = tmp_path / "changed.yaml"
    changed.write_text(text)
    async with serving(settings=CoreSettings(ignore_webhooks=True)) as gateway:
        client = kubectl(release, gateway.url, tmp_path)
        first = await client.run("apply", "-f", MANIFEST)
        assert first.code == 0, first.err
        assert len([line for line in first.lines if line.endswith(" created")]) == len(KINDS)
        twice = (await client.done("apply", "-f", MANIFEST)).lines
        unknown = {"cronjob.batch/nightly"} if release == "1.20" else set()  # batch/v1 has it since 1.21
        assert {line.split()[0] for line in twice if not line.endswith(" unchanged")} == ALWAYS_SENT | unknown
        again = (await client.done("apply", "-f", changed)).lines
        assert {line.split()[0] for line in again if line.endswith(" configured")} - ALWAYS_SENT == {
            "cronjob.batch/nightly",
            "ingress.networking.k8s.io/web",
            "job.batch/once",
            "resourcequota/web",
        }
        job = (await client.done("get", "job", "once", "-o", "jsonpath={.spec.template.spec.containers[0]}")).out
        assert ("busybox:1.37" in job, '"name":"B"' in job) == (True, True)
        assert "web.example.com" in (await client.done("get", "ingress")).out
        gone = await client.done("delete", "-f", MANIFEST, "--wait=false")
        assert len(gone.lines) == len(KINDS)


GENERATED = (
    ("job", "once", "--image=busybox", "--", "date"),
    ("job", "again", "--from=cronjob/nightly"),
    ("role", "reader", "--verb=get", "--resource=pods"),
    ("rolebinding", "reader", "--role=reader", "--user=somebody"),
    ("clusterrole", "reader", "--verb=get", "--resource=pods"),
    ("clusterrolebinding", "reader", "--clusterrole=reader", "--user=somebody"),
    ("quota", "small", "--hard=pods=50"),
    ("priorityclass", "high", "--value=7"),
)


@pytest.mark.parametrize("release", [each for each in KUBECTLS if each != "1.20"])
async def test_generators_send_protobuf_and_are_understood(release: str, tmp_path: Path) -> None:
    async with serving() as gateway:
        client = kubectl(release, gateway.url, tmp_path)
        await client.done("create", "deployment", "web", "--image=nginx")
        first = await client.run("create", "cronjob", "nightly", "--image=busybox", "--schedule=@daily", "--", "date")
        assert (first.code, first.out) == (0, "cronjob.batch/nightly created\n"), first.err
        for words in (*GENERATED, ("ingress", "web", "--rule=a.example.com/*=web:80")):
            ran = await client.run("create", *words)
            assert ran.code == 0, ran.err
            assert ran.out.endswith("created\n")
        scaled = await client.run("autoscale", "deployment/web", "--min=1", "--max=3", "--cpu-percent=70")
        assert scaled.code == 0, scaled.err
        shown = (await client.done("get", "hpa", "web", "--no-headers")).out.split()
        assert shown[:7] == ["web", "Deployment/web", "cpu:", "<unknown>/70%", "1", "3", "0"]
        explained = (await client.done("explain", "job.spec.template.spec.containers.image")).out
        assert "string" in explained
