"""Short words for mutations."""

from __future__ import annotations

from rollplane_apiserver.store.interface import Committed, Mutation, Require, Store


def create(resource: str, key: str, value: bytes = b"created") -> Mutation:
    return Mutation(resource, key, value, Require.ABSENT)


def update(resource: str, key: str, value: bytes = b"updated") -> Mutation:
    return Mutation(resource, key, value, Require.PRESENT)


def delete(resource: str, key: str) -> Mutation:
    return Mutation(resource, key, None, Require.PRESENT)


async def must_commit(store: Store, *mutations: Mutation) -> list[int]:
    """Commit all and return their revisions; fails when one is refused."""
    outcomes = await store.commit(mutations)
    assert all(isinstance(outcome, Committed) for outcome in outcomes), outcomes
    return [outcome.revision for outcome in outcomes]
