"""Holding coordination.k8s.io/v1 Leases, so that of many processes one does the work that each of them stands for.

A lease decides who *should* act; that nobody else's writes go through is the fence's business, whose epoch is the
revision of the write that acquired the lease. The rules are in ``lease_plan``. All leases are read, taken and renewed
in one call each, so holding a hundred of them costs what holding one does.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace

from rollplane.coordination.v1 import Lease
from rollplane_client.lease_identity import has_ended, name_in
from rollplane_client.lease_plan import LeaseTimes, Observation, new_lease, released, renewed, taken
from rollplane_client.timeouts import within
from rollplane_machinery.api import Create, Delete, Key, ListQuery, ObjectApi, Preconditions, Update, Write, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import LEASE, Encoded

log = logging.getLogger(__name__)

RELEASE_SECONDS = 1.0
"""How long a leaving process tries to give its leases up; without, they run out by themselves."""
ALIVE_LOOKS = 2
"""In so many looks another must have renewed a lease to be thought alive."""
DEFAULT_TIMES = LeaseTimes()


async def _nothing() -> None:
    """Follow a round with nothing."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A lease as last written by us, its epoch, and until when (by our own clock) we may act on it."""

    lease: Lease
    epoch: int
    until: float


class LeaseHolder:
    """Holds as many of the leases ``names`` in ``namespace`` as can be had.

    ``on_acquired`` is called with the epochs of leases that are ours from now on, ``on_lost`` with the names of those
    in whose name nothing may be done any more; both synchronously, for each lease in turn. A lease that was renewed
    after it had lapsed counts as acquired. ``identity`` must be that of one life of one process (``lease_identity``).
    What stands for nothing but that life is told by ``own``: a further lease, which is deleted when it is given up.
    """

    def __init__(
        self,
        api: ObjectApi,
        namespace: str,
        names: Collection[str],
        identity: str,
        *,
        clock: Clock,
        times: LeaseTimes = DEFAULT_TIMES,
        own: str = "",
        on_acquired: Callable[[Mapping[str, int]], None] = lambda _epochs: None,
        on_lost: Callable[[frozenset[str]], None] = lambda _names: None,
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._names = (*names, own) if own else names
        self._own = own
        self._identity = identity
        self._clock = clock
        self._times = times
        self._on_acquired = on_acquired
        self._on_lost = on_lost
        self._held: dict[str, _Held] = {}
        self._seen: dict[str, Observation] = {}
        self._namesakes: Counter[str] = Counter()
        """In how many looks each other life of our own name had renewed a lease."""
        self._hurry = asyncio.Event()

    def epoch(self, name: str) -> int | None:
        """Return the revision of the write that acquired the lease; None when it is not ours, or no longer surely."""
        held = self._held.get(name)
        return held.epoch if held is not None and self._clock.monotonic() < held.until else None

    def drop(self, names: Collection[str], *, hurry: bool = False) -> None:
        """Stop acting on leases that turned out not to be ours; ``hurry``: try at once to acquire them anew."""
        self._lose(frozenset(names))
        if hurry:
            self._hurry.set()

    async def run(self, also: Callable[[], Awaitable[None]] = _nothing) -> None:
        """Take, renew and retake leases until cancelled; then give them up, which takes a second at most.

        ``also`` is awaited after each round; what either raises is logged, and tried again in the next.
        """
        try:
            while True:
                await self._round(also)
                await self._rest()
        finally:
            await self._release()

    async def tend(self) -> None:
        """Renew what is held and take what is free, in one round. Raises what the Api raises.

        A lease is free when nobody holds it, or when this object has seen it unchanged for its duration: so the first
        look at one that another holds never takes it. While all are held they are renewed unread: whose lease was
        changed is refused, as the revision is not the one it wrote.
        """
        now = self._clock.now()
        if len(self._held) == len(self._names) and await self._write(
            {name: renewed(held.lease, now) for name, held in self._held.items()}, acquiring=False
        ):
            return
        stored = await self._read()
        await self._write(self._renewals(stored), acquiring=False)
        await self._write(self._claims(stored), acquiring=True)

    async def _round(self, also: Callable[[], Awaitable[None]]) -> None:
        async def tend() -> None:
            await self.tend()
            await also()

        try:
            await within(self._clock, self._seconds_left(self._times.deadline_seconds), tend())
        except RollplaneError as exc:
            log.warning("leases not renewed", extra={"reason": exc.reason, "detail": exc.message})
        self._drop_overdue()

    async def _rest(self) -> None:
        """Wait for the next round, for a lease to run out, or until one is to be had in a hurry."""
        missing = len(self._held) < len(self._names)
        seconds = self._seconds_left(self._times.retry_seconds if missing else self._times.renew_seconds)
        async with asyncio.TaskGroup() as waiting:
            alarm = waiting.create_task(self._clock.sleep(seconds))
            hurry = waiting.create_task(self._hurry.wait())
            await asyncio.wait((alarm, hurry), return_when=asyncio.FIRST_COMPLETED)
            alarm.cancel()
            hurry.cancel()
        self._hurry.clear()

    def _seconds_left(self, most: float) -> float:
        """Return how long every lease that is held surely stays ours, at most ``most``."""
        now = self._clock.monotonic()
        return max(0.0, min([most, *(held.until - now for held in self._held.values())]))

    async def _read(self) -> dict[str, Lease]:
        """Return those of our leases that are stored, by name."""
        leases: dict[str, Lease] = {}
        token = ""
        while True:
            page = await self._api.list(ListQuery(LEASE, self._namespace, continue_token=token))
            found = (Lease.FromString(encoded.value) for encoded in page.objects)
            leases.update({lease.metadata.name: lease for lease in found})
            token = page.continue_token
            if not token:
                return leases

    def _renewals(self, stored: dict[str, Lease]) -> dict[str, Lease]:
        """Return the renewed leases that are held and still ours; the others are lost."""
        now = self._clock.now()
        ours = [name for name in self._held if name in stored and self._is_ours(stored[name])]
        self._lose(frozenset(self._held).difference(ours))
        return {name: renewed(stored[name], now) for name in ours}

    def _is_ours(self, lease: Lease) -> bool:
        return lease.spec.holder_identity == self._identity

    def _claims(self, stored: dict[str, Lease]) -> dict[str, Lease]:
        """Return the leases to write that are nobody's now, or were ours in an earlier life."""
        claims = {}
        now = self._clock.now()
        missing = [name for name in self._names if name not in self._held]
        self._note_namesakes({stored[name].spec.holder_identity for name in missing if self._is_renewed(name, stored)})
        for name in missing:
            lease = stored.get(name)
            if lease is None:
                claims[name] = new_lease(Key(LEASE, self._namespace, name), self._identity, self._times, now)
            elif self._is_ours(lease) or self._is_free(name, lease):
                claims[name] = taken(lease, self._identity, self._times, now)
        return claims

    def _is_free(self, name: str, lease: Lease) -> bool:
        monotonic = self._clock.monotonic()
        seen = self._seen[name] = Observation.of(lease, monotonic, self._seen.get(name))
        return has_ended(seen.holder, self._identity) or seen.is_free(monotonic)

    def _is_renewed(self, name: str, stored: Mapping[str, Lease]) -> bool:
        """Return whether a lease was renewed by its holder since we last saw it."""
        before, lease = self._seen.get(name), stored.get(name)
        if before is None or lease is None or before.holder != lease.spec.holder_identity:
            return False
        return before.resource_version != lease.metadata.resource_version

    def _note_namesakes(self, renewing: Collection[str]) -> None:
        """Say loudly, once for each, that another process renews leases under our own name.

        Once renewed proves nothing: that may be the last deed of a life that has ended, late on its way.
        """
        own = name_in(self._identity)
        for holder in renewing:
            if own and name_in(holder) == own:
                self._namesakes[holder] += 1
                if self._namesakes[holder] == ALIVE_LOOKS:
                    extra = {"holder": own, "other": holder, "own": self._identity}
                    log.error("another holder of this name is alive; give each a name of its own", extra=extra)

    async def _write(self, leases: dict[str, Lease], *, acquiring: bool) -> bool:
        """Write leases in one batch; those that went through are held from now on, counting from when it was sent.

        Return whether all did.
        """
        if not leases:
            return True
        until = self._clock.monotonic() + self._times.deadline_seconds
        results = await self._api.batch([_write_of(lease) for lease in leases.values()])
        acquired = {}
        for (name, lease), result in zip(leases.items(), results, strict=True):
            if not isinstance(result, WriteResult):
                continue
            lease.metadata.resource_version = str(result.revision)
            if acquiring:
                self._held[name] = _Held(lease, result.revision, until)
                acquired[name] = result.revision
            elif (held := self._held.get(name)) is not None:
                if self._clock.monotonic() >= held.until:
                    # For a while it was not surely ours: whoever acts on it has to look at everything again.
                    acquired[name] = held.epoch
                self._held[name] = replace(held, lease=lease, until=until)
        if acquired:
            self._on_acquired(acquired)
        return all(isinstance(result, WriteResult) for result in results)

    def _drop_overdue(self) -> None:
        """Stop acting on leases that could not be renewed in time: another may hold them now."""
        monotonic = self._clock.monotonic()
        self._lose(frozenset(name for name, held in self._held.items() if monotonic >= held.until))

    def _lose(self, names: frozenset[str]) -> None:
        lost = names & self._held.keys()
        for name in lost:
            del self._held[name]
        if lost:
            log.warning("leases lost", extra={"leases": len(lost)})
            self._on_lost(lost)

    async def _release(self) -> None:
        """Give up what is held, so that nobody has to wait for it. Never raises: unreleased, a lease runs out."""
        now = self._clock.now()
        writes = [self._given_up(held.lease, now) for held in self._held.values()]
        if not writes:
            return
        given_up = frozenset(self._held)
        self._held.clear()
        self._on_lost(given_up)
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._api.batch(writes)
        except TimeoutError:
            log.info("leases not released", extra={"reason": "no answer"})
        except RollplaneError as exc:
            log.info("leases not released", extra={"reason": exc.reason})

    def _given_up(self, lease: Lease, now: float) -> Write:
        metadata = lease.metadata
        if metadata.name == self._own:
            seen = Preconditions(resource_version=metadata.resource_version)
            return Delete(Key(LEASE, self._namespace, metadata.name), preconditions=seen)
        return Update(Encoded.of(released(lease, now)))


def _write_of(lease: Lease) -> Write:
    encoded = Encoded.of(lease)
    return Update(encoded) if lease.metadata.resource_version else Create(encoded)
