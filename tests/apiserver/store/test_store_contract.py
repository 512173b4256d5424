"""What interface.py promises of writes and reads, asked of every store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from rollplane_apiserver.store.checks import MAX_SHARDS
from rollplane_apiserver.store.interface import (
    Committed,
    Mutation,
    Outcome,
    Reckoning,
    Refusal,
    Refused,
    Require,
    Store,
    Stored,
)
from rollplane_machinery.api import Fence
from rollplane_machinery.errors import (
    BadRequestError,
    FencedError,
    RequestTooLargeError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.errors import Outcome as WriteOutcome

from .conftest import NewStore
from .writing import create, delete, must_commit, update

MIB = 1024 * 1024


async def test_revisions_count_up_by_one(store: Store) -> None:
    start = await store.revision()
    first = await must_commit(store, create("pods", "a/1"), create("nodes", "/n"))
    second = await must_commit(store, update("pods", "a/1"), delete("nodes", "/n"))
    assert first == [start + 1, start + 2]
    assert second == [start + 3, start + 4]
    assert await store.revision() == start + 4


async def test_a_commit_of_nothing_changes_nothing(store: Store) -> None:
    start = await store.revision()
    assert list(await store.commit([])) == []
    assert await store.revision() == start


PRECONDITIONS: dict[str, tuple[bool, Mutation, Refusal | None]] = {
    "create what is absent": (False, create("pods", "a/1"), None),
    "create what is present": (True, create("pods", "a/1"), Refusal.EXISTS),
    "update what is present": (True, update("pods", "a/1"), None),
    "update what is absent": (False, update("pods", "a/1"), Refusal.MISSING),
    "delete what is present": (True, delete("pods", "a/1"), None),
    "delete what is absent": (False, delete("pods", "a/1"), Refusal.MISSING),
}


@pytest.mark.parametrize(("present", "mutation", "refusal"), PRECONDITIONS.values(), ids=PRECONDITIONS)
async def test_preconditions(store: Store, present: bool, mutation: Mutation, refusal: Refusal | None) -> None:
    there = (await must_commit(store, create("pods", "a/1")))[0] if present else 0
    before = await store.revision()
    (outcome,) = await store.commit([mutation])
    assert outcome == (Committed(before + 1) if refusal is None else Refused(refusal, there))
    assert await store.revision() == before + (refusal is None)


@pytest.mark.parametrize("value", [b"new", None], ids=["update", "delete"])
async def test_a_revision_given_must_be_the_stored_one(store: Store, value: bytes | None) -> None:
    (old,) = await must_commit(store, create("pods", "a/1"))
    (current,) = await must_commit(store, update("pods", "a/1", b"current"))
    with_old = Mutation("pods", "a/1", value, Require.REVISION, revision=old)
    assert await store.commit([with_old]) == [Refused(Refusal.STALE, current)]
    assert await store.read("pods", ["a/1"]) == [Stored("pods", "a/1", b"current", current)]
    assert await store.commit([replace(with_old, revision=current)]) == [Committed(current + 1)]
    assert await store.commit([replace(with_old, key="a/2")]) == [Refused(Refusal.MISSING)]


async def test_a_refused_mutation_harms_no_other(store: Store) -> None:
    start = await store.revision()
    outcomes = await store.commit([create("pods", "a/1"), create("pods", "a/1"), create("pods", "a/2")])
    assert outcomes == [Committed(start + 1), Refused(Refusal.EXISTS, start + 1), Committed(start + 2)]


async def test_a_key_can_be_used_again(store: Store) -> None:
    await must_commit(store, create("pods", "a/1", b"old"), delete("pods", "a/1"))
    (revision,) = await must_commit(store, create("pods", "a/1", b"new"))
    assert await store.read("pods", ["a/1"]) == [Stored("pods", "a/1", b"new", revision)]


async def test_resources_are_separate(store: Store) -> None:
    await must_commit(store, create("pods", "a/1", b"pod"), create("services", "a/1", b"service"))
    (pod,), (service,) = await store.read("pods", ["a/1"]), await store.read("services", ["a/1"])
    assert pod is not None
    assert service is not None
    assert (pod.value, service.value) == (b"pod", b"service")


async def test_read_answers_in_order_with_gaps(store: Store) -> None:
    revisions = await must_commit(store, create("pods", "a/1", b"1"), create("pods", "a/2", b"2"))
    assert list(await store.read("pods", ["a/2", "a/3", "a/1"])) == [
        Stored("pods", "a/2", b"2", revisions[1]),
        None,
        Stored("pods", "a/1", b"1", revisions[0]),
    ]
    assert list(await store.read("pods", [])) == []
    assert list(await store.read("unheard-of", ["a/1"])) == [None]


VALUES = {
    "empty": b"",
    "every byte": bytes(range(256)) * 4,
    "line ends": b"\r\n\0\r\n",
    "1.5 MiB": b"\xff" * (3 * MIB // 2),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
async def test_values_are_kept_to_the_byte(store: Store, value: bytes) -> None:
    start = await store.revision()
    (revision,) = await must_commit(store, create("secrets", "a/ü", value))
    assert await store.read("secrets", ["a/ü"]) == [Stored("secrets", "a/ü", value, revision)]
    async with store.follow(start) as batches:
        (change,) = (await anext(batches)).changes
    assert (change.key, change.value) == ("a/ü", value)


NAMESPACES: dict[str, tuple[Sequence[Mutation], Refusal | None]] = {
    "open": ([create("namespaces", "/a")], None),
    "missing": ([], Refusal.NAMESPACE_MISSING),
    "another": ([create("namespaces", "/b")], Refusal.NAMESPACE_MISSING),
    "sealed": (
        [create("namespaces", "/a"), replace(update("namespaces", "/a"), sealed=True)],
        Refusal.NAMESPACE_SEALED,
    ),
    "removed": ([create("namespaces", "/a"), delete("namespaces", "/a")], Refusal.NAMESPACE_MISSING),
    "removed and made again": (
        [replace(create("namespaces", "/a"), sealed=True), delete("namespaces", "/a"), create("namespaces", "/a")],
        None,
    ),
}


@pytest.mark.parametrize("together", [True, False], ids=["one commit", "two commits"])
@pytest.mark.parametrize(("before", "refusal"), NAMESPACES.values(), ids=NAMESPACES)
async def test_a_namespace_must_be_stored_and_open(
    store: Store, before: Sequence[Mutation], refusal: Refusal | None, together: bool
) -> None:
    pod = replace(create("pods", "a/1"), namespace="a")
    if not together:
        await must_commit(store, *before)
    outcomes = await store.commit([*before, pod] if together else [pod])
    assert outcomes[-1] == (Committed(await store.revision()) if refusal is None else Refused(refusal))


async def test_a_namespace_sealed_between_two_creates_of_one_commit(store: Store) -> None:
    await must_commit(store, create("namespaces", "/a"))
    outcomes = await store.commit(
        [
            replace(create("pods", "a/1"), namespace="a"),
            replace(update("namespaces", "/a"), sealed=True),
            replace(create("pods", "a/2"), namespace="a"),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Committed, Committed, Refused]


async def test_a_sealed_namespace_closes_neither_updates_nor_itself(store: Store) -> None:
    await must_commit(
        store, create("namespaces", "/a"), create("pods", "a/1"), replace(update("namespaces", "/a"), sealed=True)
    )
    await must_commit(store, update("pods", "a/1"), delete("pods", "a/1"), update("namespaces", "/a"))
    await must_commit(store, replace(create("pods", "a/2"), namespace="a"))  # the last update opened it again


async def test_a_refusal_for_the_namespace_tells_what_is_stored(store: Store) -> None:
    (revision,) = await must_commit(store, create("pods", "a/1"))
    again = replace(create("pods", "a/1"), namespace="a")
    assert await store.commit([again]) == [Refused(Refusal.NAMESPACE_MISSING, revision)]


async def test_a_group_stops_at_its_first_failure(store: Store) -> None:
    await must_commit(store, create("pods", "a/1"))
    outcomes = await store.commit(
        [
            replace(create("pods", "a/2"), group="x"),
            replace(create("pods", "a/1"), group="x"),
            replace(create("pods", "a/3"), group="x"),
            replace(create("pods", "a/4"), group="y"),
            create("pods", "a/1"),
            create("pods", "a/5"),
            replace(update("pods", "a/1"), group="x"),
        ]
    )
    assert [_word(outcome) for outcome in outcomes] == [
        "committed",
        Refusal.EXISTS,
        Refusal.NOT_ATTEMPTED,
        "committed",
        Refusal.EXISTS,
        "committed",
        Refusal.NOT_ATTEMPTED,
    ]
    assert list(await store.read("pods", ["a/3"])) == [None]
    assert (await store.commit([replace(create("pods", "a/3"), group="x")]))[0] == Committed(await store.revision())


async def test_only_the_raised_epoch_is_accepted(store: Store) -> None:
    first, second = await must_commit(store, create("leases", "a/1"), update("leases", "a/1"))
    fenced = replace(create("pods", "a/1"), fence=Fence("7", first))
    assert await store.commit([fenced]) == [Refused(Refusal.FENCED)]  # none is raised yet
    await store.raise_fence(Fence("7", first))
    await must_commit(store, fenced)
    await store.raise_fence(Fence("7", second))
    late = replace(update("pods", "a/1"), fence=Fence("7", first))
    assert (await store.commit([late]))[0] == Refused(Refusal.FENCED, second + 1)
    early = replace(late, fence=Fence("7", second + 1))
    assert _word((await store.commit([early]))[0]) is Refusal.FENCED
    other = replace(late, fence=Fence("8", second))
    assert _word((await store.commit([other]))[0]) is Refusal.FENCED
    await must_commit(store, replace(late, fence=Fence("7", second)), update("pods", "a/1"))


async def test_a_fence_is_never_lowered(store: Store) -> None:
    first, second = await must_commit(store, create("leases", "a/1"), update("leases", "a/1"))
    await store.raise_fence(Fence("7", second))
    await store.raise_fence(Fence("7", second))
    with pytest.raises(FencedError):
        await store.raise_fence(Fence("7", first))
    await store.raise_fence(Fence("8", first))
    await must_commit(store, replace(create("pods", "a/1"), fence=Fence("7", second)))


async def test_shards_with_a_fence_are_bounded(store: Store) -> None:
    first, second = await must_commit(store, create("leases", "a/1"), update("leases", "a/1"))
    for number in range(MAX_SHARDS):
        await store.raise_fence(Fence(f"{number}", first))
    with pytest.raises(TooManyRequestsError, match=f"more than {MAX_SHARDS}"):
        await store.raise_fence(Fence("another", first))
    await store.raise_fence(Fence("0", second))


@pytest.mark.parametrize("shard", ["", "s" * 257, "a\0b"])
async def test_what_is_no_name_of_a_shard(store: Store, shard: str) -> None:
    (owner,) = await must_commit(store, create("leases", "a/1"))
    with pytest.raises(BadRequestError, match="shard"):
        await store.raise_fence(Fence(shard, owner))


@pytest.mark.parametrize("epoch", [2**53 + 1, 2**62, 2**63 - 1])
async def test_an_epoch_that_was_never_given_out_locks_nobody_out(store: Store, epoch: int) -> None:
    (owner,) = await must_commit(store, create("leases", "a/1"))
    for never in (epoch, owner + 1, 0):
        with pytest.raises(FencedError, match="never given out"):
            await store.raise_fence(Fence("7", never))
    await store.raise_fence(Fence("7", owner))
    fenced = replace(create("pods", "a/1"), fence=Fence("7", epoch))
    assert await store.commit([fenced]) == [Refused(Refusal.FENCED)]
    await must_commit(store, replace(fenced, fence=Fence("7", owner)))


@pytest.mark.parametrize("revision", [-1, 2**62, 2**64, 2**80])
async def test_a_revision_that_cannot_be_is_stale(store: Store, revision: int) -> None:
    (there,) = await must_commit(store, create("pods", "a/1"))
    impossible = replace(update("pods", "a/1"), require=Require.REVISION, revision=revision)
    assert await store.commit([impossible]) == [Refused(Refusal.STALE, there)]


async def test_refusals_are_checked_in_order(store: Store) -> None:
    await must_commit(store, create("pods", "a/1"))
    everything_wrong = replace(create("pods", "a/1"), namespace="a", fence=Fence("7", 1), group="x")
    outcomes = await store.commit(
        [everything_wrong, everything_wrong, replace(everything_wrong, fence=None, group="y"), create("pods", "a/1")]
    )
    assert [_word(outcome) for outcome in outcomes] == [
        Refusal.FENCED,
        Refusal.NOT_ATTEMPTED,
        Refusal.NAMESPACE_MISSING,
        Refusal.EXISTS,
    ]


async def test_a_full_commit_of_many_resources(store: Store) -> None:
    await must_commit(store, *(create(f"resource-{number}", "a/1") for number in range(256)))
    async with store.scan() as (_, chunks):
        assert sum([len(chunk) async for chunk in chunks]) == 256


async def test_a_commit_above_its_limit_is_refused_whole(store: Store) -> None:
    before = await store.revision()
    with pytest.raises(RequestTooLargeError, match="257"):
        await store.commit([create("pods", f"a/{number}") for number in range(257)])
    assert await store.revision() == before


NONSENSE = {
    "deletion that requires absence": Mutation("pods", "a/1", None, Require.ABSENT),
    "zero byte in the key": create("pods", "a/\0"),
    "zero byte in the group": replace(create("pods", "a/1"), group="\0"),
    "half a character": create("pods", "a/\ud800"),
}


@pytest.mark.parametrize("mutation", NONSENSE.values(), ids=NONSENSE)
async def test_nonsense_is_refused_whole(store: Store, mutation: Mutation) -> None:
    with pytest.raises(BadRequestError):
        await store.commit([create("pods", "a/2"), mutation])
    assert list(await store.read("pods", ["a/2"])) == [None]


async def test_commits_at_the_same_time_take_revisions_of_their_own(store: Store) -> None:
    start = await store.revision()
    commits = [[create("pods", f"{caller}/{number}") for number in range(5)] for caller in range(20)]
    answers = await asyncio.gather(*(store.commit(commit) for commit in commits))
    revisions = [outcome.revision for outcomes in answers for outcome in outcomes]
    assert sorted(revisions) == list(range(start + 1, start + 101))
    for outcomes in answers:  # a commit is not torn apart
        assert [outcome.revision - outcomes[0].revision for outcome in outcomes] == [0, 1, 2, 3, 4]


async def test_of_many_creators_of_one_key_one_wins(store: Store) -> None:
    answers = await asyncio.gather(*(store.commit([create("pods", "a/1", b"%d" % n)]) for n in range(20)))
    winners = [number for number, (outcome,) in enumerate(answers) if isinstance(outcome, Committed)]
    assert len(winners) == 1
    (stored,) = await store.read("pods", ["a/1"])
    assert stored is not None
    assert stored.value == b"%d" % winners[0]


async def test_a_cancelled_commit_leaves_the_store_usable(store: Store) -> None:
    await store.revision()
    task = asyncio.create_task(store.commit([create("pods", "a/1")]))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await must_commit(store, create("pods", "a/2"))
    assert (await store.read("pods", ["a/2"]))[0] is not None


async def test_scan_reads_everything(store: Store) -> None:
    assert await _scan(store) == (await store.revision(), {})
    wanted: dict[tuple[str, str], Stored] = {}
    for resource in ("pods", "nodes", "deployments.apps"):
        for start in range(0, 600, 200):
            keys = [f"a/{number}" for number in range(start, start + 200)]
            revisions = await must_commit(store, *(create(resource, key, key.encode()) for key in keys))
            for key, revision in zip(keys, revisions, strict=True):
                wanted[resource, key] = Stored(resource, key, key.encode(), revision)
    await must_commit(store, delete("nodes", "a/7"))
    del wanted["nodes", "a/7"]
    assert await _scan(store) == (await store.revision(), wanted)


async def test_scan_comes_in_chunks(store: Store) -> None:
    for start in range(0, 1000, 200):
        await must_commit(store, *(create("pods", f"a/{n}", b"x" * 100) for n in range(start, start + 200)))
    async with store.scan() as (_, chunks):
        sizes = [len(chunk) async for chunk in chunks]
    assert sum(sizes) == 1000
    assert max(sizes) <= 512


async def test_oldest_revision_of_an_untrimmed_log_reaches_back_to_the_start(store: Store) -> None:
    start = await store.revision()
    await must_commit(store, create("pods", "a/1"))
    assert await store.oldest_revision() <= start


async def test_a_closed_store_is_unavailable(new_store: NewStore) -> None:
    store = new_store()
    await must_commit(store, create("pods", "a/1"))
    await store.close()
    for work in (store.commit([create("pods", "a/2")]), store.read("pods", ["a/1"]), store.revision(), store.jumps()):
        with pytest.raises(UnavailableError) as raised:
            await work
        assert raised.value.outcome is WriteOutcome.NOT_SENT
    with pytest.raises(UnavailableError):
        async with store.scan():
            pass
    with pytest.raises(UnavailableError):
        async with store.follow(0):
            pass


async def _scan(store: Store) -> tuple[int, dict[tuple[str, str], Stored]]:
    async with store.scan() as (revision, chunks):
        found = [stored async for chunk in chunks for stored in chunk]
    return revision, {(stored.resource, stored.key): stored for stored in found}


def _word(outcome: Outcome) -> Refusal | str:
    return outcome.refusal if isinstance(outcome, Refused) else "committed"


def _claiming(key: str, *claims: str, frees: tuple[str, ...] = ()) -> Mutation:
    return Mutation("services", key, b"value", Require.PRESENT, claims=claims, frees=frees)


def _new(key: str, *claims: str) -> Mutation:
    return replace(_claiming(key, *claims), require=Require.ABSENT)


async def test_a_claim_is_held_by_one(store: Store) -> None:
    start = await store.revision()
    outcomes = await store.commit([_new("a/1", "ip/1", "port/1"), _new("a/2", "ip/2", "port/1"), _new("a/2", "ip/2")])
    assert outcomes == [Committed(start + 1), Refused(Refusal.CLAIMED), Committed(start + 2)]
    await must_commit(store, _claiming("a/1", "ip/1"))
    assert await store.commit([_claiming("a/1", "ip/2")]) == [Refused(Refusal.CLAIMED, start + 3)]


async def test_a_claim_is_held_by_a_key_of_one_resource(store: Store) -> None:
    await must_commit(store, _new("a/1", "ip/1"))
    assert await store.commit([replace(_new("a/1", "ip/1"), resource="pods")]) == [Refused(Refusal.CLAIMED)]


async def test_a_claim_is_freed(store: Store) -> None:
    await must_commit(store, _new("a/1", "ip/1", "port/1"))
    await must_commit(store, _claiming("a/1", "ip/1", frees=("port/1",)), _new("a/2", "port/1"))
    gone = replace(_claiming("a/1", frees=("ip/1",)), value=None)
    await must_commit(store, gone, _new("a/3", "ip/1"))


async def test_what_another_holds_cannot_be_freed(store: Store) -> None:
    await must_commit(store, _new("a/1", "ip/1"), _new("a/2"))
    await must_commit(store, _claiming("a/2", frees=("ip/1",)))
    assert await store.commit([_new("a/3", "ip/1")]) == [Refused(Refusal.CLAIMED)]


async def test_a_refused_mutation_claims_nothing(store: Store) -> None:
    assert await store.commit([_claiming("a/1", "ip/1")]) == [Refused(Refusal.MISSING)]
    await must_commit(store, _new("a/2", "ip/1"))


async def test_a_claim_ends_a_group(store: Store) -> None:
    await must_commit(store, _new("a/1", "ip/1"))
    outcomes = await store.commit([replace(_new("a/2", "ip/1"), group="g"), replace(_new("a/3"), group="g")])
    assert outcomes == [Refused(Refusal.CLAIMED), Refused(Refusal.NOT_ATTEMPTED)]


@pytest.mark.parametrize("claim", ["a\0b", "a\nb"])
async def test_claims_that_cannot_be_sent(store: Store, claim: str) -> None:
    for mutation in (_new("a/1", claim), _claiming("a/1", frees=(claim,))):
        with pytest.raises(BadRequestError):
            await store.commit([mutation])


def _reckoned(key: str, reader: str, seen: int) -> Mutation:
    return Mutation("pods", key, b"value", Require.ABSENT, reckoning=Reckoning("a", reader, seen))


async def test_what_another_did_since_overtakes_a_decision(store: Store) -> None:
    start = await store.revision()
    outcomes = await store.commit([_reckoned("a/1", "one", start), _reckoned("a/2", "two", start)])
    assert outcomes == [Committed(start + 1), Refused(Refusal.OVERTAKEN)]
    assert await store.commit([_reckoned("a/2", "two", start + 1)]) == [Committed(start + 2)]
    assert await store.commit([_reckoned("a/3", "one", start + 1)]) == [Refused(Refusal.OVERTAKEN)]


async def test_what_itself_did_overtakes_no_decision(store: Store) -> None:
    start = await store.revision()
    first = [_reckoned(f"a/{at}", "one", start) for at in range(3)]
    assert await store.commit(first) == [Committed(start + at) for at in (1, 2, 3)]
    assert await store.commit([_reckoned("a/4", "one", start)]) == [Committed(start + 4)]
    assert await store.commit([_reckoned("b/1", "two", start + 4)]) == [Committed(start + 5)]
    unseen, seen = _reckoned("a/5", "two", start + 3), _reckoned("a/5", "two", start + 4)
    assert await store.commit([unseen, seen]) == [Refused(Refusal.OVERTAKEN), Committed(start + 6)]
    assert await store.commit([_reckoned("a/6", "one", start + 4)]) == [Refused(Refusal.OVERTAKEN)]


async def test_a_refused_mutation_enters_no_ledger(store: Store) -> None:
    start = await store.revision()
    refused = replace(_reckoned("a/1", "one", start), require=Require.PRESENT)
    assert await store.commit([refused]) == [Refused(Refusal.MISSING)]
    assert await store.commit([_reckoned("a/1", "two", start)]) == [Committed(start + 1)]


async def test_a_ledger_goes_with_its_namespace(store: Store) -> None:
    await must_commit(store, create("namespaces", "/a"))
    start = await store.revision()
    await store.commit([_reckoned("a/1", "one", start), delete("namespaces", "/a")])
    assert await store.commit([_reckoned("a/2", "two", start)]) == [Committed(start + 3)]


async def test_reckonings_that_cannot_be_sent(store: Store) -> None:
    for reckoning in (Reckoning("a\0b", "one", 0), Reckoning("a", "o\0ne", 0)):
        with pytest.raises(BadRequestError):
            await store.commit([replace(create("pods", "a/1"), reckoning=reckoning)])
