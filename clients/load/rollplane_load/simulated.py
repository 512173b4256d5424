"""What simulated kubelets can be told: the profile they live by, changed at run time, and orders to pods.

Through objects only (docs/simulation.md), so that it works over gRPC and REST alike. A real kubelet heeds neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from rollplane.core.v1 import ConfigMap
from rollplane_load.cluster import Cluster
from rollplane_machinery.api import Create, Delete, Key, Patch, PatchType
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import CONFIG_MAP, POD, Encoded

PROFILE_KEY = Key(CONFIG_MAP, "kube-system", "rollplane-simulation")
ENTRY = "profile.yaml"
ORDER = "sim.rollplane.dev/do"


class Simulation:
    """Changes ``profile``, the YAML that kubelets live by, for as long as faults last."""

    def __init__(self, cluster: Cluster, profile: str) -> None:
        self._cluster = cluster
        self._profile: Mapping[str, Any] = yaml.safe_load(profile) or {}
        self._nodes: dict[str, list[str]] = {"silent_nodes": [], "unready_nodes": []}
        self._restarts: dict[str, int] = {}
        self._before: str | None = None
        self.changed = False

    async def strike(self, field: str, node: str) -> None:
        """Put ``node``, a name or pattern, among the ``silent_nodes`` or ``unready_nodes``."""
        self._nodes[field].append(node)
        await self._store()

    async def heal(self, field: str, node: str) -> None:
        """Take it out again."""
        self._nodes[field].remove(node)
        await self._store()

    async def restart_kubelet(self, node: str) -> None:
        """Restart the kubelets of ``node``."""
        self._restarts[node] = self._restarts.get(node, 0) + 1
        await self._store()

    async def crash(self, namespace: str, pod: str) -> None:
        """Order a pod to crash."""
        body = json.dumps({"metadata": {"annotations": {ORDER: "crash"}}}).encode()
        await self._cluster.write(Patch(Key(POD, namespace, pod), PatchType.MERGE, body))

    async def restore(self) -> None:
        """Let kubelets live as they did before the load."""
        if not self.changed:
            return
        if self._before is None:
            await self._cluster.write(Delete(PROFILE_KEY))
        else:
            await self._patch(self._before)
        self.changed = False

    async def _store(self) -> None:
        text = yaml.safe_dump(self._changed_profile())
        if not self.changed:
            self._before = await self._stored()
        self.changed = True
        try:
            await self._patch(text)
        except NotFoundError:
            made = ConfigMap()
            made.metadata.name, made.metadata.namespace = PROFILE_KEY.name, PROFILE_KEY.namespace
            made.data[ENTRY] = text
            await self._cluster.write(Create(Encoded.of(made)))

    async def _patch(self, text: str) -> None:
        body = json.dumps({"data": {ENTRY: text}}).encode()
        await self._cluster.write(Patch(PROFILE_KEY, PatchType.MERGE, body))

    async def _stored(self) -> str | None:
        try:
            there = (await self._cluster.get(PROFILE_KEY)).parse()
        except NotFoundError:
            return None
        if not isinstance(there, ConfigMap) or ENTRY not in there.data:
            return None
        self._profile = yaml.safe_load(there.data[ENTRY]) or {}
        return there.data[ENTRY]

    def _changed_profile(self) -> Mapping[str, Any]:
        changed = dict(self._profile)
        for field, nodes in self._nodes.items():
            changed[field] = [*_listed(self._profile.get(field)), *nodes]
        changed["restarts"] = {**(self._profile.get("restarts") or {}), **self._restarts}
        return changed


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
