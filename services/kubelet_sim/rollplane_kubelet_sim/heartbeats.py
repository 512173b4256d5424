"""Nodes that register, stay alive, and say so: one batch a second for a whole fleet."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence

from rollplane.core.v1 import Node
from rollplane_kubelet_sim.addresses import node_address
from rollplane_kubelet_sim.node_objects import (
    LEASE_NAMESPACE,
    NodeShape,
    is_healthy,
    lease_object,
    node_object,
    set_healthy,
)
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.api import (
    Create,
    Key,
    ObjectApi,
    Patch,
    PatchType,
    Update,
    UpdateStatus,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import Clock
from rollplane_machinery.codec import to_json
from rollplane_machinery.errors import AlreadyExistsError, ConflictError, RollplaneError
from rollplane_machinery.kinds import LEASE, Encoded

log = logging.getLogger(__name__)

RENEW_SECONDS = 10
BATCH = 500
OPTIONS = WriteOptions("kubelet", omit_object=True)


class Heartbeats:
    """Keeps the nodes of one fleet registered and their leases fresh, unless the profile silences them."""

    def __init__(
        self,
        api: ObjectApi,
        nodes: Mapping[str, int],
        shape: NodeShape,
        profile: Callable[[], Profile],
        *,
        clock: Clock,
    ) -> None:
        self._api = api
        self._nodes = nodes
        self._shape = shape
        self._profile = profile
        self._clock = clock
        self._tick = 0
        self._versions: dict[str, int] = {}

    async def register(self) -> None:
        """Create all nodes and their leases; those that exist are left as they are. Raises what the Api raises."""
        now = self._clock.now()
        nodes = (node_object(name, node_address(number), self._shape, now) for name, number in self._nodes.items())
        await self._send([Create(Encoded.of(node), OPTIONS) for node in nodes])
        leases = {name: Create(Encoded.of(lease_object(name, now)), OPTIONS) for name in self._nodes}
        await self._write_leases(leases)

    async def run(self) -> None:
        """Renew a tenth of the leases each second, so that each is renewed every ten, until cancelled."""
        while True:
            await self._clock.sleep(1.0)
            self._tick += 1
            now = self._clock.now()
            due = [name for name, number in self._nodes.items() if (number + self._tick) % RENEW_SECONDS == 0]
            try:
                await self._write_leases({name: self._renewal(name, now) for name in self._alive(due)})
            except RollplaneError as exc:
                log.warning("heartbeat not sent", extra={"reason": exc.reason, "detail": exc.message})

    async def recover(self, node: Node) -> None:
        """Report a node healthy again that somebody else has marked; does nothing for a silent one."""
        name = node.metadata.name
        if name not in self._nodes or self._profile().is_silent(name) or is_healthy(list(node.status.conditions)):
            return
        set_healthy(node, self._clock.now())
        try:
            await self._api.write(UpdateStatus(Encoded.of(node), OPTIONS))
        except RollplaneError as exc:
            log.info("node not reported", extra={"node": name, "reason": exc.reason})

    def _renewal(self, name: str, now: float) -> Write:
        """Return the write that renews a lease: on top of our last one, or whatever is stored when that is unknown."""
        lease = lease_object(name, now)
        if name not in self._versions:
            patch = json.dumps({"spec": {"renewTime": to_json(lease)["spec"]["renewTime"]}})
            return Patch(Key(LEASE, LEASE_NAMESPACE, name), PatchType.MERGE, patch.encode(), options=OPTIONS)
        lease.metadata.resource_version = str(self._versions[name])
        return Update(Encoded.of(lease), OPTIONS)

    async def _write_leases(self, writes: Mapping[str, Write]) -> None:
        """Write leases and remember their versions; one that was refused is patched the next time."""
        for name, answer in zip(writes, await self._send(list(writes.values())), strict=True):
            if isinstance(answer, WriteResult):
                self._versions[name] = answer.revision
            else:
                self._versions.pop(name, None)

    def _alive(self, names: Sequence[str]) -> list[str]:
        profile = self._profile()
        return [name for name in names if not profile.is_silent(name)]

    async def _send(self, writes: Sequence[Write]) -> list[WriteResult | RollplaneError]:
        answers: list[WriteResult | RollplaneError] = []
        for start in range(0, len(writes), BATCH):
            answers += await self._api.batch(writes[start : start + BATCH])
        for answer in answers:
            if isinstance(answer, RollplaneError) and not isinstance(answer, AlreadyExistsError | ConflictError):
                log.warning("node not written", extra={"reason": answer.reason, "detail": answer.message})
        return answers
