"""What a store promises, whatever keeps the bytes.

A store is one cell: one revision sequence, one set of objects, one log. It knows nothing of kinds: a value is bytes
under a resource and a key. Everything raised is a RollplaneError.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from rollplane_machinery.api import TOKEN_SECONDS, EventType, Fence
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.frozen import frozen

NAMESPACES = "namespaces"
"""The resource whose objects say whether others may be created inside them."""


class Require(Enum):
    """What must be stored under the key for a mutation to go through.

    NEVER is for giving a token up: the mutation is not carried out, now or later. It answers what became of its token;
    where nothing did, the token is refused for ever (WITHDRAWN), so that a first sending that comes late meets that.
    """

    __hash__ = object.__hash__  # an Enum's own is a function of its name, in Python

    ABSENT = "absent"
    PRESENT = "present"
    REVISION = "revision"
    NEVER = "never"


@frozen
class Reckoning:
    """What a mutation was decided on beyond its own object, such as what all objects of a namespace take together.

    Whoever decides reads up to the revision ``seen``, and knows besides what itself, as ``reader``, has written or is
    about to. So the mutation is right unless another entered the ``ledger`` since. Once made it enters it. A ledger is
    called like the namespace that it goes with.
    """

    ledger: str
    reader: str
    seen: int


@frozen
class Mutation:
    """One conditional write.

    ``key`` is ``namespace/name`` (``/name`` for cluster-scoped kinds); ``value`` None deletes. ``revision`` counts only
    with Require.REVISION. ``namespace``, when set, must be stored and not sealed (creates inside a namespace set it).
    ``sealed`` marks the object itself (a Namespace that is terminating) as closed to such creates. ``log_previous``
    keeps the bytes that were stored before beside the new ones in the log; a deletion always does. Mutations of one
    call that share a ``group`` are not attempted after the first of them fails.

    ``claims`` are texts that the key holds from then on and that no other key of any resource may hold; ``frees`` are
    those it holds no more. So what must be unique beyond names (an address) is unique by the commit.
    A ``reckoning`` makes sure in the same way that no sum is exceeded.

    ``token`` (``writer/sequence``) names one write, however often and however late it is sent: a mutation whose token
    was committed or withdrawn is answered with that, whatever its other conditions say, and a group goes on behind the
    one and fails at the other. Any other refusal leaves the token free, for a caller who reconsiders.
    """

    resource: str
    key: str
    value: bytes | None
    require: Require
    revision: int = 0
    namespace: str = ""
    sealed: bool = False
    log_previous: bool = False
    fence: Fence | None = None
    group: str = ""
    token: str = ""
    claims: tuple[str, ...] = ()
    frees: tuple[str, ...] = ()
    reckoning: Reckoning | None = None

    def in_group(self, group: str) -> Mutation:
        """Return the same as one of ``group``."""
        return Mutation(
            self.resource,
            self.key,
            self.value,
            self.require,
            self.revision,
            self.namespace,
            self.sealed,
            self.log_previous,
            self.fence,
            group,
            self.token,
            self.claims,
            self.frees,
            self.reckoning,
        )


class Refusal(Enum):
    """Why a mutation was not committed.

    Checked in this order: WITHDRAWN, NOT_ATTEMPTED, FENCED, the namespace, what is stored under the key, CLAIMED,
    OVERTAKEN, NO_MEMORY. A server at its limit of memory refuses what would make the cell larger; deletions go through.
    """

    EXISTS = "exists"
    MISSING = "missing"
    STALE = "stale"
    NAMESPACE_MISSING = "namespace missing"
    NAMESPACE_SEALED = "namespace sealed"
    FENCED = "fenced"
    NOT_ATTEMPTED = "not attempted"
    WITHDRAWN = "withdrawn"
    NO_MEMORY = "no memory"
    CLAIMED = "claimed"
    OVERTAKEN = "overtaken"


@frozen
class Committed:
    """The mutation is on disk, at ``revision``; ``repeated`` when an earlier sending of its token brought it there."""

    revision: int
    repeated: bool = False


@frozen
class Refused:
    """The mutation was not made.

    ``revision`` is that of what is stored under the key; 0 when nothing is, and with NOT_ATTEMPTED and WITHDRAWN.
    ``repeated`` when the token had been withdrawn before.
    """

    refusal: Refusal
    revision: int = 0
    repeated: bool = False


Outcome = Committed | Refused

Settled = Outcome | RollplaneError
"""What became of one mutation: the store's word, or why there is none."""


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """How long tokens are remembered.

    They lie in two generations, the older of which is forgotten as a whole once the newer has ``entries`` tokens or
    ``bytes`` of their text, or is ``seconds`` old. So a token is known for at least ``seconds``, or ``entries`` further
    writes if they come faster, and no client may repeat a write for longer.
    """

    entries: int = 200_000
    bytes: int = 16 * 1024 * 1024
    seconds: float = TOKEN_SECONDS


