"""A write with a token is made at most once, and a repeat hears what became of its first sending."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from rollplane_apiserver.store.interface import Mutation, Require
from rollplane_machinery import kinds
from rollplane_machinery.api import (
    Bind,
    Create,
    Delete,
    DeleteCollection,
    Evict,
    Key,
    Patch,
    PatchType,
    Scale,
    Update,
    UpdateStatus,
    Write,
    WriteOptions,
    WriteResult,
    WriteToken,
)
from rollplane_machinery.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidError,
    NotAttemptedError,
    NotFoundError,
    Outcome,
    RollplaneError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.kinds import Encoded
from tests.apiserver.core.office import (
    Office,
    budget,
    config_map,
    copied,
    deployment,
    event,
    key_of,
    lease,
    pod,
    ready,
    service,
)

FIRST = WriteOptions(token=WriteToken("w", 1))
REPEAT = WriteOptions(token=WriteToken("w", 1), repeat=True)
SECOND = WriteOptions(token=WriteToken("w", 2))
SECOND_REPEAT = WriteOptions(token=WriteToken("w", 2), repeat=True)

Writing = Callable[[WriteOptions], Write]


async def _of_each_verb(office: Office) -> dict[str, Writing]:
    labelled = await office.create(config_map("updated"))
    labelled.metadata.labels["a"] = "b"
    running = await office.create(pod("running"))
    running.status.phase = "Running"
    patched, doomed, waiting, web = (
        await office.create(config_map("patched")),
        await office.create(config_map("doomed")),
        await office.create(pod("waiting")),
        await office.create(deployment()),
    )
    evicted = await office.create(pod("evicted", node="n1"))
    generated = config_map("")
    generated.metadata.generate_name = "c-"
    return {
        "create": lambda options: Create(Encoded.of(config_map("created")), options),
        "create with a generated name": lambda options: Create(Encoded.of(generated), options),
        "update": lambda options: Update(Encoded.of(labelled), options),
        "update status": lambda options: UpdateStatus(Encoded.of(running), options),
        "patch": lambda options: Patch(key_of(patched), PatchType.MERGE, b'{"data":{"k":"w"}}', options=options),
        "patch of a scale": lambda options: Patch(
            key_of(web), PatchType.MERGE, b'{"spec":{"replicas":5}}', "scale", options
        ),
        "delete": lambda options: Delete(key_of(doomed), options=options),
        "bind": lambda options: Bind(key_of(waiting), "n1", options=options),
        "evict": lambda options: Evict(key_of(evicted), options=options),
    }


async def test_a_repeat_of_each_verb_has_one_effect_and_the_first_result(office: Office) -> None:
    for number, (verb, write) in enumerate((await _of_each_verb(office)).items(), 1):
        token = WriteToken("v", number)
        first = await office.api.write(write(WriteOptions(token=token)))
        revision = await office.store.revision()
        again = await office.api.write(write(WriteOptions(token=token, repeat=True)))
        assert again == first, verb
        assert await office.store.revision() == revision, verb


async def test_a_repeat_is_told_what_it_wrote_and_not_what_others_wrote_since(office: Office) -> None:
    made = await office.create(config_map())
    first = await office.api.write(Patch(key_of(made), PatchType.MERGE, b'{"data":{"k":"mine"}}', options=FIRST))
    await office.patch(made, '{"data":{"k":"theirs"}}')
    again = await office.api.write(Patch(key_of(made), PatchType.MERGE, b'{"data":{"k":"mine"}}', options=REPEAT))
    assert again == first


async def test_a_repeat_is_not_told_of_a_namesake(office: Office) -> None:
    made = await office.create(config_map())
    first = await office.api.write(Patch(key_of(made), PatchType.MERGE, b'{"data":{"k":"mine"}}', options=FIRST))
    await office.delete(made)
    await office.create(config_map())
    assert (
        await office.api.write(Patch(key_of(made), PatchType.MERGE, b'{"data":{"k":"mine"}}', options=REPEAT)) == first
    )


async def test_a_first_sending_that_comes_twice_is_made_once(office: Office) -> None:
    write = Create(Encoded.of(config_map()), FIRST)
    assert await office.api.write(write) == await office.api.write(write)


async def test_a_repeat_of_what_never_arrived_is_made(office: Office) -> None:
    made = await office.api.write(Create(Encoded.of(config_map()), REPEAT))
    assert made.object is not None
    assert await office.names(kinds.CONFIG_MAP) == ["c"]


async def test_a_refused_repeat_is_definite_and_its_first_sending_can_never_be_made(office: Office) -> None:
    taken = await office.create(config_map())
    with pytest.raises(AlreadyExistsError) as refused:
        await office.api.write(Create(Encoded.of(config_map()), REPEAT))
    assert refused.value.outcome is None
    await office.delete(taken)
    with pytest.raises(ConflictError, match="given up"):
        await office.api.write(Create(Encoded.of(config_map()), FIRST))
    assert await office.names(kinds.CONFIG_MAP) == []


async def test_a_repeat_that_changes_nothing_shuts_its_first_sending_out(office: Office) -> None:
    made = await office.create(config_map())
    patch = b'{"data":{"k":"v"}}'
    same = await office.api.write(Patch(key_of(made), PatchType.MERGE, patch, options=REPEAT))
    assert same.revision == int(made.metadata.resource_version)
    await office.patch(made, '{"data":{"k":"w"}}')
    with pytest.raises(ConflictError, match="given up"):
        await office.api.write(Patch(key_of(made), PatchType.MERGE, patch, options=FIRST))
    assert (await office.get(made)).data["k"] == "w"


async def test_a_repeated_status_does_not_bring_a_failed_pod_back(office: Office) -> None:
    stored = await office.create(pod())
    stored.metadata.resource_version = ""
    running, failed = copied(stored), copied(stored)
    running.status.phase, failed.status.phase = "Running", "Failed"
    first = await office.api.write(UpdateStatus(Encoded.of(running), FIRST))
    await office.update_status(failed)
    again = await office.api.write(UpdateStatus(Encoded.of(running), REPEAT))
    assert again == first
    assert (await office.get(stored)).status.phase == "Failed"


@pytest.mark.parametrize("make", [service, event, lease])
async def test_a_repeated_update_does_not_make_a_deleted_object_anew(
    office: Office, make: Callable[[], kinds.ApiObject]
) -> None:
    stored = await office.create(make())
    stored.metadata.labels["a"] = "b"
    first = await office.api.write(Update(Encoded.of(stored), FIRST))
    await office.delete(stored)
    again = await office.api.write(Update(Encoded.of(stored), REPEAT))
    assert again == first
    assert not await office.exists(stored)


@pytest.mark.parametrize("make", [service, event, lease])
@pytest.mark.parametrize("kept", ["uid", "resource_version"])
async def test_an_update_that_names_what_it_replaces_makes_nothing_anew(
    office: Office, make: Callable[[], kinds.ApiObject], kept: str
) -> None:
    stored = await office.create(make())
    await office.delete(stored)
    stored.metadata.ClearField("resource_version" if kept == "uid" else "uid")
    with pytest.raises(ConflictError):
        await office.update(stored)
    assert not await office.exists(stored)


async def test_a_repeated_deletion_leaves_a_namesake_alone(office: Office) -> None:
    first = await office.create(config_map())
    gone = await office.api.write(Delete(key_of(first), options=FIRST))
    await office.create(config_map())
    again = await office.api.write(Delete(key_of(first), options=REPEAT))
    assert again == gone
    assert await office.exists(first)


async def test_a_repeated_eviction_charges_its_budget_once(office: Office) -> None:
    made = await office.create(budget())
    made.status.CopyFrom(budget(allowed=2).status)
    await office.update_status(made)
    running = ready(await office.create(pod(app="web", node="n1")))
    await office.update_status(running)
    await office.api.write(Evict(key_of(running), grace_period_seconds=0, options=FIRST))
    again = ready(await office.create(pod(app="web", node="n1")))  # a namesake, as a StatefulSet makes one
    await office.update_status(again)
    await office.api.write(Evict(key_of(running), grace_period_seconds=0, options=REPEAT))
    assert (await office.get(made)).status.disruptions_allowed == 1
    assert await office.exists(again)


def _group(*options: WriteOptions) -> list[Write]:
    return [Create(Encoded.of(config_map(name)), each, "g") for name, each in zip("ab", options, strict=False)]


async def test_a_repeat_keeps_its_group(office: Office) -> None:
    await office.create(config_map("a"))
    results = await office.api.batch(_group(REPEAT, SECOND_REPEAT))
    assert [type(result) for result in results] == [AlreadyExistsError, NotAttemptedError]
    late = await office.api.batch(_group(FIRST, SECOND))
    assert [type(result) for result in late] == [ConflictError, ConflictError]
    assert await office.names(kinds.CONFIG_MAP) == ["a"]


async def test_a_group_that_was_made_in_part_goes_on(office: Office) -> None:
    (first,) = await office.api.batch(_group(FIRST))
    results = await office.api.batch(_group(REPEAT, SECOND_REPEAT))
    assert results[0] == first
    assert isinstance(results[1], WriteResult)


async def test_a_group_that_was_made_is_told_so_although_its_objects_are_gone(office: Office) -> None:
    before = await office.api.batch(_group(FIRST, SECOND))
    await office.api.batch([Delete(Key(kinds.CONFIG_MAP, "default", name)) for name in "ab"])
    after = await office.api.batch(_group(REPEAT, SECOND_REPEAT))
    assert [one.revision for one in after if isinstance(one, WriteResult)] == [
        one.revision for one in before if isinstance(one, WriteResult)
    ]
    assert await office.names(kinds.CONFIG_MAP) == []


FAILURES: dict[str, RollplaneError] = {
    "the queue is full": TooManyRequestsError("20000 writes are queued", outcome=Outcome.NOT_SENT),
    "the store is gone": UnavailableError("gone", outcome=Outcome.NOT_SENT),
    "no answer": UnavailableError("gone", outcome=Outcome.OUTCOME_UNKNOWN),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("exists", [False, True], ids=["would be made", "would be refused"])
async def test_a_repeat_that_was_not_settled_tells_that_its_outcome_is_unknown(
    office: Office, monkeypatch: pytest.MonkeyPatch, failure: RollplaneError, exists: bool
) -> None:
    if exists:
        await office.create(config_map())

    async def failing(_: Sequence[Mutation]) -> object:
        raise failure

    monkeypatch.setattr(office.store, "commit", failing)
    (result,) = await office.api.batch([Create(Encoded.of(config_map()), REPEAT)])
    assert isinstance(result, RollplaneError)
    assert result.outcome is Outcome.OUTCOME_UNKNOWN


async def test_a_first_sending_that_could_not_be_decided_was_not_tried(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object) -> object:
        raise UnavailableError("no answer", outcome=Outcome.OUTCOME_UNKNOWN)

    monkeypatch.setattr(office.store, "read", failing)
    with pytest.raises(UnavailableError) as caught:
        await office.api.write(Delete(key_of(config_map("absent")), options=FIRST))
    assert caught.value.outcome is Outcome.NOT_SENT


async def test_a_token_outlives_what_overtakes_its_write(office: Office) -> None:
    made = await office.create(config_map())
    (stored,) = await office.store.read("configmaps", ["default/c"])
    assert stored is not None
    await office.store.commit(
        [Mutation("configmaps", stored.key, stored.value, Require.REVISION, revision=stored.revision)]
    )
    first = await office.api.write(Patch(key_of(made), PatchType.MERGE, b'{"data":{"k":"w"}}', options=FIRST))
    again = await office.api.write(Patch(key_of(made), PatchType.MERGE, b'{"data":{"k":"w"}}', options=REPEAT))
    assert again == first


WEB = Key(kinds.DEPLOYMENT, "default", "web")
VERBS: dict[str, Callable[[Office, WriteOptions], Awaitable[WriteResult]]] = {
    "pause": lambda office, options: office.api.pause(WEB, options),
    "restart": lambda office, options: office.api.restart(WEB, options),
    "scale": lambda office, options: office.api.scale(Scale(WEB, 7, 1, options=options)),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
async def test_a_repeated_rollout_verb_has_one_effect(
    office: Office, verb: Callable[[Office, WriteOptions], Awaitable[WriteResult]]
) -> None:
    await office.create(deployment())
    first = await verb(office, FIRST)
    await office.clock.advance(60)
    assert await verb(office, REPEAT) == first


async def test_a_repeated_verb_that_is_refused_shuts_its_first_sending_out(office: Office) -> None:
    await office.create(deployment())
    with pytest.raises(InvalidError, match="not paused"):
        await office.api.resume(WEB, REPEAT)
    await office.api.pause(WEB)
    with pytest.raises(ConflictError, match="given up"):
        await office.api.resume(WEB, FIRST)


async def test_a_deletion_of_a_collection_has_no_use_of_a_token(office: Office) -> None:
    for name in "abc":
        await office.create(config_map(name))
    deleted = await office.api.delete_collection(DeleteCollection(kinds.CONFIG_MAP, options=FIRST))
    assert deleted.deleted == 3
    with pytest.raises(NotFoundError):
        await office.api.write(Delete(key_of(config_map("a"))))
