"""What every store refuses before it looks at a single object, so that all of them refuse the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollplane_apiserver.store.interface import Jump, Mutation, Require
from rollplane_machinery.api import Fence
from rollplane_machinery.errors import (
    BadRequestError,
    ExpiredError,
    FencedError,
    RequestTooLargeError,
    TooManyRequestsError,
)

MAX_ITEMS = 256
"""How many mutations one commit takes."""
MAX_TOKEN_BYTES = 256
MAX_SHARDS = 1024
"""How many shards may have a fence, fourteen times as many as our own controllers have."""
MAX_SHARD_BYTES = 256


def check_mutations(mutations: Sequence[Mutation]) -> None:
    """Raise RequestTooLargeError for more than MAX_ITEMS, BadRequestError for a mutation no store could carry out."""
    if len(mutations) > MAX_ITEMS:
        raise RequestTooLargeError(f"a commit of {len(mutations)} mutations, at most {MAX_ITEMS} are taken")
    for mutation in mutations:
        check_mutation(mutation)


def check_mutation(mutation: Mutation) -> None:
    """Raise BadRequestError for a mutation no store could carry out."""
    if mutation.value is None and mutation.require is Require.ABSENT:
        raise BadRequestError("a deletion cannot require that nothing is stored", resource=mutation.resource)
    if mutation.require is Require.NEVER and not mutation.token:
        raise BadRequestError("only what has a token can be given up", resource=mutation.resource)
    token = mutation.token
    if not (token.isascii() and len(token) <= MAX_TOKEN_BYTES) and _size(token, mutation) > MAX_TOKEN_BYTES:
        raise BadRequestError(f"a token of more than {MAX_TOKEN_BYTES} bytes", resource=mutation.resource)
    claims = "".join((*mutation.claims, *mutation.frees)) if mutation.claims or mutation.frees else ""
    if "\n" in claims:
        raise BadRequestError("a line break in a claim", resource=mutation.resource)
    shard = mutation.fence.shard if mutation.fence else ""
    reckoned = f"{mutation.reckoning.ledger}{mutation.reckoning.reader}" if mutation.reckoning else ""
    names = f"{mutation.resource}{mutation.key}{mutation.namespace}{mutation.group}{shard}{claims}{reckoned}"
    if not names.isascii():
        _size(names, mutation)
    # Names travel to the commit script as zero-terminated strings.
    if "\0" in names:
        raise BadRequestError("a zero byte in a name", resource=mutation.resource)


def _size(text: str, mutation: Mutation) -> int:
    """Return how many bytes ``text`` takes; raises BadRequestError when it cannot be encoded."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError as exc:
        raise BadRequestError("half a character in a name", resource=mutation.resource) from exc


def check_epoch(fence: Fence, *, current: int, revision: int, jumps: Iterable[Jump]) -> None:
    """Raise FencedError unless ``fence`` can be raised in a shard whose epoch is ``current`` (0: none).

    An epoch is the revision of a write, so one above ``revision`` is nobody's, and would lock every owner out.
    """
    if fence.epoch < current:
        raise FencedError(f"shard {fence.shard} has epoch {current}, above {fence.epoch}")
    if not 0 < fence.epoch <= revision:
        raise FencedError(f"epoch {fence.epoch} was never given out, the current revision is {revision}")
    for jump in jumps:
        if jump.last < fence.epoch <= jump.to:
            raise FencedError(f"epoch {fence.epoch} is void: {jump.story}")


def check_shard(shard: str) -> None:
    """Raise BadRequestError for what cannot be the name of a shard."""
    if not 0 < len(shard.encode(errors="replace")) <= MAX_SHARD_BYTES or "\0" in shard:
        raise BadRequestError(f"the name of a shard has 1 to {MAX_SHARD_BYTES} bytes, none of them zero")


def check_room(fence: Fence, shards: int) -> None:
    """Raise TooManyRequestsError when a shard that has no fence yet would be one too many beside ``shards`` others."""
    if shards >= MAX_SHARDS:
        raise TooManyRequestsError(f"shard {fence.shard} would be one of more than {MAX_SHARDS} that have a fence")


def check_position(after: int, *, oldest: int, revision: int, jumps: Iterable[Jump]) -> None:
    """Raise ExpiredError unless the log can be followed from ``after`` without missing anything.

    ``oldest`` is the last revision that was trimmed away, ``revision`` the current one.
    """
    if after < oldest:
        raise ExpiredError(f"revision {after} is no longer in the log, which begins after {oldest}")
    if after > revision:
        raise ExpiredError(f"revision {after} was never given out, the current one is {revision}")
    for jump in jumps:
        if jump.last < after <= jump.to:
            raise ExpiredError(f"revision {after} is void: {jump.story}")
