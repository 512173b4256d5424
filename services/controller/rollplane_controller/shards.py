"""Which shards this process owns: leases held in bulk, an epoch for each, and fences raised before anything is planned.

Namespaces are spread over 64 shards; work that spans namespaces has shards of its own. All leases are taken and
renewed in one batch each, so holding 67 of them costs what holding one does.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from rollplane.coordination.v1 import Lease
from rollplane_client.lease_plan import LeaseTimes, Observation, new_lease, released, renewed, taken
from rollplane_machinery.api import Create, Fence, Key, ListQuery, ObjectApi, Update, Write, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import FencedError, RollplaneError
from rollplane_machinery.kinds import LEASE, Encoded
from rollplane_machinery.shards import SHARDS, shard_of

log = logging.getLogger(__name__)

NAMESPACE = "kube-system"
PREFIX = "rollplane-"
SCHEDULER, GARBAGE_COLLECTOR, CLUSTER = "scheduler", "garbage-collector", "cluster"
SINGLETONS = (SCHEDULER, GARBAGE_COLLECTOR, CLUSTER)
RELEASE_SECONDS = 1.0
"""How long a leaving process tries to give its leases up; without, they run out by themselves."""
ALL_SHARDS = (*SINGLETONS, *(f"ns-{number}" for number in range(SHARDS)))


@functools.lru_cache(maxsize=4096)
def _shard_name(namespace: str) -> str:
    return f"ns-{shard_of(namespace)}"


@dataclass(frozen=True, slots=True)
class _Held:
    """A lease as last written by us, its epoch, and until when (by our own clock) we may act on it."""

    lease: Lease
    epoch: int
    until: float


class ShardOwner:
    """Holds the leases of ``shards`` as far as they can be had.

    A new owner raises the fence, looks, then plans: ``reached`` tells the revision that the observer has reached, and
    ``on_acquired`` is called once that covers all a former owner can have written. ``on_lost`` is called when nothing
    may be written for a shard any more.
    """

    def __init__(
        self,
        api: ObjectApi,
        identity: str,
        *,
        clock: Clock,
        reached: Callable[[], int],
        shards: Sequence[str] = ALL_SHARDS,
        times: LeaseTimes | None = None,
        on_acquired: Callable[[frozenset[str]], None] = lambda _shards: None,
        on_lost: Callable[[frozenset[str]], None] = lambda _shards: None,
    ) -> None:
        self._api = api
        self._identity = identity
        self._clock = clock
        self._reached = reached
        self._shards = shards
        self._times = times or LeaseTimes()
        self._on_acquired = on_acquired
        self._on_lost = on_lost
        self._held: dict[str, _Held] = {}
        self._catching_up: dict[str, int | None] = {}
        self._seen: dict[str, Observation] = {}
        self._distrusted = asyncio.Event()
        self.looked = asyncio.Event()
        """Set once all leases have been looked at, whether they could be had or not."""

    @property
    def owned(self) -> frozenset[str]:
        """The shards that may be written for now."""
        return frozenset(shard for shard in self._held if self.fence(shard))

    def fence(self, shard: str) -> Fence | None:
        """Return the fence for a write to ``shard``, None when it is not ours, or no longer surely so."""
        held = self._held.get(shard)
        if held is None or shard in self._catching_up or self._clock.monotonic() >= held.until:
            return None
        return Fence(shard, held.epoch)

    def fence_for(self, namespace: str) -> Fence | None:
        """Return the fence for a write inside ``namespace``."""
        return self.fence(_shard_name(namespace))

    def distrust(self, fence: Fence) -> None:
        """Take note that a write with ``fence`` was refused: its shard is to be acquired anew, if it can be."""
        held = self._held.get(fence.shard)
        if held is not None and held.epoch == fence.epoch:
            self._lose(frozenset((fence.shard,)))
            self._distrusted.set()

    async def run(self) -> None:
        """Take, renew and retake leases until cancelled; gives them up then."""
        try:
            while True:
                try:
                    await self.tend()
                except RollplaneError as exc:
                    log.warning("leases not renewed", extra={"reason": exc.reason, "detail": exc.message})
                self._drop_overdue()
                missing = len(self._held) < len(self._shards)
                await self._rest(self._times.retry_seconds if missing else self._times.renew_seconds)
        finally:
            await self._release()

    async def _rest(self, seconds: float) -> None:
        """Wait for the next round, or until a fence turns out not to hold."""
        async with asyncio.TaskGroup() as waiting:
            alarm = waiting.create_task(self._clock.sleep(seconds))
            doubt = waiting.create_task(self._distrusted.wait())
            await asyncio.wait((alarm, doubt), return_when=asyncio.FIRST_COMPLETED)
            alarm.cancel()
            doubt.cancel()
        self._distrusted.clear()

    async def tend(self) -> None:
        """Renew what is held and take what is free, in one round. Raises what the Api raises."""
        stored = await self._read()
        await self._write(self._renewals(stored), acquiring=False)
        await self._write(self._claims(stored), acquiring=True)
        await self._raise_fences(shard for shard, needed in self._catching_up.items() if needed is None)
        self.looked.set()

    async def _read(self) -> dict[str, Lease]:
        """Return the leases of our shards that are stored, by shard."""
        leases: dict[str, Lease] = {}
        token = ""
        while True:
            page = await self._api.list(ListQuery(LEASE, NAMESPACE, continue_token=token))
            for encoded in page.objects:
                lease = Lease.FromString(encoded.value)
                leases[lease.metadata.name.removeprefix(PREFIX)] = lease
            token = page.continue_token
            if not token:
                return leases

    def _renewals(self, stored: dict[str, Lease]) -> dict[str, Lease]:
        """Return the renewed leases of shards that are held and still ours; the others are lost."""
        now = self._clock.now()
        ours = {shard for shard in self._held if shard in stored and self._is_ours(stored[shard])}
        self._lose(frozenset(self._held) - ours)
        return {shard: renewed(stored[shard], now) for shard in ours}

    def _is_ours(self, lease: Lease) -> bool:
        return lease.spec.holder_identity == self._identity

    def _claims(self, stored: dict[str, Lease]) -> dict[str, Lease]:
        """Return the leases to write for shards that are nobody's now, or were ours in an earlier life."""
        claims = {}
        now = self._clock.now()
        for shard in self._shards:
            if shard in self._held:
                continue
            lease = stored.get(shard)
            if lease is None:
                key = Key(LEASE, NAMESPACE, PREFIX + shard)
                claims[shard] = new_lease(key, self._identity, self._times, now)
            elif self._is_ours(lease) or self._is_free(shard, lease):
                claims[shard] = taken(lease, self._identity, self._times, now)
        return claims

    def _is_free(self, shard: str, lease: Lease) -> bool:
        monotonic = self._clock.monotonic()
        seen = self._seen[shard] = Observation.of(lease, monotonic, self._seen.get(shard))
        return seen.is_free(monotonic)

    async def _write(self, leases: dict[str, Lease], *, acquiring: bool) -> None:
        """Write leases in one batch; those that went through are held from now on."""
        if not leases:
            return
        started = self._clock.monotonic()
        results = await self._api.batch([_write_of(lease) for lease in leases.values()])
        until = started + self._times.deadline_seconds
        for (shard, lease), result in zip(leases.items(), results, strict=True):
            if not isinstance(result, WriteResult):
                continue
            lease.metadata.resource_version = str(result.revision)
            if acquiring:
                self._held[shard] = _Held(lease, result.revision, until)
                self._catching_up[shard] = None
            else:
                self._held[shard] = replace(self._held[shard], lease=lease, until=until)

    async def _raise_fences(self, shards: Iterable[str]) -> None:
        """Close the shards to everybody else's writes; a shard whose fence is higher already is not ours.

        What it could not be done for is done at the next round: until then the shard is held, but not acted for.
        """
        raised = set()
        for shard in sorted(shards):
            try:
                await self._api.raise_fence(Fence(shard, self._held[shard].epoch))
                raised.add(shard)
            except FencedError:
                self._held.pop(shard)
                self._catching_up.pop(shard)
        if raised:
            # Whatever a former owner wrote is below the revision read now: its later writes are refused.
            page = await self._api.list(ListQuery(LEASE, NAMESPACE, limit=1))
            self._catching_up.update(dict.fromkeys(raised, page.revision))
            self.catch_up(self._reached())

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

    def _drop_overdue(self) -> None:
        """Stop acting for shards whose leases could not be renewed in time: another may hold them now."""
        monotonic = self._clock.monotonic()
        self._lose(frozenset(shard for shard, held in self._held.items() if monotonic >= held.until))

    def _lose(self, shards: frozenset[str]) -> None:
        for shard in shards:
            self._held.pop(shard, None)
            self._catching_up.pop(shard, None)
        if shards:
            log.warning("shards lost", extra={"shards": len(shards)})
            self._on_lost(shards)

    async def _release(self) -> None:
        """Give up what is held, so that nobody has to wait for it; best effort, it runs out by itself."""
        now = self._clock.now()
        writes = [Update(Encoded.of(released(held.lease, now))) for held in self._held.values()]
        self._held.clear()
        try:
            if writes:
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self._api.batch(writes)
        except TimeoutError:
            log.info("leases not released", extra={"reason": "no answer"})
        except RollplaneError as exc:
            log.info("leases not released", extra={"reason": exc.reason})


def _write_of(lease: Lease) -> Write:
    encoded = Encoded.of(lease)
    return Update(encoded) if lease.metadata.resource_version else Create(encoded)
