"""BatchWrite, groups, fences, dry run and limits (docs/semantics/api-conventions.md section 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from rollplane_apiserver.core import ADMIN, Core, CoreSettings, Identity, Role
from rollplane_apiserver.store.interface import Mutation, Outcome, Require
from rollplane_machinery import kinds
from rollplane_machinery.api import (
    Bind,
    Create,
    Delete,
    Evict,
    Fence,
    ListQuery,
    Patch,
    PatchType,
    Update,
    UpdateStatus,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import (
    AlreadyExistsError,
    BadRequestError,
    FencedError,
    ForbiddenError,
    InternalError,
    InvalidError,
    NotAttemptedError,
    NotFoundError,
    RequestTooLargeError,
    RollplaneError,
)
from rollplane_machinery.kinds import Encoded
from tests.apiserver.core.office import (
    CountingStore,
    Office,
    config_map,
    copied,
    deployment,
    key_of,
    lease,
    namespace,
    pod,
    service,
)

DRY = WriteOptions(dry_run=True)


def create(name: str, group: str = "") -> Create:
    return Create(Encoded.of(config_map(name)), group=group)


def words(results: object) -> list[str]:
    assert isinstance(results, list)
    return ["ok" if isinstance(result, WriteResult) else type(result).__name__ for result in results]


async def test_results_come_in_order_and_one_bad_item_harms_no_other(office: Office) -> None:
    await office.create(config_map("taken"))
    bad = config_map("Not A Name")
    results = await office.api.batch(
        [
            create("a"),
            Create(Encoded.of(bad)),
            create("taken"),
            Delete(key_of(config_map("absent"))),
            Delete(key_of(config_map(""))),
            Create(Encoded(kinds.POD, b"\xff")),
            create("b"),
        ]
    )
    assert words(results) == [
        "ok",
        "InvalidError",
        "AlreadyExistsError",
        "NotFoundError",
        "BadRequestError",
        "BadRequestError",
        "ok",
    ]
    assert await office.names(kinds.CONFIG_MAP) == ["a", "b", "taken"]


GROUPS: dict[str, tuple[list[tuple[str, str]], list[str]]] = {
    "a failure at commit": (
        [("a", "g"), ("taken", "g"), ("b", "g"), ("c", "h"), ("d", "")],
        ["ok", "AlreadyExistsError", "NotAttemptedError", "ok", "ok"],
    ),
    "a failure before commit": (
        [("Bad!", "g"), ("b", "g"), ("c", "h")],
        ["InvalidError", "NotAttemptedError", "ok"],
    ),
    "no group": ([("taken", ""), ("b", "")], ["AlreadyExistsError", "ok"]),
}


@pytest.mark.parametrize(("items", "expected"), GROUPS.values(), ids=GROUPS)
async def test_after_the_first_failure_the_rest_of_a_group_is_not_attempted(
    office: Office, items: list[tuple[str, str]], expected: list[str]
) -> None:
    await office.create(config_map("taken"))
    assert words(await office.api.batch([create(name, group) for name, group in items])) == expected
    stored = set(await office.names(kinds.CONFIG_MAP))
    assert stored == {"taken"} | {name for (name, _), word in zip(items, expected, strict=True) if word == "ok"}


async def test_group_goes_on_behind_an_item_that_was_overtaken(office: Office) -> None:
    """A patch that has to be redone is no failure, and what follows it in its group follows it still."""
    made = await office.create(config_map("first"))
    await overtake(office, made.metadata.name)
    patch = Patch(key_of(made), PatchType.MERGE, b'{"data":{"k":"mine"}}', group="g")
    results = await office.api.batch([patch, create("second", "g"), create("third", "g")])
    assert words(results) == ["ok", "ok", "ok"]
    revisions = [result.revision for result in results if isinstance(result, WriteResult)]
    assert revisions == sorted(revisions)
    assert (await office.get(made)).data["k"] == "mine"


async def overtake(office: Office, name: str) -> None:
    """Change an object behind the cache's back: its reader gets no turn before the test's next step."""
    (stored,) = await office.store.read("configmaps", [f"default/{name}"])
    assert stored is not None
    mutation = Mutation("configmaps", stored.key, stored.value + b"", Require.REVISION, revision=stored.revision)
    await office.store.commit([mutation])


async def test_group_beyond_one_commit_stops_at_its_first_failure(office: Office) -> None:
    await office.create(config_map("c100"))
    results = await office.api.batch([create(f"c{n:03}", "g") for n in range(600)])
    assert words(results) == ["ok"] * 100 + ["AlreadyExistsError"] + ["NotAttemptedError"] * 499


async def test_a_batch_is_committed_while_the_rest_of_it_is_decided(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whole groups: the first are committed before the last have been looked at."""
    commit = office.store.commit

    async def slowly(mutations: Sequence[Mutation]) -> Sequence[Outcome]:
        await office.clock.advance(60.0)
        return await commit(mutations)

    monkeypatch.setattr(office.store, "commit", slowly)
    results = await office.api.batch([create(f"c{n:03}", f"g{n // 3}") for n in range(600)])
    made = [result.object.parse().metadata for result in results if isinstance(result, WriteResult) and result.object]
    assert [metadata.name for metadata in made] == [f"c{n:03}" for n in range(600)]
    assert made[-1].creation_timestamp.seconds > made[0].creation_timestamp.seconds


