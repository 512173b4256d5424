"""How a cell lies in Redis, and the bytes that Python and the Lua scripts hand each other.

Every key of a cell holds its name in braces, so that a Redis Cluster keeps them in one slot:

meta        hash: schema, shards, run (the server's run id), revision; of the log: oldest, entries, bytes, open_*
obj:<r>     hash by ``namespace/name``: revision (8 bytes), sealed (1 byte), value
log         stream, entry id ``<revision>-0``: ``h`` type, resource, key; ``v`` value; ``p`` previous; or ``j`` a jump
fence       hash: shard to epoch
runs        list of jumps, ``last to``
resources   set of the resources that have an ``obj`` hash
segments    list of closed parts of the log, ``last-revision entries bytes``, the units of trimming
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from rollplane_apiserver.store.interface import (
    Change,
    Committed,
    Jump,
    Mutation,
    Outcome,
    Refusal,
    Refused,
    Require,
    Stored,
)
from rollplane_machinery.api import EventType
from rollplane_machinery.shards import SHARDS

SCHEMA = 1
"""The version of this layout."""

NAMESPACES = "namespaces"
VALUE_HEADER = struct.Struct(">QB")

_ITEM_HEADER = struct.Struct(">HBQQ")
_REQUIRE_FLAGS = {Require.ABSENT: 0, Require.PRESENT: 1, Require.REVISION: 2}
_DELETE, _SEALED, _LOG_PREVIOUS, _FENCED = 4, 8, 16, 32
_EVENT_TYPES = {b"A": EventType.ADDED, b"M": EventType.MODIFIED, b"D": EventType.DELETED}
_REFUSALS = (
    Refusal.EXISTS,
    Refusal.MISSING,
    Refusal.STALE,
    Refusal.NAMESPACE_MISSING,
    Refusal.NAMESPACE_SEALED,
    Refusal.FENCED,
    Refusal.NOT_ATTEMPTED,
)


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of one cell's keys."""

    cell: str

    @property
    def meta(self) -> bytes:
        return self._key("meta")

    @property
    def log(self) -> bytes:
        return self._key("log")

    @property
    def fence(self) -> bytes:
        return self._key("fence")

    @property
    def runs(self) -> bytes:
        return self._key("runs")

    @property
    def resources(self) -> bytes:
        return self._key("resources")

    @property
    def segments(self) -> bytes:
        return self._key("segments")

    def objects(self, resource: str) -> bytes:
        return self._key(f"obj:{resource}")

    def _key(self, part: str) -> bytes:
        return f"rp:{{{self.cell}}}:{part}".encode()


class CommitCall:
    """The keys and arguments with which ``commit.lua`` is called for a group."""

    def __init__(self, keys: Keys, *, log_entries: int, log_bytes: int) -> None:
        own = (keys.meta, keys.log, keys.fence, keys.runs, keys.resources, keys.segments)
        self._keys = keys
        self._own = (*own, keys.objects(NAMESPACES))
        self._limits = (b"%d" % log_entries, b"%d" % log_bytes)

    def arguments(self, run_id: bytes, mutations: Sequence[Mutation]) -> list[bytes]:
        """Return what follows EVALSHA and the hash: the number of keys, the keys, ARGV."""
        resources = {NAMESPACES: len(self._own)}
        items: list[bytes] = []
        for mutation in mutations:
            index = resources.setdefault(mutation.resource, len(self._own) + len(resources))
            items.append(_item_header(index, mutation))
            items.append(mutation.value or b"")
        others = [self._keys.objects(resource) for resource in resources if resource != NAMESPACES]
        return [b"%d" % (len(self._own) + len(others)), *self._own, *others, *self._about(run_id), *items]

    def _about(self, run_id: bytes) -> tuple[bytes, ...]:
        return (b"%d" % SCHEMA, b"%d" % SHARDS, run_id, *self._limits)


def _item_header(index: int, mutation: Mutation) -> bytes:
    flags = _REQUIRE_FLAGS[mutation.require]
    if mutation.value is None:
        flags |= _DELETE
    if mutation.sealed:
        flags |= _SEALED
    if mutation.log_previous:
        flags |= _LOG_PREVIOUS
    epoch, shard = 0, ""
    if mutation.fence is not None:
        flags |= _FENCED
        epoch, shard = mutation.fence.epoch, mutation.fence.shard
    names = f"{mutation.key}\0{mutation.namespace}\0{shard}\0{mutation.group}\0"
    return _ITEM_HEADER.pack(index, flags, mutation.revision, epoch) + names.encode()


def outcomes(reply: Sequence[int]) -> list[Outcome]:
    """Return what the commit script answered, in the order of the mutations."""
    return [
        Refused(_REFUSALS[code - 1], revision) if code else Committed(revision)
        for code, revision in zip(reply[1::2], reply[2::2], strict=True)
    ]


def stored(resource: str, key: str, field: bytes) -> Stored:
    """Return the object in a field of an ``obj`` hash."""
    revision, _ = VALUE_HEADER.unpack_from(field)
    return Stored(resource, key, field[VALUE_HEADER.size :], revision)


def jump(span: bytes) -> Jump:
    """Return the jump in an entry of ``runs`` or of the log."""
    last, to = span.split()
    return Jump(int(last), int(to))


def log_entry(entry_id: bytes, fields: Sequence[bytes]) -> Change | Jump:
    """Return one entry of the log."""
    if fields[0] == b"j":
        return jump(fields[1])
    head, value = fields[1], fields[3]
    event = _EVENT_TYPES[head[:1]]
    resource, _, key = head[1:].decode().partition("\0")
    previous = value if event is EventType.DELETED else fields[5] if len(fields) > 4 else None
    return Change(int(entry_id[:-2]), event, resource, key, value, previous)
