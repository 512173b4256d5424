"""The core's lifecycle: which tasks run, what they share, and who may ask it what."""

from __future__ import annotations

import random
from types import TracebackType
from typing import Self

from rollplane_apiserver.core.identity import Identity
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_apiserver.store.interface import Store
from rollplane_machinery.api import ObjectApi
from rollplane_machinery.clock import Clock


class Core:
    """One apiserver's objects over one store: ``async with Core(store, clock) as core: api = core.as_identity(who)``.

    Owns its tasks (group committer, log reader). Entering loads the cache and creates the first namespaces; leaving
    ends the watches, then waits for commits in flight. The store stays the caller's to close.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        settings: CoreSettings = CoreSettings(),  # noqa: B008 - frozen
        randomness: random.Random | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._random = randomness or random.Random()

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    def as_identity(self, identity: Identity) -> ObjectApi:
        """Return the Api as ``identity`` may use it; cheap enough to call for every request."""
        raise NotImplementedError

    @property
    def is_serving(self) -> bool:
        """True while the cache is loaded and the store answers the log reader: what a health check reports."""
        raise NotImplementedError

    def end_watches(self) -> None:
        """End every watch with UnavailableError after what it has not yet sent; clients resume elsewhere."""
        raise NotImplementedError
