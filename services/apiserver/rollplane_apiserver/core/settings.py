"""How much the core may hold and how long it may wait."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane_machinery.api import MAX_BATCH_WRITES
from rollplane_machinery.releases import LATEST, Release
from rollplane_rules.registry.addresses import DEFAULT_RANGES, Ranges

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """Bounds of one apiserver's core; bytes, counts and seconds as the names say. ``release`` is the one behaved as.

    Services get their addresses and node ports out of ``ranges``. With ``ignore_webhooks`` configurations of webhooks
    and admission policies are kept though nobody calls them; without it they are refused.
    """

    ring_bytes: int = 64 * MIB
    max_object_bytes: int = 3 * MIB // 2
    max_batch_writes: int = MAX_BATCH_WRITES
    max_batch_bytes: int = 4 * MIB
    page_bytes: int = 3 * MIB
    watch_batch_bytes: int = 3 * MIB
    progress_seconds: float = 0.1
    idle_seconds: float = 1.0
    read_timeout_seconds: float = 3.0
    load_timeout_seconds: float = 30.0
    slice_seconds: float = 0.002
    concurrent_catch_ups: int = 4
    memo_entries: int = 1024
    memo_bytes: int = 16 * MIB
    release: Release = LATEST
    ranges: Ranges = DEFAULT_RANGES
    ignore_webhooks: bool = False
