"""Kinds that are only stored, at the command line: applied, told, changed and deleted like all others."""

from __future__ import annotations

from pathlib import Path

from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import written

BUNDLE = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: menu}
spec:
  defaultBackend: {service: {name: menu, port: {number: 80}}}
  rules: [{host: menu.example.com}, {host: food.example.com}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "menu:reader"}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""


async def test_a_life(cli: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, BUNDLE)
    first = await cli.run("apply", "-f", file)
    assert first.out == (
        "ingress.networking.k8s.io/menu created\nclusterrole.rbac.authorization.k8s.io/menu:reader created\n"
    )
    assert first.err.splitlines() == [
        "Warning: Rollplane stores Ingresses but does not act on them",
        "Warning: Rollplane stores ClusterRoles but does not act on them",
    ]
    assert (await cli.ok("apply", "-f", file)).count("unchanged") == 2
    written(tmp_path, BUNDLE.replace("number: 80", "number: 81"))
    assert (await cli.ok("apply", "-f", file)).splitlines()[0] == "ingress.networking.k8s.io/menu configured"
    assert "number: 81" in await cli.ok("get", "ing", "menu", "-o", "yaml")
    table = (await cli.ok("get", "ingress")).splitlines()
    assert table[0].split() == ["NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "AGE"]
    assert table[1].split()[:3] == ["menu", "<none>", "menu.example.com,food.example.com"]
    told = await cli.ok("describe", "ingress", "menu")
    assert ("menu.example.com" in told, "81" in told) == (True, True)
    assert (await cli.ok("delete", "-f", file)).count("deleted") == 2
