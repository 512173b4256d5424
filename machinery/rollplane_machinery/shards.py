"""Which shard a namespace belongs to: the same answer in every process, for all time.

Controllers divide work by it and watches filter by it, so the function may never change for a stored
plane; a cell of the store remembers how many there are.
"""

from __future__ import annotations

import zlib

SHARDS = 64
"""How many shards the namespaces are spread over."""


def shard_of(namespace: str) -> int:
    """Return the shard of ``namespace``, 0 to 63; cluster-scoped objects ("") are in that of the empty name."""
    return zlib.crc32(namespace.encode()) % SHARDS