DEFAULT_TOKENS = TokenLimits()


@frozen
class Stored:
    """A value and the revision of its last change. The bytes hold no resource_version."""

    resource: str
    key: str
    value: bytes
    revision: int


@frozen
class Change:
    """One entry of the log. ``value`` is what is stored now, for a deletion what was stored last.

    ``previous`` is None when nothing was stored before or when the mutation did not ask for it.
    """

    revision: int
    type: EventType
    resource: str
    key: str
    value: bytes
    previous: bytes | None = None


@dataclass(frozen=True, slots=True)
class Jump:
    """The revision was moved from ``last`` to ``to`` because the server's history may have been lost.

    A watch from N is valid iff no jump has last < N <= to (docs/architecture.md, "The store"): what was cached
    after ``last`` is void. The jump itself takes the revision ``to + 1``, so the revision current
    after it is a valid one.
    """

    last: int
    to: int

    @property
    def story(self) -> str:
        """What happened, in words for people."""
        if not self.last:
            return f"the store was emptied, or is new; its first write has a revision above {self.to}"
        return f"the store came back as it was at {self.last}; what it wrote since has revisions above {self.to}"


BATCH_CHANGES = 512
BATCH_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Changes in order and the revision up to which the log has been read.

    It holds BATCH_CHANGES changes at most, and BATCH_BYTES of their values, or one change. A reader that was at the end
    of the log a moment ago may be given more bytes: what was committed since.
    ``changes`` is empty when idle, and when the revision moved without a change (a jump).
    """

    changes: Sequence[Change]
    revision: int


class Store(Protocol):
    """One cell's objects. Reads and writes raise UnavailableError with the outcome known when it cannot be reached."""

    @property
    def memory_is_short(self) -> bool:
        """Whether the last commit met a server at its limit of memory, which takes only what makes the cell smaller."""
        ...

    async def commit(self, mutations: Sequence[Mutation]) -> Sequence[Outcome]:
        """Commit one group atomically, each item on its own conditions; outcomes in order. At most 256 items.

        Raises RequestTooLargeError for more, BadRequestError for what no store can carry out (``checks.py``).
        Acknowledged means durable as the server is configured. Raises UnavailableError (OUTCOME_UNKNOWN when the group
        was sent and not answered); never sends a group twice, and one that was given up is not carried out later.
        """
        ...

    async def read(self, resource: str, keys: Sequence[str]) -> Sequence[Stored | None]:
        """Return what is stored now under each key."""
        ...

    async def revision(self) -> int:
        """Return the current revision: every write acknowledged before the call is at or below it."""
        ...

    async def oldest_revision(self) -> int:
        """Return the revision R such that every change after R is still in the log."""
        ...

    async def jumps(self) -> Sequence[Jump]:
        """Return all recorded jumps, oldest first."""
        ...

    def scan(self) -> AbstractAsyncContextManager[tuple[int, AsyncIterator[Sequence[Stored]]]]:
        """Open a read of everything: a revision R, and all objects in chunks.

        An object may be newer than R (the scan is not a snapshot): apply the log from R on to be exact.
        """
        ...

    async def changes(self, after: int) -> LogBatch:
        """Return what follows ``after`` in the log, as much as makes a batch; nothing when ``after`` is the newest.

        Raises as ``follow`` does.
        """
        ...

    def follow(self, after: int) -> AbstractAsyncContextManager[AsyncIterator[LogBatch]]:
        """Open the log behind ``after``; the iterator blocks for new changes (an idle batch at least each second).

        Raises ExpiredError when ``after`` is no longer in the log, was never given out, or was made void by a jump:
        on opening, and from the iterator once the reader fell behind or a jump voids where it stands. Reload then.
        Raises UnavailableError when the server is gone: open again behind the last batch's revision.
        """
        ...

    async def raise_fence(self, fence: Fence) -> None:
        """Make ``fence.epoch`` the only one its shard accepts.

        Raises FencedError when a higher one is set or a jump made this one void, TooManyRequestsError when too many
        other shards have one, BadRequestError for what is no name. A jump clears all fences.
        """
        ...

    async def close(self) -> None:
        """Let go of all connections; waits for what is in flight, at most five seconds."""
        ...
