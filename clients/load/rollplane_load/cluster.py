"""What a load needs of whoever it is put on: objects, and a watch. A plane over gRPC and any Kubernetes have it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rollplane_load.scraping import Scraper
from rollplane_load.usage import UsageSource
from rollplane_machinery.api import Key, ListQuery, Page, WatchApi, Write, WriteResult
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import Encoded


class Cluster(WatchApi, Protocol):
    """The part of the ``Api`` that loads use: the same writes wherever they go."""

    async def get(self, key: Key) -> Encoded: ...

    async def list(self, query: ListQuery) -> Page: ...

    async def write(self, write: Write) -> WriteResult: ...

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]: ...


class RollingUpdates(Protocol):
    """Rolling updates of ReplicationControllers, which the server carries out."""

    async def roll(self, key: Key, image: str) -> None:
        """Replace the pods of ``key`` by ones of ``image``; returns when the last step is done."""
        ...


Kill = Callable[[], Awaitable[None]]
"""Ends a service of a plane, which comes back by itself."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a load is put on.

    ``cluster`` is written to, ``watched`` is another connection, whose watch judges; ``told`` names it in results.
    ``usages`` are where CPU and memory can be read, ``scraper`` reads services' own figures. ``in_order``
    says that the watch tells changes of all kinds in one order. ``kills`` end services by name; ``profile`` is the YAML
    that simulated kubelets live by, None where there are none. A ``disposable`` one is not tidied up after Ctrl-C.
    ``retries`` counts calls that were made again.
    """

    kind: str
    told: Mapping[str, str]
    cluster: Cluster
    watched: Cluster
    usages: UsageSource
    scraper: Scraper | None = None
    rolling: RollingUpdates | None = None
    kills: Mapping[str, Kill] = field(default_factory=dict)
    profile: str | None = None
    in_order: bool = True
    disposable: bool = False
    retries: Callable[[], int] = lambda: 0
