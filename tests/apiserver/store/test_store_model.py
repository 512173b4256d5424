"""Every store against a plain model: any history of commits, fences, jumps and trims.

Replaying the log from any revision onto the state at that revision must give exactly the present state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from rollplane_apiserver.store.interface import (
    Change,
    Committed,
    Mutation,
    Outcome,
    Reckoning,
    Refusal,
    Refused,
    Require,
    Store,
)
from rollplane_apiserver.store.layout import Keys
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_machinery.api import EventType, Fence
from rollplane_machinery.errors import ExpiredError, FencedError

from .administering import command

T = TypeVar("T")
Place = tuple[str, str]
State = dict[Place, tuple[int, bytes]]

LOG_ENTRIES = 16  # so few that most histories lose some
SETTINGS = settings(max_examples=30, stateful_step_count=25, deadline=None)

RESOURCES = st.sampled_from(["namespaces", "pods", "leases"])
NAMES = st.sampled_from(["a", "b"])
VALUES = st.binary(max_size=12)
SHARDS = st.sampled_from(["1", "2"])


@dataclass
class Draft:
    """A mutation before it is known what is stored.

    Revision, epoch and how far a reckoning's reader has seen are told relative to what is; ``require`` None is what
    fits it.
    """

    resource: str
    name: str
    value: bytes | None
    require: Require | None
    revision_offset: int
    in_namespace: str
    sealed: bool
    log_previous: bool
    shard: str
    epoch_offset: int
    group: str
    token: str
    claims: list[str]
    frees: list[str]
    reckoned: tuple[str, int] | None


CLAIM = st.sampled_from(["ip/1", "ip/2", "port/1"])
CLAIMS = st.one_of(st.lists(CLAIM, max_size=0), st.lists(CLAIM, max_size=2))
DRAFTS = st.builds(
    Draft,
    resource=RESOURCES,
    name=NAMES,
    value=st.one_of(st.none(), VALUES, VALUES),
    require=st.sampled_from([None, None, None, *Require]),
    revision_offset=st.sampled_from([0, 0, 0, 0, -1, 1]),
    in_namespace=st.sampled_from(["", "", "", "", "a", "b"]),
    sealed=st.booleans(),
    log_previous=st.booleans(),
    shard=st.sampled_from(["", "", "", "", "1", "2"]),
    epoch_offset=st.sampled_from([0, 0, 0, 1]),
    group=st.sampled_from(["", "", "x", "y"]),
    token=st.sampled_from(["", "", "", "w/1", "w/2", "w/3", "w/4", "w/5"]),
    claims=CLAIMS,
    frees=CLAIMS,
    reckoned=st.one_of(st.none(), st.none(), st.tuples(st.sampled_from(["r1", "r2"]), st.integers(0, 3))),
)


@dataclass
class Model:
    """What a store should hold, in the plainest terms."""

    revision: int
    objects: State = field(default_factory=dict)
    sealed: set[Place] = field(default_factory=set)
    fences: dict[str, int] = field(default_factory=dict)
    past: list[tuple[int, State]] = field(default_factory=list)
    log: list[Change] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)  # 0: withdrawn
    claims: dict[str, Place] = field(default_factory=dict)
    entered: list[tuple[str, str, int]] = field(default_factory=list)

    def commit(self, mutations: Sequence[Mutation]) -> list[Outcome]:
        failed: set[str] = set()
        return [self._one(mutation, failed) for mutation in mutations]

    def _one(self, mutation: Mutation, failed: set[str]) -> Outcome:
        outcome = self._outcome(mutation, failed)
        if isinstance(outcome, Refused):
            failed.update({mutation.group} - {""})
        if mutation.token and not outcome.repeated and _settles(outcome):
            self.tokens[mutation.token] = outcome.revision
        return outcome

    def _outcome(self, mutation: Mutation, failed: set[str]) -> Outcome:
        there = self.objects.get((mutation.resource, mutation.key), (0, b""))[0]
        refusal = self._refusal(mutation, there)
        if mutation.token in self.tokens:
            revision = self.tokens[mutation.token]
            return Committed(revision, repeated=True) if revision else Refused(Refusal.WITHDRAWN, repeated=True)
        if mutation.require is Require.NEVER:
            return Refused(Refusal.WITHDRAWN)
        if mutation.group in failed:
            return Refused(Refusal.NOT_ATTEMPTED)
        return Refused(refusal, there) if refusal else self._store(mutation)

    def _store(self, mutation: Mutation) -> Outcome:
        place = (mutation.resource, mutation.key)
        self.revision += 1
        self.log.append(self._change(mutation))
        for claim in mutation.frees:
            if self.claims.get(claim) == place:
                del self.claims[claim]
        self.claims.update(dict.fromkeys(mutation.claims, place))
        if mutation.resource == "namespaces" and mutation.value is None:
            self.entered = [entry for entry in self.entered if entry[0] != mutation.key[1:]]
        elif mutation.reckoning:
            self.entered.append((mutation.reckoning.ledger, mutation.reckoning.reader, self.revision))
        self.objects.pop(place, None)
        self.sealed.discard(place)
        if mutation.value is not None:
            self.objects[place] = (self.revision, mutation.value)
            self.sealed.update({place} if mutation.sealed else ())
        self.remember()
        return Committed(self.revision)

    def _change(self, mutation: Mutation) -> Change:
        before = self.objects.get((mutation.resource, mutation.key))
        event = EventType.DELETED if mutation.value is None else EventType.MODIFIED if before else EventType.ADDED
        kept = before[1] if before and (mutation.log_previous or mutation.value is None) else None
        value = mutation.value if mutation.value is not None else kept
        assert value is not None
        return Change(self.revision, event, mutation.resource, mutation.key, value, kept)

    def _refusal(self, mutation: Mutation, there: int) -> Refusal | None:
        namespace, place = ("namespaces", f"/{mutation.namespace}"), (mutation.resource, mutation.key)
        rules = [
            (mutation.fence and self.fences.get(mutation.fence.shard) != mutation.fence.epoch, Refusal.FENCED),
            (mutation.namespace and namespace not in self.objects, Refusal.NAMESPACE_MISSING),
            (mutation.namespace and namespace in self.sealed, Refusal.NAMESPACE_SEALED),
            (mutation.require is Require.ABSENT and there, Refusal.EXISTS),
            (mutation.require is not Require.ABSENT and not there, Refusal.MISSING),
            (mutation.require is Require.REVISION and there != mutation.revision, Refusal.STALE),
            (any(self.claims.get(claim, place) != place for claim in mutation.claims), Refusal.CLAIMED),
            (mutation.reckoning and self._is_overtaken(mutation.reckoning), Refusal.OVERTAKEN),
        ]
        return next((refusal for broken, refusal in rules if broken), None)

    def _is_overtaken(self, reckoning: Reckoning) -> bool:
        others = (at for ledger, who, at in self.entered if ledger == reckoning.ledger and who != reckoning.reader)
        return any(at > reckoning.seen for at in others)

    def remember(self) -> None:
        self.past.append((self.revision, dict(self.objects)))


class StoreMachine(RuleBasedStateMachine):
    """Does the same to a store and to the model."""

    def __init__(self, open_store: Callable[[], Store], jump: Callable[[Store], Coroutine[Any, Any, None]]) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.jump_store = jump
        self.store = open_store()
        self.model = Model(self.run(self.store.revision()))
        self.model.remember()
        self.epochs: dict[str, int] = {}  # as raised last, also before a jump

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @rule(drafts=st.lists(DRAFTS, max_size=6))
    def commit(self, drafts: list[Draft]) -> None:
        mutations = [self._mutation(draft) for draft in drafts]
        assert list(self.run(self.store.commit(mutations))) == self.model.commit(mutations)
        assert self.run(self.store.revision()) == self.model.revision

    @rule(shard=SHARDS, offset=st.integers(-2, 3))
    def raise_fence(self, shard: str, offset: int) -> None:
        epoch = max(0, self.epochs.get(shard, self.model.revision) + offset)
        allowed = self.model.fences.get(shard, 0) <= epoch and 0 < epoch <= self.model.revision
        for jump in self.run(self.store.jumps()):
            allowed = allowed and not jump.last < epoch <= jump.to
        try:
            self.run(self.store.raise_fence(Fence(shard, epoch)))
        except FencedError:
            assert not allowed
        else:
            assert allowed
            self.model.fences[shard] = self.epochs[shard] = epoch

    @rule()
    def jump(self) -> None:
        last = self.model.revision
        self.run(self.jump_store(self.store))
        jump = self.run(self.store.jumps())[-1]
        assert jump.last == last
        assert jump.to >= last
        self.model.revision = jump.to + 1
        self.model.fences.clear()
        self.model.remember()

    @rule(which=st.randoms(use_true_random=False))
    def replay(self, which: Any) -> None:
        revision, state = which.choice(self.model.past)
        self._check_replay(revision, dict(state))

    @rule()
    def replay_all_that_is_left(self) -> None:
        oldest = self.run(self.store.oldest_revision())
        assert len([past for past in self.model.past if past[0] > oldest]) <= LOG_ENTRIES
        revision, state = next(past for past in self.model.past if past[0] >= oldest)
        self._check_replay(revision, dict(state))

    @rule()
    def scan(self) -> None:
        revision, state = self.run(self._scan())
        assert revision == self.model.revision
        assert state == self.model.objects

    @rule(resource=RESOURCES)
    def read(self, resource: str) -> None:
        keys = ["/a", "a/b", "/b", "a/a"]
        found = self.run(self.store.read(resource, keys))
        wanted = [self.model.objects.get((resource, key)) for key in keys]
        assert [one and (one.revision, one.value) for one in found] == wanted

    def teardown(self) -> None:
        for revision, state in self.model.past[:: max(1, len(self.model.past) // 10)]:
            self._check_replay(revision, dict(state))
        self.scan()
        self.run(self.store.close())
        self.runner.close()

    def _mutation(self, draft: Draft) -> Mutation:
        key = f"/{draft.name}" if draft.resource == "namespaces" else f"a/{draft.name}"
        there = self.model.objects.get((draft.resource, key), (0, b""))[0]
        epoch = max(0, self.epochs.get(draft.shard, 1) + draft.epoch_offset)
        fitting = Require.REVISION if there else Require.ABSENT
        require = draft.require or (Require.PRESENT if draft.value is None else fitting)
        token = "w/6" if require is Require.NEVER and not draft.token else draft.token
        value = b"" if draft.value is None and require is Require.ABSENT else draft.value
        return Mutation(
            draft.resource,
            key,
            value,
            require,
            revision=max(0, there + draft.revision_offset),
            namespace=draft.in_namespace,
            sealed=draft.sealed,
            log_previous=draft.log_previous,
            fence=Fence(draft.shard, epoch) if draft.shard else None,
            group=draft.group,
            claims=tuple(draft.claims),
            frees=tuple(draft.frees),
            token=token,
            reckoning=self._reckoning(draft),
        )

    def _reckoning(self, draft: Draft) -> Reckoning | None:
        if draft.reckoned is None:
            return None
        reader, behind = draft.reckoned
        return Reckoning(draft.in_namespace or "a", reader, max(0, self.model.revision - behind))

    def _check_replay(self, revision: int, state: State) -> None:
        expired = revision < self.run(self.store.oldest_revision())
        try:
            changes = self.run(self._changes_after(revision))
        except ExpiredError:
            assert expired
        else:
            assert not expired
            assert changes == [change for change in self.model.log if change.revision > revision]
            _apply(changes, state)
            assert state == self.model.objects

    async def _changes_after(self, position: int) -> list[Change]:
        changes: list[Change] = []
        async with self.store.follow(position) as batches:
            while position < self.model.revision:
                batch = await anext(batches)
                assert position < batch.revision
                changes.extend(batch.changes)
                position = batch.revision
        assert position == self.model.revision
        return changes

    async def _scan(self) -> tuple[int, State]:
        async with self.store.scan() as (revision, chunks):
            found = [one async for chunk in chunks for one in chunk]
        return revision, {(one.resource, one.key): (one.revision, one.value) for one in found}


def _settles(outcome: Outcome) -> bool:
    return isinstance(outcome, Committed) or outcome.refusal is Refusal.WITHDRAWN


def _apply(changes: Sequence[Change], state: State) -> None:
    for change in changes:
        if change.type is EventType.DELETED:
            del state[change.resource, change.key]
        else:
            state[change.resource, change.key] = (change.revision, change.value)


def _check(open_store: Callable[[], Store], jump: Callable[[Store], Coroutine[Any, Any, None]]) -> None:
    class Machine(StoreMachine):
        def __init__(self) -> None:
            super().__init__(open_store, jump)

    run_state_machine_as_test(Machine, settings=SETTINGS)


def test_memory_store_is_the_model() -> None:
    async def jump(store: Store) -> None:
        assert isinstance(store, MemoryStore)
        store.jump(await store.revision() + 1000)

    _check(lambda: MemoryStore(log_entries=LOG_ENTRIES), jump)


def test_redis_store_is_the_model(server_url: str, cells: Iterator[str]) -> None:
    cell = ""

    def open_store() -> Store:
        nonlocal cell
        cell = next(cells)
        return RedisStore(RedisSettings(server_url, cell, log_entries=LOG_ENTRIES))

    async def jump(store: Store) -> None:
        await command(server_url, b"HSET", Keys(cell).meta, b"run", b"of another server")
        await store.commit([])

    _check(open_store, jump)