async def test_groups_that_lie_apart_keep_together(office: Office) -> None:
    """The last of a group may stand far behind its first, with others between."""
    await office.create(config_map("c000"))
    writes = [create(f"c{n:03}", "g" if n in (0, 399) else f"own-{n}") for n in range(400)]
    assert words(await office.api.batch(writes)) == [
        "AlreadyExistsError",
        *["ok"] * 398,
        "NotAttemptedError",
    ]


async def test_batch_is_bounded(office: Office) -> None:
    with pytest.raises(RequestTooLargeError):
        await office.api.batch([create(f"c{n}") for n in range(1001)])
    large = config_map()
    large.data["k"] = "x" * 500_000
    with pytest.raises(RequestTooLargeError):
        await office.api.batch([Create(Encoded.of(large)) for _ in range(9)])
    assert words(await office.api.batch([create(f"c{n}") for n in range(1000)])) == ["ok"] * 1000


async def test_omitted_objects_are_left_out(office: Office) -> None:
    omit = WriteOptions(omit_object=True)
    made = await office.api.write(Create(Encoded.of(config_map()), omit))
    same = await office.api.write(Patch(key_of(config_map()), PatchType.MERGE, b"{}", options=omit))
    gone = await office.api.write(Delete(key_of(config_map()), options=omit))
    assert (made.object, same.object, gone.object) == (None, None, None)
    assert made.revision == same.revision < gone.revision


async def test_every_verb_in_one_batch(office: Office) -> None:
    web, running, doomed = (
        await office.create(deployment()),
        await office.create(pod("running", node="n1")),
        await office.create(config_map("doomed")),
    )
    waiting = await office.create(pod("waiting"))
    web.metadata.labels["a"] = "b"
    running.status.phase = "Running"
    writes: list[Write] = [
        create("new"),
        Update(Encoded.of(web)),
        UpdateStatus(Encoded.of(running)),
        Patch(key_of(web), PatchType.MERGE, b'{"spec":{"replicas":5}}', "scale"),
        Delete(key_of(doomed)),
        Bind(key_of(waiting), "n1"),
        Evict(key_of(running)),
    ]
    assert words(await office.api.batch(writes)) == ["ok"] * 7
    assert (await office.get(web)).spec.replicas == 5
    assert (await office.get(web)).metadata.labels["a"] == "b"


