"""The core's lifecycle: which tasks run, what they share, and who may ask it what."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import lru_cache, partial
from types import TracebackType
from typing import Self

from rollplane.core.v1 import Namespace
from rollplane_apiserver.core.addresses import Addresses
from rollplane_apiserver.core.admission import Admission
from rollplane_apiserver.core.custom_door import CustomDoor
from rollplane_apiserver.core.engine import Engine
from rollplane_apiserver.core.identity import ADMIN, Identity
from rollplane_apiserver.core.judge import Judge
from rollplane_apiserver.core.live import LiveReader
from rollplane_apiserver.core.pipeline import Pipeline
from rollplane_apiserver.core.quotas import Quotas
from rollplane_apiserver.core.reads import Reads
from rollplane_apiserver.core.session import Session
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_apiserver.core.step import Identifiers, Writer
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.store.committer import GroupCommitter, Observer
from rollplane_apiserver.store.interface import Store
from rollplane_apiserver.watch.cache import Cache
from rollplane_apiserver.watch.cursor import CursorLimits
from rollplane_apiserver.watch.freshness import Freshness
from rollplane_apiserver.watch.ring import Ring
from rollplane_machinery.api import Create
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import AlreadyExistsError, RollplaneError
from rollplane_machinery.kinds import ApiObject, Encoded, kind_of
from rollplane_rules.admission.priority import system_objects
from rollplane_rules.registry.namespaces import INITIAL

log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
_SESSIONS = 256
"""Of so many callers the sessions are kept."""


class Core:
    """One apiserver's objects over one store: ``async with Core(store, clock) as core: api = core.as_identity(who)``.

    Owns its tasks (group committer, log reader). Entering loads the cache and creates the first objects; leaving ends
    the watches, then waits for nothing more. The store stays the caller's to close. ``observe_commit`` hears of every
    commit, for metrics.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        settings: CoreSettings = CoreSettings(),  # noqa: B008 - frozen
        randomness: random.Random | None = None,
        observe_commit: Observer | None = None,
    ) -> None:
        self._ring = Ring(settings.ring_bytes)
        self._cache = Cache(store, clock, self._ring, settings.release)
        self._committer = GroupCommitter(store, clock, observe=observe_commit)
        self._freshness = Freshness(store, self._cache, settings.read_timeout_seconds)
        self._settings = settings
        self._engine = self._assembled(store, clock, randomness or random.Random())
        # A session holds itself: one for each call would be left to the cyclic collector.
        self._session = lru_cache(maxsize=_SESSIONS)(partial(Session, self._engine))
        self._running = AsyncExitStack()
        self._tasks: Sequence[asyncio.Task[None]] = ()

    def _assembled(self, store: Store, clock: Clock, source: random.Random) -> Engine:
        settings = self._settings
        live = LiveReader(store)
        limits = CursorLimits(
            settings.watch_batch_bytes,
            settings.progress_seconds,
            settings.idle_seconds,
            asyncio.Semaphore(settings.concurrent_catch_ups),
        )
        identifiers = Identifiers(source)
        judge = Judge(settings.memo_entries, settings.memo_bytes, self._cache.custom, settings.release)
        return Engine(
            store,
            clock,
            settings,
            Tools(
                identifiers,
                judge,
                Writer(settings.max_object_bytes, Quotas(self._cache, clock, identifiers.uid)),
                self._cache,
                Addresses(self._cache, identifiers, settings.ranges, settings.release),
                Admission(self._cache, judge, settings.release, ignore_webhooks=settings.ignore_webhooks),
                settings.release,
            ),
            Reads(store, self._cache, self._freshness, live, settings.page_bytes, limits),
            Pipeline(self._cache, self._committer, live, self._freshness, clock, settings.slice_seconds),
            CustomDoor(self._cache, self._freshness),
        )

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            loops = (self._committer.run, self._cache.run, self._freshness.run, self._keep_first)
            self._tasks = [tasks.create_task(loop()) for loop in loops]
            stack.callback(self._stop)
            async with asyncio.timeout(self._settings.load_timeout_seconds):
                await self._cache.loaded()
                await self._bootstrap()
            self._running = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            await self._running.__aexit__(kind, error, trace)
        else:
            await self._running.aclose()  # an error of the caller's is its own: a task group would wrap it

    def as_identity(self, identity: Identity) -> Session:
        """Return the Api as ``identity`` may use it; cheap enough to call for every request."""
        return self._session(identity)

    @property
    def is_serving(self) -> bool:
        """True while the cache is loaded and the store answers the log reader: what a health check reports."""
        return self._cache.is_following

    @property
    def revision(self) -> int:
        """The revision the cache has reached."""
        return self._cache.revision

    @property
    def packable(self) -> Cache:
        """All objects, for whoever packs what is at rest."""
        return self._cache

    @property
    def ring_bytes(self) -> int:
        """Bytes of changes held for watchers, at most the settings' ``ring_bytes``."""
        return self._ring.size

    def end_watches(self) -> None:
        """End every watch with UnavailableError after what it has not yet sent; clients resume elsewhere."""
        self._ring.close()

    def _stop(self) -> None:
        self.end_watches()
        for task in self._tasks:
            task.cancel()

    async def _keep_first(self) -> None:
        """Make the first objects again after history was lost: the store may have been emptied."""
        loads = await self._cache.next_load(0)
        while True:
            loads = await self._cache.next_load(loads)
            while not await self._has_bootstrapped():
                await self._engine.clock.sleep(_RETRY_SECONDS)

    async def _has_bootstrapped(self) -> bool:
        try:
            await self._bootstrap()
        except RollplaneError as exc:
            log.warning("the first objects could not be made", extra={"cause": str(exc)})
            return False
        return True

    async def _bootstrap(self) -> None:
        """Create the namespaces and PriorityClasses every plane has; another apiserver may be doing the same."""
        api = self.as_identity(ADMIN)
        first: list[ApiObject] = [*map(_namespace, INITIAL), *system_objects()]
        missing = [one for one in first if self._cache.entry(kind_of(one), f"/{one.metadata.name}") is None]
        for result in await api.batch([Create(Encoded.of(one)) for one in missing]):
            if isinstance(result, RollplaneError) and not isinstance(result, AlreadyExistsError):
                raise result


def _namespace(name: str) -> Namespace:
    namespace = Namespace()
    namespace.metadata.name = name
    return namespace
