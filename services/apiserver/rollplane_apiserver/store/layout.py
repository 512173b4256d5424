"""How a cell lies in Redis, and the bytes that Python and the Lua scripts hand each other.

Every key of a cell holds its name in braces, so that a Redis Cluster keeps them in one slot:

meta        hash: schema, shards, run (the server's run id), history (its replication id), revision, oldest; numbers of
            8 bytes each: log (its entries and bytes, those of its open segment), tokens (entries and bytes of the
            young ones, since when in microseconds)
obj:<r>     hash by ``namespace/name``: revision (8 bytes), sealed (1 byte), value
log         stream, entry id ``<revision>-0``: ``h`` type, resource, key; ``v`` value; ``p`` previous; or ``j`` a jump
fence       hash: shard to epoch
runs        list of jumps, ``last to``
resources   set of the resources that have an ``obj`` hash
segments    list of closed parts of the log, ``last-revision entries bytes``, the units of trimming
claims      hash: claim to who holds it, ``resource namespace/name``
ledgers     hash: ledger to the revisions (8 bytes each) at which it was entered last, and last by another than who did
            that; then who it was
tokens      hash: token to revision (8 bytes; 0: withdrawn); ``tokens:older`` is the generation before
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from rollplane_apiserver.store.interface import (
    NAMESPACES,
    Change,
    Committed,
    Jump,
    Mutation,
    Outcome,
    Refusal,
    Refused,
    Require,
    Stored,
    TokenLimits,
)
from rollplane_machinery.api import EventType
from rollplane_machinery.shards import SHARDS

SCHEMA = 2
"""The version of this layout."""

VALUE_HEADER = struct.Struct(">QB")

_ITEM_HEADER = struct.Struct(">HBHQQ")
_NOBODYS = 2**64 - 1
"""Stands for numbers that no revision can be."""
_REQUIRE_FLAGS = {Require.ABSENT: 0, Require.PRESENT: 1, Require.REVISION: 2, Require.NEVER: 3}
_DELETE, _SEALED, _LOG_PREVIOUS, _FENCED, _CLAIMING, _RECKONING = 4, 8, 16, 32, 64, 128
_EVENT_TYPES = {b"A": EventType.ADDED, b"M": EventType.MODIFIED, b"D": EventType.DELETED}
_REFUSALS = (
    Refusal.EXISTS,
    Refusal.MISSING,
    Refusal.STALE,
    Refusal.NAMESPACE_MISSING,
    Refusal.NAMESPACE_SEALED,
    Refusal.FENCED,
    Refusal.NOT_ATTEMPTED,
    Refusal.WITHDRAWN,
    Refusal.NO_MEMORY,
    Refusal.CLAIMED,
    Refusal.OVERTAKEN,
)
_REPEATED = 16


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

    @property
    def tokens(self) -> bytes:
        return self._key("tokens")

    @property
    def older_tokens(self) -> bytes:
        return self._key("tokens:older")

    @property
    def ledgers(self) -> bytes:
        return self._key("ledgers")

    @property
    def claims(self) -> bytes:
        return self._key("claims")

    def objects(self, resource: str) -> bytes:
        return self._key(f"obj:{resource}")

    def _key(self, part: str) -> bytes:
        return f"rp:{{{self.cell}}}:{part}".encode()


@dataclass(frozen=True, slots=True)
class CommitLimits:
    """What a cell's log and tokens may hold; ``log_bytes`` counts values."""

    log_entries: int
    log_bytes: int
    tokens: TokenLimits


class CommitCall:
    """The keys and arguments with which ``commit.lua`` is called for a group."""

    def __init__(self, keys: Keys, limits: CommitLimits) -> None:
        own = (keys.meta, keys.log, keys.fence, keys.runs, keys.resources, keys.segments, keys.tokens)
        self._keys = keys
        self._own = (*own, keys.older_tokens, keys.claims, keys.ledgers, keys.objects(NAMESPACES))
        tokens = limits.tokens
        numbers = (limits.log_entries, limits.log_bytes, tokens.entries, tokens.bytes)
        self._limits = (*(b"%d" % number for number in numbers), b"%f" % tokens.seconds)

    def arguments(
        self, run_id: bytes, mutations: Sequence[Mutation], *, deadline: int = 0, memory_is_short: bool = False
    ) -> list[bytes]:
        """Return what follows EVALSHA and the hash: the number of keys, the keys, ARGV.

        ``deadline`` is in microseconds of the server's clock, 0 for none.
        """
        resources = {NAMESPACES: len(self._own)}
        tokens: dict[str, int] = {"": 0}
        items: list[bytes] = []
        for mutation in mutations:
            index = resources.setdefault(mutation.resource, len(self._own) + len(resources))
            items.append(_item_header(index, tokens.setdefault(mutation.token, len(tokens)), mutation))
            items.append(mutation.value or b"")
        others = [self._keys.objects(resource) for resource in resources if resource != NAMESPACES]
        keys = (b"%d" % (len(self._own) + len(others)), *self._own, *others)
        about = (b"%d" % deadline, b"%d" % memory_is_short, b"%d" % (len(tokens) - 1))
        _, *texts = (token.encode() for token in tokens)
        return [*keys, b"%d" % SCHEMA, b"%d" % SHARDS, run_id, *self._limits, *about, *texts, *items]


def _item_header(index: int, token: int, mutation: Mutation) -> bytes:
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
    if mutation.claims or mutation.frees:
        flags |= _CLAIMING
        names += f"{_lines(mutation.claims)}\0{_lines(mutation.frees)}\0"
    if mutation.reckoning is not None:
        flags |= _RECKONING
        reckoning = mutation.reckoning
        names += f"{reckoning.ledger}\0{reckoning.reader}\0{reckoning.seen}\0"
    return _ITEM_HEADER.pack(index, flags, token, _number(mutation.revision), _number(epoch)) + names.encode()


def _lines(texts: Sequence[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


def _number(revision: int) -> int:
    return revision if 0 <= revision < _NOBODYS else _NOBODYS


def outcomes(reply: Sequence[int]) -> list[Outcome]:
    """Return what the commit script answered, in the order of the mutations."""
    return [_outcome(code, revision) for code, revision in zip(reply[2::2], reply[3::2], strict=True)]


def _outcome(code: int, revision: int) -> Outcome:
    repeated, refusal = divmod(code, _REPEATED)
    if refusal:
        return Refused(_REFUSALS[refusal - 1], revision, bool(repeated))
    return Committed(revision, bool(repeated))


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
