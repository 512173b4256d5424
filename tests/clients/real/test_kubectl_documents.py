"""What kubectl makes of discovery and of OpenAPI: names, explanations, patches, and no warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollplane_machinery.kinds import DEPLOYMENT, KINDS
from rollplane_machinery.releases import LATEST
from rollplane_machinery.served import served
from tests.clients.real.kubectl import kubectl
from tests.clients.tools.catalogue import KUBECTLS
from tests.gateway.serving import serving

MANIFEST = Path(__file__).parent / "manifests" / "every_kind.yaml"
ALWAYS_SENT = {
    "statefulset.apps/db": "claim templates are one value, and what the server adds to them is not in the file",
    "secret/settings": "stringData is not stored",
    "poddisruptionbudget.policy/web": "a selector is replaced by every patch",
}
"""What kubectl calls configured although nothing changes, here as with Kubernetes."""
CHANGES = {"nginx:1.27": "nginx:1.28", "replicas: 2": "replicas: 3", 'drop: ["ALL"]': 'drop: ["NET_RAW"]'}

every_release = pytest.mark.parametrize("release", KUBECTLS)


@every_release
async def test_versions_and_resources(release: str, tmp_path: Path) -> None:
    async with serving() as gateway:
        client = kubectl(release, gateway.url, tmp_path)
        told = await client.run("version", "-o", "json")
        assert '"gitVersion": "v1.37.0+rollplane"' in told.out
        versions = (await client.done("api-versions")).lines
        assert sorted(versions) == sorted(map(str, served(LATEST).by_group_version))
        names = (await client.done("api-resources", "-o", "name")).lines
        assert {kind.resource for kind in KINDS} <= set(names)
        wide = (await client.done("api-resources", "--no-headers")).lines
        assert next(line.split() for line in wide if line.startswith(f"{DEPLOYMENT.plural} "))[1] == "deploy"
        assert (await client.run("get", "all")).code == 0


@every_release
async def test_every_field_of_every_kind_is_explained(release: str, tmp_path: Path) -> None:
    async with serving() as gateway:
        client = kubectl(release, gateway.url, tmp_path)
        for kind in KINDS:
            version = f"--api-version={kind.api_version}"
            told = await client.done("explain", kind.plural, "--recursive", version)
            assert "<empty>" not in told.out
            assert len(told.lines) > 8, told.out
        text = (await client.done("explain", "deployment.spec.paused")).out
        assert "Freezes rollouts: template changes wait" in " ".join(text.split())


@every_release
async def test_apply_twice_and_diff_without_a_warning(release: str, tmp_path: Path) -> None:
    changed = tmp_path / "changed.yaml"
    text = MANIFEST.read_text()
    for old, new in CHANGES.items():
        assert old in text
        text = text.replace(old, new)
    changed.write_text(text)
    async with serving() as gateway:
        client = kubectl(release, gateway.url, tmp_path)
        assert all(line.endswith(" created") for line in (await client.done("apply", "-f", MANIFEST)).lines)
        again = (await client.done("apply", "-f", MANIFEST)).lines
        assert {line for line in again if not line.endswith(" unchanged")} <= {
            f"{name} configured" for name in ALWAYS_SENT
        }
        same = await client.done("diff", "-f", MANIFEST)
        assert same.out == ""
        other = await client.run("diff", "-f", changed)
        assert (other.code, other.err) in ((1, ""), (1, "exit status 1\n"))
        assert "+        image: nginx:1.28" in other.lines
        configured = (await client.done("apply", "-f", changed)).lines
        assert "deployment.apps/web configured" in configured
        assert (await client.done("diff", "-f", changed)).out == ""
