"""What every store refuses before it looks at a single object, so that all of them refuse the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollplane_apiserver.store.interface import Jump, Mutation, Require
from rollplane_machinery.errors import BadRequestError, ExpiredError, RequestTooLargeError

MAX_ITEMS = 256
"""How many mutations one commit takes."""


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
    # Names travel to the commit script as zero-terminated strings.
    shard = mutation.fence.shard if mutation.fence else ""
    if "\0" in f"{mutation.resource}{mutation.key}{mutation.namespace}{mutation.group}{shard}":
        raise BadRequestError("a zero byte in a name", resource=mutation.resource)


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
            raise ExpiredError(f"revision {after} is void: the store went from {jump.last} to {jump.to}")
