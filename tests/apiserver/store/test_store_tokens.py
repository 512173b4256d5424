"""Write tokens: a token commits at most once, however often and however late it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from rollplane_apiserver.store.interface import (
    Committed,
    Mutation,
    Outcome,
    Refusal,
    Refused,
    Require,
    Store,
    TokenLimits,
)
from rollplane_apiserver.store.token_book import TokenBook
from rollplane_machinery.api import Fence
from rollplane_machinery.errors import BadRequestError

from .administering import command
from .conftest import NewRedisStore
from .writing import create, delete, must_commit, update


def named(mutation: Mutation, token: str, group: str = "") -> Mutation:
    return replace(mutation, token=token, group=group)


def given_up(mutation: Mutation, token: str, group: str = "") -> Mutation:
    return replace(named(mutation, token, group), require=Require.NEVER)


WRITES = {
    "create": create("pods", "a/new"),
    "update": update("pods", "a/1", b"2"),
    "delete": delete("pods", "a/1"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_repeat_is_told_the_first_outcome_and_does_nothing(store: Store, write: Mutation) -> None:
    await must_commit(store, create("pods", "a/1"))
    (revision,) = await must_commit(store, named(write, "w/1"))
    assert await store.commit([named(write, "w/1")]) == [Committed(revision, repeated=True)]
    assert await store.revision() == revision
    await must_commit(store, named(create("pods", "a/2"), "w/2"))


async def test_a_repeat_inside_one_commit(store: Store) -> None:
    write = named(create("pods", "a/1"), "w/1")
    first, again = await store.commit([write, write])
    assert again == Committed(first.revision, repeated=True)
    assert not first.repeated


async def _delete_it(store: Store) -> None:
    await must_commit(store, delete("pods", "a/1"))


async def _change_it(store: Store) -> None:
    await must_commit(store, update("pods", "a/1", b"later"))


async def _delete_its_namespace(store: Store) -> None:
    await must_commit(store, delete("namespaces", "/a"))


async def _raise_the_fence(store: Store) -> None:
    await store.raise_fence(Fence("1", await store.revision()))


LATER: Sequence[Callable[[Store], Awaitable[None]]] = (
    _delete_it,
    _change_it,
    _delete_its_namespace,
    _raise_the_fence,
)


@pytest.mark.parametrize("later", LATER)
async def test_a_known_token_is_answered_whatever_holds_now(
    store: Store, later: Callable[[Store], Awaitable[None]]
) -> None:
    first, _ = await must_commit(store, create("namespaces", "/a"), create("leases", "a/1"))
    await store.raise_fence(Fence("1", first))
    write = replace(named(create("pods", "a/1"), "w/1"), namespace="a", fence=Fence("1", first))
    (revision,) = await must_commit(store, write)
    await later(store)
    now = await store.revision()
    assert await store.commit([write]) == [Committed(revision, repeated=True)]
    assert await store.revision() == now


async def test_a_refusal_leaves_the_token_free(store: Store) -> None:
    write = named(update("pods", "a/1"), "w/1")
    assert await store.commit([write]) == [Refused(Refusal.MISSING)]
    await must_commit(store, create("pods", "a/1"))
    (revision,) = await must_commit(store, write)
    assert await store.commit([write]) == [Committed(revision, repeated=True)]


async def test_what_was_given_up_is_never_carried_out(store: Store) -> None:
    write = create("pods", "a/1")
    before = await store.revision()
    assert await store.commit([given_up(write, "w/1")]) == [Refused(Refusal.WITHDRAWN)]
    withdrawn = Refused(Refusal.WITHDRAWN, repeated=True)
    assert await store.commit([named(write, "w/1"), given_up(write, "w/1")]) == [withdrawn, withdrawn]
    assert await store.revision() == before
    assert list(await store.read("pods", ["a/1"])) == [None]


async def test_giving_up_what_was_committed_tells_so(store: Store) -> None:
    (revision,) = await must_commit(store, named(create("pods", "a/1"), "w/1"))
    assert await store.commit([given_up(create("pods", "a/1"), "w/1")]) == [Committed(revision, repeated=True)]


async def test_giving_up_needs_a_token(store: Store) -> None:
    with pytest.raises(BadRequestError):
        await store.commit([given_up(create("pods", "a/1"), "")])


GROUPS: dict[str, tuple[list[Mutation], list[Mutation], str]] = {
    "goes on behind what was committed": (
        [named(create("pods", "a/1"), "w/1", "g")],
        [named(create("pods", "a/1"), "w/1", "g"), named(create("pods", "a/2"), "w/2", "g")],
        "again, committed",
    ),
    "fails at what was given up": (
        [given_up(create("pods", "a/1"), "w/1")],
        [named(create("pods", "a/1"), "w/1", "g"), named(create("pods", "a/2"), "w/2", "g")],
        "withdrawn, not attempted",
    ),
    "what was committed is told behind a failure": (
        [named(create("pods", "a/2"), "w/2")],
        [named(update("pods", "a/1"), "w/1", "g"), named(create("pods", "a/2"), "w/2", "g")],
        "missing, again",
    ),
    "what is given up behind a failure stays so": (
        [update("pods", "a/1")],
        [named(update("pods", "a/1"), "w/1", "g"), given_up(create("pods", "a/2"), "w/2", "g")],
        "missing, withdrawn",
    ),
}


@pytest.mark.parametrize(("before", "commit", "told"), GROUPS.values(), ids=GROUPS)
async def test_groups(store: Store, before: list[Mutation], commit: list[Mutation], told: str) -> None:
    await store.commit(before)
    assert ", ".join(map(_word, await store.commit(commit))) == told


async def test_a_token_too_long(store: Store) -> None:
    await must_commit(store, named(create("pods", "a/1"), "w" * 256))
    with pytest.raises(BadRequestError):
        await store.commit([named(create("pods", "a/2"), "w" * 257)])


async def test_a_full_commit_of_tokens(store: Store) -> None:
    writes = [named(create("pods", f"a/{number}"), f"w/{number}") for number in range(256)]
    first = await must_commit(store, *writes)
    assert await store.commit(writes) == [Committed(revision, repeated=True) for revision in first]


BOUNDS = {"entries": TokenLimits(entries=20), "bytes": TokenLimits(bytes=100)}


@pytest.mark.parametrize("limits", BOUNDS.values(), ids=BOUNDS)
async def test_tokens_in_redis_are_bounded(
    new_redis_store: NewRedisStore, server_url: str, limits: TokenLimits
) -> None:
    store = new_redis_store(tokens=limits)
    (revision,) = await must_commit(store, named(create("pods", "a/1"), "w/1"))
    for number in range(2, 200):
        await must_commit(store, named(create("pods", f"a/{number}"), f"w/{number}"))
        assert await _remembered(store, server_url) <= 60
    # It was forgotten, so that only its other conditions refuse it.
    assert await store.commit([named(create("pods", "a/1"), "w/1")]) == [Refused(Refusal.EXISTS, revision)]
    (latest,) = await store.read("pods", ["a/199"])
    assert latest is not None
    again = await store.commit([named(create("pods", "a/199"), "w/199")])
    assert again == [Committed(latest.revision, repeated=True)]


async def test_tokens_in_redis_live_for_two_generations(new_redis_store: NewRedisStore, server_url: str) -> None:
    store = new_redis_store(tokens=TokenLimits(seconds=0.0))
    (first,) = await must_commit(store, named(create("pods", "a/1"), "w/1"))
    await must_commit(store, named(create("pods", "a/2"), "w/2"))
    assert await store.commit([named(create("pods", "a/1"), "w/1")]) == [Committed(first, repeated=True)]
    await must_commit(store, named(create("pods", "a/3"), "w/3"))
    assert await store.commit([named(create("pods", "a/1"), "w/1")]) == [Refused(Refusal.EXISTS, first)]
    assert await _remembered(store, server_url) == 2


async def _remembered(store: Store, url: str) -> int:
    keys = store._keys  # type: ignore[attr-defined]
    return sum([await command(url, b"HLEN", key) for key in (keys.tokens, keys.older_tokens)])


def test_the_book_forgets_whole_generations() -> None:
    book = TokenBook(TokenLimits(entries=1000, seconds=600.0))
    for second in range(3600):
        book.age(float(second))
        book.note(f"w/{second}", second + 1)
        assert len(book) <= 1200
    assert book.outcome(f"w/{3600 - 600}") == Committed(3001, repeated=True)
    assert book.outcome("w/1") is None


@pytest.mark.parametrize("limits", BOUNDS.values(), ids=BOUNDS)
def test_the_book_is_bounded(limits: TokenLimits) -> None:
    book = TokenBook(limits)
    for number in range(1000):
        book.age(0.0)
        book.note(f"w/{number}", number + 1)
        assert len(book) <= 60
    assert book.outcome("w/999") == Committed(1000, repeated=True)


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Refused):
        return outcome.refusal.value
    return "again" if outcome.repeated else "committed"
