"""Which shards this process owns: a lease and an epoch for each, and fences raised before anything is planned.

Namespaces are spread over 64 shards, or fewer where one process is to hold them all; work that spans namespaces has
shards of its own. How leases are held is ``rollplane_client.leases``'s business.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence

from rollplane_client.lease_identity import name_in
from rollplane_client.lease_plan import LeaseTimes
from rollplane_client.leases import LeaseHolder
from rollplane_controller.reconcile.soundings import sound
from rollplane_machinery.api import Fence, ObjectApi
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import FencedError
from rollplane_machinery.shards import SHARDS, shard_of

log = logging.getLogger(__name__)

NAMESPACE = "kube-system"
PREFIX = "rollplane-"
SCHEDULER, GARBAGE_COLLECTOR, CLUSTER = "scheduler", "garbage-collector", "cluster"
SINGLETONS = (SCHEDULER, GARBAGE_COLLECTOR, CLUSTER)


def shards_of(spread: int) -> Sequence[str]:
    """Return all shards where namespaces are spread over ``spread`` of them."""
    return (*SINGLETONS, *(f"ns-{number}" for number in range(spread)))


ALL_SHARDS = shards_of(SHARDS)


TIMES = LeaseTimes(duration_seconds=10, deadline_seconds=8.0, renew_seconds=3.0, retry_seconds=1.0)
"""A killed owner's shards have moved within 15 seconds, the start of the next process included.

Five seconds without an apiserver lose none.
"""


@functools.lru_cache(maxsize=4096)
def shard_name(namespace: str, spread: int = SHARDS) -> str:
    """Return the shard that a namespace belongs to."""
    return f"ns-{shard_of(namespace) % spread}"


@functools.lru_cache(maxsize=2 * len(ALL_SHARDS))
def _fence(shard: str, epoch: int) -> Fence:
    """Return the one fence of an epoch, asked for with every write."""
    return Fence(shard, epoch)


def presence(identity: str) -> str:
    """Return the lease that stands for the name in ``identity``, by which two who bear it notice each other.

    "" when there is no name in it. A digest, because a name for people need not be one for objects: a kube-apiserver
    names its own like this.
    """
    name = name_in(identity)
    return f"{PREFIX}controller-{hashlib.sha256(name.encode()).hexdigest()[:16]}" if name else ""


class ShardOwner:
    """Owns those shards whose leases can be had; namespaces are spread over ``spread`` of them.

    A new owner raises the fence, looks, then plans: ``reached`` tells the revision that the observer has reached, and
    ``on_acquired`` is called once that covers all a former owner can have written. So it is with shards
    whose lease was renewed after it had lapsed: what was to be done meanwhile was held back.
    """

    def __init__(
        self,
        api: ObjectApi,
        identity: str,
        *,
        clock: Clock,
        reached: Callable[[], int],
        on_acquired: Callable[[frozenset[str]], None],
        spread: int = SHARDS,
        times: LeaseTimes = TIMES,
    ) -> None:
        self._api = api
        self._reached = reached
        self._on_acquired = on_acquired
        self._spread = spread
        self._lease_of = {shard: PREFIX + shard for shard in shards_of(spread)}
        self._shard_of = {lease: shard for shard, lease in self._lease_of.items()}
        self._leases = LeaseHolder(
            api,
            NAMESPACE,
            self._lease_of.values(),
            identity,
            clock=clock,
            times=times,
            own=presence(identity),
            on_acquired=self._note_acquired,
            on_lost=self._note_lost,
        )
        self._catching_up: dict[str, int | None] = {}
        """The shards that are held, but not acted for yet: until which revision; None before their fence is raised."""
        self.looked = asyncio.Event()
        """Set once all leases have been looked at, whether they could be had or not."""

    @property
    def owned(self) -> frozenset[str]:
        """The shards that may be written for now."""
        return frozenset(shard for shard in self._lease_of if self.fence(shard))

    def fence(self, shard: str) -> Fence | None:
        """Return the fence for a write to ``shard``, None when it is not ours, or no longer surely so."""
        epoch = self._leases.epoch(self._lease_of[shard])
        return None if epoch is None or shard in self._catching_up else _fence(shard, epoch)

    def shard_of(self, namespace: str) -> str:
        """Return the shard that a namespace belongs to."""
        return shard_name(namespace, self._spread)

    def distrust(self, fence: Fence) -> None:
        """Take note that a write with ``fence`` was refused: its shard is to be acquired anew, if it can be."""
        lease = self._lease_of[fence.shard]
        if self._leases.epoch(lease) == fence.epoch:
            self._leases.drop((lease,), hurry=True)

    async def run(self) -> None:
        """Take, renew and retake shards until cancelled; gives them up then."""
        await self._leases.run(self._raise_fences)

    def _note_acquired(self, epochs: Mapping[str, int]) -> None:
        self._catching_up.update(dict.fromkeys(self._shard_of[lease] for lease in epochs if lease in self._shard_of))

    def _note_lost(self, leases: frozenset[str]) -> None:
        for lease in leases & self._shard_of.keys():
            self._catching_up.pop(self._shard_of[lease], None)

    async def _raise_fences(self) -> None:
        """Close new shards to everybody else's writes; a shard whose fence is higher already is not ours.

        What it could not be done for is done at the next round: until then the shard is held, but not acted for.
        """
        raised = [shard for shard, needed in sorted(self._catching_up.items()) if needed is None]
        raised = [shard for shard in raised if await self._raise_fence(shard)]
        if raised:
            # Whatever a former owner wrote is below the revision read now: its later writes are refused.
            revision = await sound(self._api)
            self._catching_up.update({shard: revision for shard in raised if shard in self._catching_up})
            self.catch_up(self._reached())
        self.looked.set()

    async def _raise_fence(self, shard: str) -> bool:
        lease = self._lease_of[shard]
        epoch = self._leases.epoch(lease)
        if epoch is None:
            return False
        try:
            await self._api.raise_fence(Fence(shard, epoch))
        except FencedError:
            self._leases.drop((lease,))
            return False
        return True

    def catch_up(self, revision: int) -> None:
        """Take note that the observer has reached ``revision``; shards it has seen enough of may be planned for."""
        ready = frozenset(
            shard for shard, needed in self._catching_up.items() if needed is not None and needed <= revision
        )
        for shard in ready:
            del self._catching_up[shard]
        if ready:
            log.info("shards acquired", extra={"shards": len(ready)})
            self._on_acquired(ready)
