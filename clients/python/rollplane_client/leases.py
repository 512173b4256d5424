"""Holding a coordination.k8s.io/v1 Lease, so that of many processes one does the work.

The lease decides who *should* act; that nobody else's writes go through is the fence's business,
whose epoch is the revision of the write that acquired the lease. The rules are in ``lease_plan``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from rollplane.coordination.v1 import Lease
from rollplane_client.backoff import Jitter, no_jitter
from rollplane_client.lease_plan import LeaseTimes, Observation, new_lease, released, renewed, taken
from rollplane_client.timeouts import within
from rollplane_client.typed import parse
from rollplane_machinery.api import Create, Key, ObjectApi, Update, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    AlreadyExistsError,
    ConflictError,
    InternalError,
    NotFoundError,
    RollplaneError,
    TimedOutError,
)
from rollplane_machinery.kinds import LEASE, Encoded

log = logging.getLogger(__name__)

RELEASE_SECONDS = 2.0
DEFAULT_TIMES = LeaseTimes()


class LeaseHolder:
    """Competes for one lease and holds it as long as it can.

    ``on_acquired`` is called with the epoch, ``on_lost`` without arguments, strictly in turn and synchronously. After
    ``on_lost`` nothing may be done any more in the lease's name. ``identity`` must differ between processes.
    """

    def __init__(
        self,
        api: ObjectApi,
        key: Key,
        identity: str,
        *,
        clock: Clock,
        times: LeaseTimes = DEFAULT_TIMES,
        jitter: Jitter = no_jitter,
        on_acquired: Callable[[int], None] = lambda _epoch: None,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._api = api
        self._key = key
        self._identity = identity
        self._clock = clock
        self._times = times
        self._jitter = jitter
        self._on_acquired = on_acquired
        self._on_lost = on_lost
        self._observed: Observation | None = None
        self._held: Lease | None = None
        self._fresh_until = 0.0
        self.epoch = 0
        """Revision of the write that acquired the lease last; 0 before that."""

    @property
    def is_held(self) -> bool:
        """Whether the lease is ours and we have renewed it in time, by our own clock."""
        return self._held is not None and self._clock.monotonic() < self._fresh_until

    async def run(self) -> None:
        """Compete for the lease, hold it, and compete again once it is lost, until cancelled.

        When cancelled it calls ``on_lost`` if the lease was held, and gives it up so that another need not wait for
        it to run out; that takes two seconds at most.
        """
        try:
            while True:
                await self._acquire()
                await self._hold()
        finally:
            await self.release()

    async def try_acquire(self) -> bool:
        """Take the lease if it is free or ours already; return whether we hold it. Raises what the Api raises.

        It is free when nobody holds it, or when this object has seen it unchanged for its duration: so the first look
        at a lease that another holds always returns False.
        """
        started = self._clock.monotonic()
        try:
            result = await self._write_claim(started)
        except (AlreadyExistsError, ConflictError):
            return False  # somebody was faster
        if result is None:
            return False
        self._keep(result, started)
        self.epoch = result.revision
        self._on_acquired(result.revision)
        return True

    async def release(self) -> None:
        """Give the lease up if we hold it. Never raises a RollplaneError: unreleased, the lease runs out by itself."""
        lease = self._lose()
        if lease is None:
            return
        write = Update(Encoded.of(released(lease, self._clock.now())))
        try:
            await within(self._clock, RELEASE_SECONDS, self._api.write(write))
        except RollplaneError as exc:
            log.info("lease not released", extra={"lease": str(self._key), "reason": exc.reason})

    async def _write_claim(self, now: float) -> WriteResult | None:
        """Write that the lease is ours; return None when another holds it."""
        try:
            stored = await self._api.get(self._key)
        except NotFoundError:
            lease = new_lease(self._key, self._identity, self._times, self._clock.now())
            return await self._api.write(Create(Encoded.of(lease)))
        lease = parse(Lease, stored)
        self._observed = Observation.of(lease, now, self._observed)
        # Ours already: from an earlier life under this identity, or by a claim whose answer was lost.
        if self._observed.holder != self._identity and not self._observed.is_free(now):
            return None
        claim = taken(lease, self._identity, self._times, self._clock.now())
        return await self._api.write(Update(Encoded.of(claim)))

    async def _acquire(self) -> None:
        while True:
            try:
                if await self.try_acquire():
                    return
            except RollplaneError as exc:
                log.warning("lease not read", extra={"lease": str(self._key), "reason": exc.reason})
            # Spread over one to two intervals: candidates that wait for the same lease do not ask in step.
            await self._clock.sleep(self._times.retry_seconds * (1.0 + self._jitter()))

    async def _hold(self) -> None:
        """Renew until the lease is lost or could not be renewed in time."""
        try:
            while True:
                await self._clock.sleep(self._times.renew_seconds)
                await within(self._clock, self._fresh_until - self._clock.monotonic(), self._renew())
        except (ConflictError, NotFoundError, TimedOutError) as exc:
            log.warning("lease lost", extra={"lease": str(self._key), "reason": exc.reason})
        self._lose()

    async def _renew(self) -> None:
        """Renew, however many tries it takes; raises ConflictError or NotFoundError when it is no longer ours."""
        while self._held is not None:
            try:
                if await self._renew_once(self._held):
                    return
            except (ConflictError, NotFoundError):
                raise
            except RollplaneError as exc:
                log.warning("lease not renewed", extra={"lease": str(self._key), "reason": exc.reason})
                await self._clock.sleep(self._times.retry_seconds)

    async def _renew_once(self, held: Lease) -> bool:
        """Renew, or find out why not; return False when it is ours all the same and only changed meanwhile."""
        started = self._clock.monotonic()
        try:
            result = await self._api.write(Update(Encoded.of(renewed(held, self._clock.now()))))
        except ConflictError:
            await self._check_still_ours()
            return False
        self._keep(result, started)
        return True

    async def _check_still_ours(self) -> None:
        """Read the lease again: an earlier renewal of ours may have gone through unanswered."""
        lease = parse(Lease, await self._api.get(self._key))
        if lease.spec.holder_identity != self._identity:
            raise ConflictError(f"held by {lease.spec.holder_identity!r}", resource=LEASE.resource, name=self._key.name)
        self._held = lease

    def _keep(self, result: WriteResult, started: float) -> None:
        """Take note of a write that was answered; our time counts from when it was sent."""
        if result.object is None:
            raise InternalError("the answer to a lease's write holds no object", resource=LEASE.resource)
        self._held = parse(Lease, result.object)
        self._fresh_until = started + self._times.deadline_seconds

    def _lose(self) -> Lease | None:
        """Stop holding the lease and say so; return what was held."""
        lease, self._held = self._held, None
        if lease is not None:
            self._on_lost()
        return lease
