"""The store in Redis: docs/architecture.md, "The store", on a server of version 7 or newer, or Valkey.

What is committed and how is decided in ``commit.lua``; here is how it gets there and what happens when it does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType

from redis.exceptions import NoScriptError, OutOfMemoryError

from rollplane_apiserver.store import scripts
from rollplane_apiserver.store.checks import MAX_SHARDS, check_epoch, check_mutations, check_room, check_shard
from rollplane_apiserver.store.dial import Dialer, dialer
from rollplane_apiserver.store.disk import naming_a_full_disk
from rollplane_apiserver.store.greeting import Greeter, Upgrades
from rollplane_apiserver.store.interface import DEFAULT_TOKENS, Jump, LogBatch, Mutation, Outcome, Stored, TokenLimits
from rollplane_apiserver.store.layout import CommitCall, CommitLimits, Keys, jump, outcomes, stored
from rollplane_apiserver.store.link import Link, LinkPool, Reply, pack, raise_first
from rollplane_apiserver.store.log_reader import SCRIPT as READ_LOG
from rollplane_apiserver.store.log_reader import open_log, read_log
from rollplane_apiserver.store.scripts import Script
from rollplane_machinery.api import Fence
from rollplane_machinery.errors import Outcome as WriteOutcome
from rollplane_machinery.errors import UnavailableError

UPGRADES: Upgrades = MappingProxyType({1: scripts.load("upgrade_1")})
SCAN_CHUNK = 256
CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """Where a cell is and how it is kept.

    ``url`` is ``redis://``, ``rediss://`` or ``unix://``. Seconds bound every connect and every call. ``log_entries``
    and ``log_bytes`` (of values) bound the log; a client that was away for longer reloads. ``tokens`` says how long a
    write may be repeated. ``wait_replicas`` replicas
    must have a commit before it is acknowledged. ``commit_links`` and ``read_links`` count connections.
    """

    url: str
    cell: str = "default"
    connect_timeout_seconds: float = 2.0
    call_timeout_seconds: float = 5.0
    log_entries: int = 250_000
    log_bytes: int = 256 * 1024 * 1024
    tokens: TokenLimits = DEFAULT_TOKENS
    wait_replicas: int = 0
    commit_links: int = 2
    read_links: int = 4


class RedisStore:
    """A Store in Redis. Connects when it is first used, and again by itself when a connection broke."""

    def __init__(self, settings: RedisSettings, *, upgrades: Upgrades = UPGRADES) -> None:
        self._settings = settings
        self._keys = Keys(settings.cell)
        limits = CommitLimits(settings.log_entries, settings.log_bytes, settings.tokens)
        self._commit_call = CommitCall(self._keys, limits)
        self._commit_script = scripts.load("commit")
        self._relief_script = scripts.load("commit", flags="allow-oom")
        self._fence_script = scripts.load("raise_fence")
        self._dial: Dialer = dialer(settings.url, connect_timeout_seconds=settings.connect_timeout_seconds)
        self._greet = Greeter(
            self._commit_call,
            self._relief_script,
            (self._commit_script, self._fence_script, READ_LOG),
            upgrades,
            waits=settings.wait_replicas > 0,
        )
        self._commits = self._pool(settings.commit_links)
        self._reads = self._pool(settings.read_links)
        self._lent: list[Link] = []  # to scans and followers
        self._closed = False
        self.memory_is_short = False

    async def commit(self, mutations: Sequence[Mutation]) -> Sequence[Outcome]:
        check_mutations(mutations)
        async with self._linked(self._commits) as link:
            try:
                settled = await self._commit_on(link, mutations, self._commit_script)
            except OutOfMemoryError:
                self.memory_is_short = True
                # Refused before it began, so it may be sent again: what makes the cell smaller still goes through.
                return await self._commit_on(link, mutations, self._relief_script)
            self.memory_is_short = False
            return settled

    async def _commit_on(self, link: Link, mutations: Sequence[Mutation], script: Script) -> Sequence[Outcome]:
        wanted = self._settings.wait_replicas
        patience = self._settings.call_timeout_seconds if wanted else 0.0
        sent = asyncio.get_running_loop().time()
        replies = await _scripted(link, lambda: self._commit_commands(link, mutations, script), patience)
        link.clock.observe(sent, asyncio.get_running_loop().time(), replies[0][1])
        if wanted and replies[1] < wanted:
            raise UnavailableError(
                f"committed on {replies[1]} of {wanted} replicas", outcome=WriteOutcome.OUTCOME_UNKNOWN
            )
        return outcomes(replies[0])

    def _commit_commands(self, link: Link, mutations: Sequence[Mutation], script: Script) -> list[bytes]:
        wanted = self._settings.wait_replicas
        patience = self._settings.call_timeout_seconds if wanted else 0.0
        arguments = self._commit_call.arguments(
            link.run_id,
            mutations,
            deadline=link.latest_start(patience),
            memory_is_short=script is self._relief_script,
        )
        commands = [pack(b"EVALSHA", script.sha, *arguments)]
        if wanted:
            commands.append(pack(b"WAIT", b"%d" % wanted, b"%d" % (self._settings.call_timeout_seconds * 1000)))
        return commands

    async def read(self, resource: str, keys: Sequence[str]) -> Sequence[Stored | None]:
        if not keys:
            return []
        fields = await self._ask(b"HMGET", self._keys.objects(resource), *(key.encode() for key in keys))
        return [
            None if field is None else stored(resource, key, field) for key, field in zip(keys, fields, strict=True)
        ]

    async def revision(self) -> int:
        return int(await self._ask(b"HGET", self._keys.meta, b"revision") or 0)  # 0 in an emptied cell

    async def oldest_revision(self) -> int:
        return int(await self._ask(b"HGET", self._keys.meta, b"oldest") or 0)

    async def jumps(self) -> Sequence[Jump]:
        return [jump(span) for span in await self._ask(b"LRANGE", self._keys.runs, b"0", b"-1")]

    @asynccontextmanager
    async def scan(self) -> AsyncIterator[tuple[int, AsyncIterator[Sequence[Stored]]]]:
        async with self._own_link() as link:
            await link.open()
            role, revision, resources = await link.call_all(
                pack(b"ROLE"), pack(b"HGET", self._keys.meta, b"revision"), pack(b"SMEMBERS", self._keys.resources)
            )
            await link.check_master(role)
            names = sorted(resource.decode() for resource in resources)
            async with aclosing(self._chunks(link, names)) as chunks:
                yield int(revision or 0), chunks

    async def _chunks(self, link: Link, resources: Sequence[str]) -> AsyncGenerator[Sequence[Stored], None]:
        for resource in resources:
            cursor = b"0"
            while True:
                cursor, pairs = await link.call(
                    b"HSCAN", self._keys.objects(resource), cursor, b"COUNT", b"%d" % SCAN_CHUNK
                )
                chunk = [
                    stored(resource, key.decode(), field) for key, field in zip(pairs[::2], pairs[1::2], strict=True)
                ]
                if chunk:
                    yield chunk
                if cursor == b"0":
                    break

    async def changes(self, after: int) -> LogBatch:
        async with self._linked(self._reads) as link:
            return await read_log(link, self._keys, after)

    @asynccontextmanager
    async def follow(self, after: int) -> AsyncIterator[AsyncIterator[LogBatch]]:
        async with self._own_link() as link, aclosing(await open_log(link, self._keys, after)) as batches:
            yield batches

    async def raise_fence(self, fence: Fence) -> None:
        keys = (self._keys.fence, self._keys.runs, self._keys.meta)
        check_shard(fence.shard)
        about = (fence.shard.encode(), b"%d" % fence.epoch, b"%d" % MAX_SHARDS)
        packed = pack(b"EVALSHA", self._fence_script.sha, b"3", *keys, *about)
        async with self._linked(self._reads) as link:
            (reply,) = await _scripted(link, lambda: [packed])
        if reply is not None:
            revision, current, shards, spans = reply
            check_epoch(fence, current=current, revision=revision, jumps=[jump(span) for span in spans])
            check_room(fence, shards)

    async def close(self) -> None:
        self._closed = True
        await asyncio.gather(*(pool.close(patience_seconds=CLOSE_SECONDS) for pool in (self._commits, self._reads)))
        for link in tuple(self._lent):
            await link.close()

    async def _ask(self, *arguments: bytes) -> Reply:
        async with self._linked(self._reads) as link:
            return await link.call_master(*arguments)

    @asynccontextmanager
    async def _linked(self, pool: LinkPool) -> AsyncIterator[Link]:
        with naming_a_full_disk(self._settings.url):
            async with pool.link() as link:
                yield link

    @asynccontextmanager
    async def _own_link(self) -> AsyncIterator[Link]:
        if self._closed:
            raise UnavailableError("the store is closed", outcome=WriteOutcome.NOT_SENT)
        link = self._link()
        self._lent.append(link)
        try:
            yield link
        finally:
            self._lent.remove(link)
            await link.close()

    def _pool(self, size: int) -> LinkPool:
        return LinkPool(size, self._link, timeout_seconds=self._settings.call_timeout_seconds)

    def _link(self) -> Link:
        return Link(self._dial, self._greet, timeout_seconds=self._settings.call_timeout_seconds)


async def _scripted(link: Link, commands: Callable[[], list[bytes]], patience_seconds: float = 0.0) -> list[Reply]:
    """Return the answers to commands of which the first runs a script; raises for an error among them.

    That the server is out of memory is raised as redis' error: it has begun nothing, and the caller may know better.
    """
    replies = await link.exchange(*commands(), patience_seconds=patience_seconds)
    if isinstance(replies[0], NoScriptError):
        # Somebody flushed the scripts. It was not carried out, so it may be sent again, to whoever is greeted now.
        await link.open()
        replies = await link.exchange(*commands(), patience_seconds=patience_seconds)
    if isinstance(replies[0], OutOfMemoryError):
        raise replies[0]
    raise_first(replies)
    return replies
