"""One suite for both Apis: what a caller sees must not depend on whether the core is near or behind gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap, Node, Pod
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_client.typed import parse
from rollplane_machinery.api import (
    Bind,
    Create,
    Delete,
    DeleteCollection,
    EventType,
    Evict,
    Fence,
    Key,
    ListQuery,
    Patch,
    PatchType,
    Preconditions,
    RolloutState,
    Scale,
    SetImage,
    Update,
    UpdateStatus,
    WatchBatch,
    WatchEvent,
    WatchFilter,
    WatchQuery,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConflictError,
    ExpiredError,
    FencedError,
    ForbiddenError,
    InvalidError,
    NotAttemptedError,
    NotFoundError,
    RollplaneError,
    TooManyRequestsError,
    UnsupportedError,
)
from rollplane_machinery.kinds import CONFIG_MAP, DEPLOYMENT, NODE, POD, Encoded
from tests.clients.python.plane import Apis, config_map, create, deployment, everything, key, name_of, pod

OMIT = WriteOptions(omit_object=True)


async def stored_config(apis: Apis, name: str) -> ConfigMap:
    return parse(ConfigMap, await apis.objects.get(key(CONFIG_MAP, name)))


class TestWrites:
    async def test_create_then_get(self, apis: Apis) -> None:
        result = await apis.objects.write(Create(Encoded.of(config_map("a", data="ü"))))
        assert result.object is not None
        created = parse(ConfigMap, result.object)
        assert created.metadata.uid
        assert created.metadata.resource_version == str(result.revision)
        assert await stored_config(apis, "a") == created
        assert created.data["text"] == "ü"

    async def test_omit_object_leaves_it_out(self, apis: Apis) -> None:
        result = await apis.objects.write(Create(Encoded.of(config_map("a")), OMIT))
        assert result.object is None
        assert result.revision > 0

    async def test_dry_run_stores_nothing(self, apis: Apis) -> None:
        result = await apis.objects.write(Create(Encoded.of(config_map("a")), WriteOptions(dry_run=True)))
        assert result.object is not None
        with pytest.raises(NotFoundError):
            await stored_config(apis, "a")

    async def test_errors_name_what_they_are_about(self, apis: Apis) -> None:
        with pytest.raises(NotFoundError) as raised:
            await stored_config(apis, "none")
        assert (raised.value.resource, raised.value.name) == ("configmaps", "none")
        await create(apis.objects, config_map("a"))
        with pytest.raises(AlreadyExistsError) as taken:
            await create(apis.objects, config_map("a"))
        assert (taken.value.resource, taken.value.name) == ("configmaps", "a")

    async def test_invalid_names_each_field(self, apis: Apis) -> None:
        wrong = deployment("web")
        wrong.spec.template.metadata.labels["app"] = "other"
        wrong.spec.template.spec.containers[0].name = "Not A Label"
        with pytest.raises(InvalidError) as raised:
            await create(apis.objects, wrong)
        fields = {cause.field for cause in raised.value.causes}
        assert {"spec.template.metadata.labels", "spec.template.spec.containers[0].name"} <= fields

    async def test_update_with_a_stale_version_is_a_conflict(self, apis: Apis) -> None:
        await create(apis.objects, config_map("a"))
        read = await stored_config(apis, "a")
        read.data["text"] = "first"
        await apis.objects.write(Update(Encoded.of(read)))
        read.data["text"] = "second"
        with pytest.raises(ConflictError):
            await apis.objects.write(Update(Encoded.of(read)))
        assert (await stored_config(apis, "a")).data["text"] == "first"

    async def test_an_update_that_changes_nothing_keeps_the_revision(self, apis: Apis) -> None:
        revision = await create(apis.objects, config_map("a"))
        result = await apis.objects.write(Update(Encoded.of(await stored_config(apis, "a"))))
        assert result.revision == revision

    async def test_status_is_written_apart(self, apis: Apis) -> None:
        await create(apis.objects, pod("a"))
        read = parse(Pod, await apis.objects.get(key(POD, "a")))
        read.status.phase = "Running"
        read.spec.node_name = "ignored"
        result = await apis.objects.write(UpdateStatus(Encoded.of(read)))
        assert result.object is not None
        stored = parse(Pod, result.object)
        assert (stored.status.phase, stored.spec.node_name) == ("Running", "")

    @pytest.mark.parametrize(
        ("patch_type", "document"),
        [
            (PatchType.MERGE, {"data": {"text": "new"}}),
            (PatchType.STRATEGIC_MERGE, {"data": {"text": "new"}}),
            (PatchType.JSON, [{"op": "replace", "path": "/data/text", "value": "new"}]),
        ],
    )
    async def test_patches(self, apis: Apis, patch_type: PatchType, document: object) -> None:
        await create(apis.objects, config_map("a", data="old"))
        await apis.objects.write(Patch(key(CONFIG_MAP, "a"), patch_type, json.dumps(document).encode()))
        assert (await stored_config(apis, "a")).data["text"] == "new"

    async def test_delete_minds_its_precondition(self, apis: Apis) -> None:
        await create(apis.objects, config_map("a"))
        with pytest.raises(ConflictError):
            await apis.objects.write(Delete(key(CONFIG_MAP, "a"), preconditions=Preconditions(uid="other")))
        uid = (await stored_config(apis, "a")).metadata.uid
        result = await apis.objects.write(Delete(key(CONFIG_MAP, "a"), preconditions=Preconditions(uid=uid)))
        assert result.removed
        with pytest.raises(NotFoundError):
            await stored_config(apis, "a")

    async def test_bind_assigns_a_pod_once(self, apis: Apis) -> None:
        node = Node()
        node.metadata.name = "n1"
        await create(apis.objects, node)
        await create(apis.objects, pod("a"))
        await apis.objects.write(Bind(key(POD, "a"), "n1"))
        assert parse(Pod, await apis.objects.get(key(POD, "a"))).spec.node_name == "n1"
        with pytest.raises(ConflictError):
            await apis.objects.write(Bind(key(POD, "a"), "n2"))

    async def test_evict_asks_the_budget(self, apis: Apis) -> None:
        node = Node()
        node.metadata.name = "n1"
        await create(apis.objects, node)
        await create(apis.objects, pod("a", app="web"))
        await apis.objects.write(Bind(key(POD, "a"), "n1"))
        read = parse(Pod, await apis.objects.get(key(POD, "a")))
        read.status.phase = "Running"
        read.status.conditions.add(type="Ready", status="True")
        await apis.objects.write(UpdateStatus(Encoded.of(read)))
        budget = PodDisruptionBudget()
        budget.metadata.namespace, budget.metadata.name = "default", "web"
        budget.spec.selector.match_labels["app"] = "web"
        budget.spec.min_available.type, budget.spec.min_available.int_val = 0, 1
        await create(apis.objects, budget)
        with pytest.raises(TooManyRequestsError):
            await apis.objects.write(Evict(key(POD, "a")))

    async def test_a_missing_namespace_is_not_found(self, apis: Apis) -> None:
        with pytest.raises(NotFoundError):
            await create(apis.objects, config_map("a", namespace="nowhere"))

    async def test_bytes_that_are_no_object_are_refused(self, apis: Apis) -> None:
        with pytest.raises(BadRequestError):
            await apis.objects.write(Create(Encoded(CONFIG_MAP, b"\xff\xff")))

    async def test_delete_collection_takes_what_the_selector_matches(self, apis: Apis) -> None:
        for name, app in (("a", "x"), ("b", "y"), ("c", "x")):
            await create(apis.objects, config_map(name, app=app))
        deleted = await apis.objects.delete_collection(
            DeleteCollection(CONFIG_MAP, namespace="default", label_selector="app=x")
        )
        assert deleted.deleted == 2
        page = await apis.objects.list(ListQuery(CONFIG_MAP, namespace="default"))
        assert [name_of(found) for found in page.objects] == ["b"]
        assert deleted.revision <= page.revision

    async def test_only_controllers_send_fences(self, apis: Apis) -> None:
        fenced = WriteOptions(fence=Fence("ns-1", 5))
        with pytest.raises(ForbiddenError):
            await apis.objects.write(Create(Encoded.of(config_map("a")), fenced))

    async def test_epochs_only_grow(self, controller: Apis) -> None:
        await controller.objects.raise_fence(Fence("ns-1", 5))
        await controller.objects.raise_fence(Fence("ns-1", 5))
        with pytest.raises(FencedError):
            await controller.objects.raise_fence(Fence("ns-1", 4))

    async def test_a_deposed_controller_cannot_write(self, controller: Apis) -> None:
        await controller.objects.raise_fence(Fence("ns-1", 5))
        old, new = (WriteOptions(fence=Fence("ns-1", epoch)) for epoch in (4, 5))
        with pytest.raises(FencedError):
            await controller.objects.write(Create(Encoded.of(config_map("a")), old))
        await controller.objects.write(Create(Encoded.of(config_map("a")), new))


def outcomes(results: Sequence[WriteResult | RollplaneError]) -> list[type]:
    return [type(result) for result in results]


class TestBatches:
    async def test_results_are_in_order_and_failures_are_values(self, apis: Apis) -> None:
        writes: list[Write] = [
            Create(Encoded.of(config_map("a"))),
            Create(Encoded.of(config_map("a"))),
            Delete(key(CONFIG_MAP, "none")),
            Create(Encoded.of(config_map("b")), OMIT),
        ]
        results = await apis.objects.batch(writes)
        assert outcomes(results)[2:] == [NotFoundError, WriteResult]
        assert sorted(map(str, outcomes(results)[:2])) == sorted(map(str, [WriteResult, AlreadyExistsError]))
        last = results[3]
        assert isinstance(last, WriteResult)
        assert last.object is None

    async def test_a_group_ends_with_its_first_failure(self, apis: Apis) -> None:
        await create(apis.objects, config_map("taken"))
        names = ["g1", "taken", "g2", "g3"]
        writes = [Create(Encoded.of(config_map(name)), OMIT, group="g") for name in names]
        results = await apis.objects.batch([*writes, Create(Encoded.of(config_map("free")), OMIT)])
        assert outcomes(results) == [WriteResult, AlreadyExistsError, NotAttemptedError, NotAttemptedError, WriteResult]

    async def test_an_empty_batch_is_no_error(self, apis: Apis) -> None:
        assert list(await apis.objects.batch([])) == []

    async def test_a_large_batch(self, apis: Apis) -> None:
        names = [f"config-{number:04}" for number in range(1000)]
        results = await apis.objects.batch([Create(Encoded.of(config_map(name)), OMIT) for name in names])
        assert set(outcomes(results)) == {WriteResult}
        revisions = [result.revision for result in results if isinstance(result, WriteResult)]
        assert len(set(revisions)) == 1000


class TestLists:
    async def test_pages_share_a_revision_and_are_in_order(self, apis: Apis) -> None:
        for number in range(7):
            await create(apis.objects, config_map(f"c{number}"))
        names: list[str] = []
        revisions: set[int] = set()
        token = ""
        while True:
            page = await apis.objects.list(ListQuery(CONFIG_MAP, namespace="default", limit=3, continue_token=token))
            names += [name_of(found) for found in page.objects]
            revisions.add(page.revision)
            token = page.continue_token
            if not token:
                break
        assert names == [f"c{number}" for number in range(7)]
        assert len(revisions) == 1

    async def test_selectors(self, apis: Apis) -> None:
        await create(apis.objects, config_map("a", app="x"))
        await create(apis.objects, config_map("b", app="y"))
        by_label = await apis.objects.list(ListQuery(CONFIG_MAP, label_selector="app in (y,z)"))
        by_field = await apis.objects.list(ListQuery(CONFIG_MAP, field_selector="metadata.name=a"))
        assert [name_of(found) for found in by_label.objects] == ["b"]
        assert [name_of(found) for found in by_field.objects] == ["a"]

    @pytest.mark.parametrize(
        "query",
        [
            ListQuery(CONFIG_MAP, label_selector="app in ("),
            ListQuery(CONFIG_MAP, field_selector="data.text=x"),
            ListQuery(CONFIG_MAP, continue_token="nonsense"),  # noqa: S106 - no secret
        ],
    )
    async def test_what_cannot_be_understood_is_a_bad_request(self, apis: Apis, query: ListQuery) -> None:
        with pytest.raises(BadRequestError):
            await apis.objects.list(query)

    async def test_a_list_shows_the_last_write(self, apis: Apis) -> None:
        for number in range(20):
            revision = await create(apis.objects, config_map(f"c{number}"))
            page = await apis.objects.list(ListQuery(CONFIG_MAP, namespace="default"))
            assert len(page.objects) == number + 1
            assert page.revision >= revision


class Watcher:
    """Reads a watch batch by batch, and keeps its events."""

    def __init__(self) -> None:
        self.events: list[WatchEvent] = []
        self.batches: list[WatchBatch] = []

    async def read(self, apis: Apis, query: WatchQuery, *, until_revision: int) -> None:
        """Read until a batch has reached ``until_revision``."""
        async with asyncio.timeout(10), apis.objects.watch(query) as batches:
            async for batch in batches:
                self.batches.append(batch)
                self.events += batch.events
                if batch.revision >= until_revision:
                    return

    @property
    def told(self) -> list[tuple[EventType, str]]:
        return [(event.type, name_of(event.object)) for event in self.events]


class TestWatches:
    async def test_initial_state_and_what_follows(self, apis: Apis) -> None:
        await create(apis.objects, config_map("a"))
        await create(apis.objects, pod("p"))
        last = await create(apis.objects, config_map("b"))
        watcher = Watcher()
        query = WatchQuery((WatchFilter(CONFIG_MAP, ("default",)),), send_initial_state=True)
        await watcher.read(apis, query, until_revision=last)
        assert sorted(name for _, name in watcher.told) == ["a", "b"]
        assert {event_type for event_type, _ in watcher.told} == {EventType.ADDED}
        assert [batch.initial_state_complete for batch in watcher.batches][-1]

    async def test_resuming_tells_each_change_once_in_order(self, apis: Apis) -> None:
        first = await create(apis.objects, config_map("a"))
        read = await stored_config(apis, "a")
        read.data["text"] = "new"
        await apis.objects.write(Update(Encoded.of(read)))
        await create(apis.objects, pod("p"))
        last = (await apis.objects.write(Delete(key(CONFIG_MAP, "a")))).revision
        watcher = Watcher()
        await watcher.read(apis, WatchQuery(everything(CONFIG_MAP, POD), from_revision=first), until_revision=last)
        assert watcher.told == [(EventType.MODIFIED, "a"), (EventType.ADDED, "p"), (EventType.DELETED, "a")]
        revisions = [event.revision for event in watcher.events]
        assert revisions == sorted(set(revisions))
        assert revisions[-1] == last

    async def test_what_the_filter_leaves_out_still_counts_as_examined(self, apis: Apis) -> None:
        first = await create(apis.objects, config_map("a"))
        last = await create(apis.objects, config_map("b"))
        watcher = Watcher()
        query = WatchQuery(everything(POD), from_revision=first)
        await watcher.read(apis, query, until_revision=last)
        assert watcher.events == []

    async def test_leaving_and_entering_a_selector(self, apis: Apis) -> None:
        first = await create(apis.objects, config_map("a", app="x"))
        for app in ("y", "x"):
            read = await stored_config(apis, "a")
            read.metadata.labels["app"] = app
            last = (await apis.objects.write(Update(Encoded.of(read)))).revision
        watcher = Watcher()
        query = WatchQuery((WatchFilter(CONFIG_MAP, label_selector="app=x"),), from_revision=first)
        await watcher.read(apis, query, until_revision=last)
        assert watcher.told == [(EventType.DELETED, "a"), (EventType.ADDED, "a")]

    async def test_a_watcher_is_told_while_it_waits(self, apis: Apis) -> None:
        query = WatchQuery(everything(CONFIG_MAP), send_initial_state=True)
        async with asyncio.timeout(10), apis.objects.watch(query) as batches:
            while not (await anext(batches)).initial_state_complete:
                pass
            await create(apis.objects, config_map("a"))
            async for batch in batches:
                if batch.events:
                    assert [name_of(event.object) for event in batch.events] == ["a"]
                    break

    async def test_metadata_only(self, apis: Apis) -> None:
        last = await create(apis.objects, config_map("a", data="long"))
        watcher = Watcher()
        query = WatchQuery(everything(CONFIG_MAP), send_initial_state=True, metadata_only=True)
        await watcher.read(apis, query, until_revision=last)
        assert [dict(parse(ConfigMap, event.object).data) for event in watcher.events] == [{}]

    async def test_a_revision_that_is_yet_to_come_cannot_be_watched_from(self, apis: Apis) -> None:
        with pytest.raises((ExpiredError, BadRequestError)):
            await Watcher().read(apis, WatchQuery(everything(POD), from_revision=10**9), until_revision=10**9)

    async def test_a_selector_that_does_not_parse(self, apis: Apis) -> None:
        query = WatchQuery((WatchFilter(POD, label_selector="((("),), send_initial_state=True)
        with pytest.raises(BadRequestError):
            await Watcher().read(apis, query, until_revision=1)


def image_of(result: WriteResult) -> str:
    assert result.object is not None
    return parse(Deployment, result.object).spec.template.spec.containers[0].image


class TestRollouts:
    @pytest.fixture
    async def web(self, apis: Apis) -> Key:
        await create(apis.objects, deployment("web"))
        return key(DEPLOYMENT, "web")

    async def test_set_image(self, apis: Apis, web: Key) -> None:
        assert image_of(await apis.rollouts.set_image(SetImage(web, {"app": "app:v2"}))) == "app:v2"
        assert image_of(await apis.rollouts.set_image(SetImage(web, {"*": "app:v3"}))) == "app:v3"
        with pytest.raises(InvalidError) as raised:
            await apis.rollouts.set_image(SetImage(web, {"sidecar": "x"}))
        assert "sidecar" in str(raised.value)

    async def test_scale(self, apis: Apis, web: Key) -> None:
        await apis.rollouts.scale(Scale(web, 7, current_replicas=3))
        stored = parse(Deployment, await apis.objects.get(web))
        assert stored.spec.replicas == 7
        with pytest.raises(ConflictError):
            await apis.rollouts.scale(Scale(web, 1, current_replicas=3))

    async def test_pause_and_resume(self, apis: Apis, web: Key) -> None:
        await apis.rollouts.pause(web)
        with pytest.raises(InvalidError):
            await apis.rollouts.pause(web)
        await apis.rollouts.resume(web)
        with pytest.raises(InvalidError):
            await apis.rollouts.resume(web)

    async def test_restart_touches_the_template(self, apis: Apis, web: Key) -> None:
        result = await apis.rollouts.restart(web)
        assert result.object is not None
        template = parse(Deployment, result.object).spec.template
        assert "kubectl.kubernetes.io/restartedAt" in template.metadata.annotations

    async def test_there_is_no_history_before_a_controller_made_it(self, apis: Apis, web: Key) -> None:
        assert list(await apis.rollouts.history(web)) == []
        with pytest.raises(NotFoundError):
            await apis.rollouts.undo(web)
        with pytest.raises(NotFoundError):
            await apis.rollouts.history(web, 3)

    async def test_status_tells_what_it_waits_for(self, apis: Apis, web: Key) -> None:
        async with asyncio.timeout(10), apis.rollouts.rollout_status(web) as looks:
            look = await anext(looks)
        assert look.state is RolloutState.PROGRESSING
        assert "Waiting for deployment" in look.message

    async def test_a_kind_without_the_verb(self, apis: Apis) -> None:
        await create(apis.objects, config_map("a"))
        with pytest.raises(UnsupportedError):
            await apis.rollouts.pause(key(CONFIG_MAP, "a"))

    async def test_no_such_workload(self, apis: Apis) -> None:
        with pytest.raises(NotFoundError):
            await apis.rollouts.restart(key(DEPLOYMENT, "none"))


async def test_cluster_scoped_objects_have_no_namespace(apis: Apis) -> None:
    node = Node()
    node.metadata.name = "n1"
    await create(apis.objects, node)
    assert name_of(await apis.objects.get(Key(NODE, "", "n1"))) == "n1"