async def test_a_defect_in_one_item_is_answered_and_logged(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("rollplane_apiserver.core.bind.apply_binding", broken)
    made = await office.create(pod())
    results = await office.api.batch([Bind(key_of(made), "n1"), create("a")])
    assert words(results) == ["InternalError", "ok"]
    assert isinstance(results[0], InternalError)
    assert "a write could not be decided" in caplog.messages


async def test_large_batch_gives_way_to_single_writes(office: Office) -> None:
    """A thousand writes are prepared in slices: a single write that comes meanwhile is answered before their end."""
    batch = asyncio.ensure_future(office.api.batch([create(f"c{n}") for n in range(1000)]))
    await asyncio.sleep(0)
    single = await office.api.write(create("single"))
    results = await batch
    assert single.revision < max(result.revision for result in results if isinstance(result, WriteResult))


CONTROLLER = Identity("rc", Role.CONTROLLER)


async def test_controller_needs_a_fence(office: Office) -> None:
    controller = office.core.as_identity(CONTROLLER)
    with pytest.raises(FencedError):
        await controller.write(create("a"))
    assert words(await controller.batch([create("a")])) == ["FencedError"]


async def test_nobody_else_may_send_a_fence(office: Office) -> None:
    with pytest.raises(ForbiddenError):
        await office.api.write(Create(Encoded.of(config_map()), WriteOptions(fence=Fence("ns-1", 5))))
    with pytest.raises(ForbiddenError):
        await office.api.raise_fence(Fence("ns-1", 5))


async def test_epoch_must_equal_the_fence(office: Office) -> None:
    controller = office.core.as_identity(CONTROLLER)
    acquired = await controller.write(Create(Encoded.of(lease("ns-1"))))
    fence = Fence("ns-1", acquired.revision)
    fenced = Create(Encoded.of(config_map()), WriteOptions(fence=fence))
    with pytest.raises(FencedError):
        await controller.write(fenced)
    await controller.raise_fence(fence)
    assert (await controller.write(fenced)).revision
    later = await controller.write(Create(Encoded.of(lease("ns-2"))))
    await controller.raise_fence(Fence("ns-1", later.revision))
    with pytest.raises(FencedError):
        await controller.write(Delete(key_of(config_map()), options=WriteOptions(fence=fence)))
    with pytest.raises(FencedError):
        await controller.raise_fence(fence)


async def state(office: Office) -> list[bytes]:
    pages = [await office.api.list(ListQuery(kind)) for kind in kinds.KINDS]
    return [encoded.value for page in pages for encoded in page.objects]


async def test_dry_run_answers_as_real_and_stores_nothing(office: Office) -> None:
    made, bound = await office.create(deployment()), await office.create(pod(node="n1"))
    changed = copied(made)
    changed.spec.replicas = 9
    before = await state(office)
    created = await office.create(config_map("new"), DRY)
    assert created.metadata.uid
    assert (await office.update(changed, DRY)).spec.replicas == 9
    options: list[Write] = [
        Patch(key_of(made), PatchType.MERGE, b'{"spec":{"replicas":3}}', options=DRY),
        Delete(key_of(made), options=DRY),
        Delete(key_of(bound), options=DRY),
        Update(Encoded.of(service()), DRY),
    ]
    results = await office.api.batch(options)
    assert [isinstance(one, WriteResult) and one.removed for one in results] == [False, True, False, False]
    assert await state(office) == before


async def test_dry_run_refuses_as_real(office: Office) -> None:
    made = await office.create(config_map())
    team = await office.create(namespace("team"))
    await office.delete(team)
    refusals: list[tuple[Write, type[RollplaneError]]] = [
        (Create(Encoded.of(config_map()), DRY), AlreadyExistsError),
        (Create(Encoded.of(config_map("Bad!")), DRY), InvalidError),
        (Create(Encoded.of(config_map("x", "nowhere")), DRY), NotFoundError),
        (Create(Encoded.of(config_map("x", "team")), DRY), ForbiddenError),
        (Delete(key_of(config_map("absent")), options=DRY), NotFoundError),
        (Update(Encoded.of(config_map("absent")), DRY), NotFoundError),
        (Delete(key_of(namespace("default")), options=DRY), ForbiddenError),
        (Patch(key_of(made), PatchType.MERGE, b"[]", options=DRY), BadRequestError),
    ]
    results = await office.api.batch([write for write, _ in refusals])
    assert [type(result) for result in results] == [error for _, error in refusals]


async def test_dry_run_stops_a_group_as_real(office: Office) -> None:
    await office.create(config_map("taken"))
    writes = [(Encoded.of(config_map(name)), group) for name, group in (("taken", "g"), ("a", "g"), ("b", "h"))]
    for options in (DRY, WriteOptions()):
        results = await office.api.batch([Create(encoded, options, group=group) for encoded, group in writes])
        assert words(results) == ["AlreadyExistsError", "NotAttemptedError", "ok"]


async def test_dry_run_generates_a_name(office: Office) -> None:
    message = config_map("")
    message.metadata.generate_name = "c-"
    assert len((await office.create(message, DRY)).metadata.name) == 7


async def test_retry_of_a_group_is_not_attempted_after_a_final_failure(office: Office) -> None:
    made = await office.create(config_map())
    await overtake(office, "c")
    stale = copied(made)
    stale.data["k"] = "w"
    results = await office.api.batch([Update(Encoded.of(stale), group="g"), create("behind", "g")])
    assert words(results) == ["ConflictError", "NotAttemptedError"]
    assert isinstance(results[1], NotAttemptedError)


async def test_initial_namespaces_are_made_once_by_cores_that_start_together() -> None:
    store = CountingStore()
    async with Core(store, FakeClock()) as one, Core(store, FakeClock(), settings=CoreSettings()) as other:
        query = ListQuery(kinds.NAMESPACE)
        first, second = await one.as_identity(ADMIN).list(query), await other.as_identity(ADMIN).list(query)
    assert [encoded.value for encoded in first.objects] == [encoded.value for encoded in second.objects]
    assert len(first.objects) == 4
