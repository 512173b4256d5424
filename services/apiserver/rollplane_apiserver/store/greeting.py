"""What is settled on every new connection before it is used: who the server is, and whose data it holds.

A connection ends with its server's process, so the run id read here stays true for as long as it is open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from redis.exceptions import ResponseError

from rollplane_apiserver.store.layout import SCHEMA, CommitCall
from rollplane_apiserver.store.link import Link, Reply, pack, translate
from rollplane_apiserver.store.scripts import Script
from rollplane_machinery.errors import Outcome, SetupError, UnavailableError
from rollplane_machinery.shards import SHARDS

log = logging.getLogger(__name__)

OLDEST_SERVER = 7

SECTIONS = (b"server", b"persistence", b"memory", b"replication")

Upgrades = Mapping[int, Script]
"""By schema version, the script that takes a cell on to the next one.

It is called with the keys and arguments of ``commit.lua``, is atomic, and sets ``schema`` itself.
"""


class LayoutError(SetupError):
    """The cell was laid out by a Rollplane whose layout this one does not read, or with other shards."""


class ServerTooOldError(SetupError):
    """The server is older than the oldest that is supported."""


class EvictionPolicyError(SetupError):
    """The server is set to throw keys away when it is short of memory."""


class Greeter:
    """Greets a server on a new link; ``waits`` says that commits wait for replicas.

    Raises LayoutError, ServerTooOldError, EvictionPolicyError, or what the link raises. Those three end a process that
    starts; once a server was good enough, another is told of as UnavailableError: somebody mends it under a plane that
    runs, which only waits.
    """

    def __init__(
        self, commit_call: CommitCall, commit: Script, others: tuple[Script, ...], upgrades: Upgrades, *, waits: bool
    ) -> None:
        self._commit_call = commit_call
        self._commit = commit
        self._scripts = (commit, *others, *upgrades.values())
        self._upgrades = upgrades
        self._waits = waits
        self._warned: set[str] = set()
        self._has_greeted = False

    async def __call__(self, link: Link) -> None:
        """Greet the server, or say in which way it will not do."""
        try:
            await self._greet(link)
        except SetupError as exc:
            if not self._has_greeted:
                raise
            raise UnavailableError(exc.message, outcome=Outcome.NOT_SENT) from exc
        self._has_greeted = True

    async def _greet(self, link: Link) -> None:
        """Load the scripts, lay out the cell if it is new, and record a jump if this is not the server it was."""
        loads = [pack(b"SCRIPT", b"LOAD", script.source) for script in self._scripts]
        info, *_ = await link.call_all(pack(b"INFO", *SECTIONS), *loads)
        facts = _facts(info)
        _check_version(facts)
        _check_eviction(facts)
        self._warn_of_loss(facts)
        link.run_id = facts["run_id"].encode()
        loop = asyncio.get_running_loop()
        sent = loop.time()
        while isinstance(reply := await self._begin(link, self._commit), ResponseError):
            await self._upgrade(link, reply)
            sent = loop.time()
        _, server_time = reply
        link.clock.observe(sent, loop.time(), server_time)

    async def _begin(self, link: Link, script: Script) -> Reply:
        arguments = self._commit_call.arguments(link.run_id, ())
        (reply,) = await link.exchange(pack(b"EVALSHA", script.sha, *arguments))
        return reply

    async def _upgrade(self, link: Link, error: ResponseError) -> None:
        what, _, found = str(error).partition(" ")
        if what == "SHARDS":
            raise LayoutError(f"the data are laid out in {found} shards, this Rollplane works with {SHARDS}") from error
        if what != "SCHEMA":
            raise translate(error) from error
        upgrade = self._upgrades.get(int(found))
        if upgrade is None:
            raise LayoutError(
                f"the data have layout version {found}, this Rollplane reads version {SCHEMA}: "
                "use the Rollplane that wrote them, or an empty data folder"
            ) from error
        log.warning("upgrading the layout", extra={"from_version": int(found)})
        if isinstance(reply := await self._begin(link, upgrade), ResponseError):
            raise translate(reply)

    def _warn_of_loss(self, facts: Mapping[str, str]) -> None:
        if facts.get("aof_enabled") != "1":
            self._warn_once("the server keeps no append-only file: acknowledged writes are lost when it stops")
        is_replicated = int(facts.get("connected_slaves", 0)) > 0
        if is_replicated and not self._waits and "min_slaves_good_slaves" not in facts:
            self._warn_once(
                "the server has replicas and acknowledges without them: what a master acknowledges while it is cut "
                "off is lost when a replica takes over; set min-replicas-to-write on it, or ROLLPLANE_WAIT_REPLICAS"
            )

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            log.warning(message)


def _facts(info: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in info.decode().splitlines())
    return {name: value for name, colon, value in lines if colon}


def _check_version(facts: Mapping[str, str]) -> None:
    # Valkey tells here the version of Redis it is compatible with.
    version = facts["redis_version"]
    if int(version.partition(".")[0]) < OLDEST_SERVER:
        raise ServerTooOldError(f"the server is Redis {version}, {OLDEST_SERVER}.0 or newer is needed")


def _check_eviction(facts: Mapping[str, str]) -> None:
    # The volatile policies evict keys that expire, and ours do not.
    policy = facts.get("maxmemory_policy", "noeviction")
    if policy.startswith("allkeys"):
        raise EvictionPolicyError(
            f"the server's maxmemory-policy is {policy}, so it may throw objects away: set it to noeviction "
            "(CONFIG SET maxmemory-policy noeviction, and in its configuration file)"
        )
