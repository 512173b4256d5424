"""One suite for both Apis: what a caller sees must not depend on whether the core is near or behind gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap, Node, Pod, ReplicationController
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_client.typed import parse
from rollplane_machinery.api import (
    Api,
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
    Propagation,
    RollBackRollingUpdate,
    RolloutState,
    Scale,
    SetImage,
    StartRollingUpdate,
    Update,
    UpdateStatus,
    WatchBatch,
    WatchEvent,
    WatchFilter,
    WatchQuery,
    Write,
    WriteOptions,
    WriteResult,
    WriteToken,
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
from rollplane_machinery.kinds import CONFIG_MAP, DEPLOYMENT, NODE, POD, REPLICATION_CONTROLLER, Encoded
from rollplane_machinery.rolling_update import UpdatePace
from tests.clients.python.plane import config_map, create, deployment, everything, key, name_of, pod

OMIT = WriteOptions(omit_object=True)


async def stored_config(api: Api, name: str) -> ConfigMap:
    return parse(ConfigMap, await api.get(key(CONFIG_MAP, name)))


class TestWrites:
    async def test_create_then_get(self, api: Api) -> None:
        result = await api.write(Create(Encoded.of(config_map("a", data="ü"))))
        assert result.object is not None
        created = parse(ConfigMap, result.object)
        assert created.metadata.uid
        assert created.metadata.resource_version == str(result.revision)
        assert await stored_config(api, "a") == created
        assert created.data["text"] == "ü"

    async def test_omit_object_leaves_it_out(self, api: Api) -> None:
        result = await api.write(Create(Encoded.of(config_map("a")), OMIT))
        assert result.object is None
        assert result.revision > 0

    async def test_dry_run_stores_nothing(self, api: Api) -> None:
        result = await api.write(Create(Encoded.of(config_map("a")), WriteOptions(dry_run=True)))
        assert result.object is not None
        with pytest.raises(NotFoundError):
            await stored_config(api, "a")

    async def test_errors_name_what_they_are_about(self, api: Api) -> None:
        with pytest.raises(NotFoundError) as raised:
            await stored_config(api, "none")
        assert (raised.value.resource, raised.value.name) == ("configmaps", "none")
        await create(api, config_map("a"))
        with pytest.raises(AlreadyExistsError) as taken:
            await create(api, config_map("a"))
        assert (taken.value.resource, taken.value.name) == ("configmaps", "a")

    async def test_invalid_names_each_field(self, api: Api) -> None:
        wrong = deployment("web")
        wrong.spec.template.metadata.labels["app"] = "other"
        wrong.spec.template.spec.containers[0].name = "Not A Label"
        with pytest.raises(InvalidError) as raised:
            await create(api, wrong)
        fields = {cause.field for cause in raised.value.causes}
        assert {"spec.template.metadata.labels", "spec.template.spec.containers[0].name"} <= fields

    async def test_update_with_a_stale_version_is_a_conflict(self, api: Api) -> None:
        await create(api, config_map("a"))
        read = await stored_config(api, "a")
        read.data["text"] = "first"
        await api.write(Update(Encoded.of(read)))
        read.data["text"] = "second"
        with pytest.raises(ConflictError):
            await api.write(Update(Encoded.of(read)))
        assert (await stored_config(api, "a")).data["text"] == "first"

    async def test_an_update_that_changes_nothing_keeps_the_revision(self, api: Api) -> None:
        revision = await create(api, config_map("a"))
        result = await api.write(Update(Encoded.of(await stored_config(api, "a"))))
        assert result.revision == revision

    async def test_status_is_written_apart(self, api: Api) -> None:
        await create(api, pod("a"))
        read = parse(Pod, await api.get(key(POD, "a")))
        read.status.phase = "Running"
        read.spec.node_name = "ignored"
        result = await api.write(UpdateStatus(Encoded.of(read)))
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
    async def test_patches(self, api: Api, patch_type: PatchType, document: object) -> None:
        await create(api, config_map("a", data="old"))
        await api.write(Patch(key(CONFIG_MAP, "a"), patch_type, json.dumps(document).encode()))
        assert (await stored_config(api, "a")).data["text"] == "new"

    async def test_an_apply_creates_merges_and_conflicts(self, api: Api) -> None:
        def applying(manager: str, text: str, *, force: bool = False) -> Patch:
            document = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"text": text}}
            options = WriteOptions(manager)
            body = json.dumps(document).encode()
            return Patch(key(CONFIG_MAP, "a"), PatchType.APPLY, body, options=options, force=force)

        assert (await api.write(applying("one", "1"))).created
        assert not (await api.write(applying("two", "1"))).created
        with pytest.raises(ConflictError) as raised:
            await api.write(applying("two", "2"))
        assert raised.value.message == 'Apply failed with 1 conflict: conflict with "one": .data.text'
        assert [(cause.reason, cause.field) for cause in raised.value.causes] == [
            ("FieldManagerConflict", ".data.text")
        ]
        await api.write(applying("two", "2", force=True))
        assert [entry.manager for entry in (await stored_config(api, "a")).metadata.managed_fields] == ["two"]

    async def test_delete_minds_its_precondition(self, api: Api) -> None:
        await create(api, config_map("a"))
        with pytest.raises(ConflictError):
            await api.write(Delete(key(CONFIG_MAP, "a"), preconditions=Preconditions(uid="other")))
        uid = (await stored_config(api, "a")).metadata.uid
        result = await api.write(Delete(key(CONFIG_MAP, "a"), preconditions=Preconditions(uid=uid)))
        assert result.removed
        with pytest.raises(NotFoundError):
            await stored_config(api, "a")

    async def test_bind_assigns_a_pod_once(self, api: Api) -> None:
        node = Node()
        node.metadata.name = "n1"
        await create(api, node)
        await create(api, pod("a"))
        await api.write(Bind(key(POD, "a"), "n1"))
        assert parse(Pod, await api.get(key(POD, "a"))).spec.node_name == "n1"
        with pytest.raises(ConflictError):
            await api.write(Bind(key(POD, "a"), "n2"))

    async def test_evict_asks_the_budget(self, api: Api) -> None:
        node = Node()
        node.metadata.name = "n1"
        await create(api, node)
        await create(api, pod("a", app="web"))
        await api.write(Bind(key(POD, "a"), "n1"))
        read = parse(Pod, await api.get(key(POD, "a")))
        read.status.phase = "Running"
        read.status.conditions.add(type="Ready", status="True")
        await api.write(UpdateStatus(Encoded.of(read)))
        budget = PodDisruptionBudget()
        budget.metadata.namespace, budget.metadata.name = "default", "web"
        budget.spec.selector.match_labels["app"] = "web"
        budget.spec.min_available.type, budget.spec.min_available.int_val = 0, 1
        await create(api, budget)
        with pytest.raises(TooManyRequestsError):
            await api.write(Evict(key(POD, "a")))

    async def test_a_missing_namespace_is_not_found(self, api: Api) -> None:
        with pytest.raises(NotFoundError):
            await create(api, config_map("a", namespace="nowhere"))

    async def test_bytes_that_are_no_object_are_refused(self, api: Api) -> None:
        with pytest.raises(BadRequestError):
            await api.write(Create(Encoded(CONFIG_MAP, b"\xff\xff")))

    async def test_delete_collection_takes_what_the_selector_matches(self, api: Api) -> None:
        for name, app in (("a", "x"), ("b", "y"), ("c", "x")):
            await create(api, config_map(name, app=app))
        deleted = await api.delete_collection(DeleteCollection(CONFIG_MAP, namespace="default", label_selector="app=x"))
        assert deleted.deleted == 2
        page = await api.list(ListQuery(CONFIG_MAP, namespace="default"))
        assert [name_of(found) for found in page.objects] == ["b"]
        assert deleted.revision <= page.revision

    async def test_only_controllers_send_fences(self, api: Api) -> None:
        fenced = WriteOptions(fence=Fence("ns-1", 5))
        with pytest.raises(ForbiddenError):
            await api.write(Create(Encoded.of(config_map("a")), fenced))

    async def test_epochs_only_grow(self, controller: Api) -> None:
        epoch = (await controller.list(ListQuery(CONFIG_MAP))).revision
        await controller.raise_fence(Fence("ns-1", epoch))
        await controller.raise_fence(Fence("ns-1", epoch))
        for wrong in (epoch - 1, epoch + 1, 2**62):
            with pytest.raises(FencedError):
                await controller.raise_fence(Fence("ns-1", wrong))

    async def test_a_deposed_controller_cannot_write(self, controller: Api) -> None:
        latest = (await controller.list(ListQuery(CONFIG_MAP))).revision
        await controller.raise_fence(Fence("ns-1", latest))
        old, new = (WriteOptions(fence=Fence("ns-1", epoch)) for epoch in (latest - 1, latest))
        with pytest.raises(FencedError):
            await controller.write(Create(Encoded.of(config_map("a")), old))
        await controller.write(Create(Encoded.of(config_map("a")), new))


def outcomes(results: Sequence[WriteResult | RollplaneError]) -> list[type]:
    return [type(result) for result in results]


class TestBatches:
    async def test_results_are_in_order_and_failures_are_values(self, api: Api) -> None:
        writes: list[Write] = [
            Create(Encoded.of(config_map("a"))),
            Create(Encoded.of(config_map("a"))),
            Delete(key(CONFIG_MAP, "none")),
            Create(Encoded.of(config_map("b")), OMIT),
        ]
        results = await api.batch(writes)
        assert outcomes(results)[2:] == [NotFoundError, WriteResult]
        assert sorted(map(str, outcomes(results)[:2])) == sorted(map(str, [WriteResult, AlreadyExistsError]))
        last = results[3]
        assert isinstance(last, WriteResult)
        assert last.object is None

    async def test_a_group_ends_with_its_first_failure(self, api: Api) -> None:
        await create(api, config_map("taken"))
        names = ["g1", "taken", "g2", "g3"]
        writes = [Create(Encoded.of(config_map(name)), OMIT, group="g") for name in names]
        results = await api.batch([*writes, Create(Encoded.of(config_map("free")), OMIT)])
        assert outcomes(results) == [WriteResult, AlreadyExistsError, NotAttemptedError, NotAttemptedError, WriteResult]

    async def test_an_empty_batch_is_no_error(self, api: Api) -> None:
        assert list(await api.batch([])) == []

    async def test_a_large_batch(self, api: Api) -> None:
        names = [f"config-{number:04}" for number in range(1000)]
        results = await api.batch([Create(Encoded.of(config_map(name)), OMIT) for name in names])
        assert set(outcomes(results)) == {WriteResult}
        revisions = [result.revision for result in results if isinstance(result, WriteResult)]
        assert len(set(revisions)) == 1000

    async def test_a_repeat_is_answered_with_what_its_first_sending_came_to(self, api: Api) -> None:
        token = WriteToken("me", 1)
        first = await api.write(Create(Encoded.of(config_map("c")), WriteOptions(token=token)))
        await api.write(Delete(key(CONFIG_MAP, "c")))
        repeat = WriteOptions(token=token, repeat=True)
        (again,) = await api.batch([Create(Encoded.of(config_map("c")), repeat)])
        assert again == first


class TestLists:
    async def test_pages_share_a_revision_and_are_in_order(self, api: Api) -> None:
        for number in range(7):
            await create(api, config_map(f"c{number}"))
        names: list[str] = []
        revisions: set[int] = set()
        token = ""
        while True:
            page = await api.list(ListQuery(CONFIG_MAP, namespace="default", limit=3, continue_token=token))
            names += [name_of(found) for found in page.objects]
            revisions.add(page.revision)
            token = page.continue_token
            if not token:
                break
        assert names == [f"c{number}" for number in range(7)]
        assert len(revisions) == 1

    async def test_selectors(self, api: Api) -> None:
        await create(api, config_map("a", app="x"))
        await create(api, config_map("b", app="y"))
        by_label = await api.list(ListQuery(CONFIG_MAP, label_selector="app in (y,z)"))
        by_field = await api.list(ListQuery(CONFIG_MAP, field_selector="metadata.name=a"))
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
    async def test_what_cannot_be_understood_is_a_bad_request(self, api: Api, query: ListQuery) -> None:
        with pytest.raises(BadRequestError):
            await api.list(query)

    async def test_a_list_shows_the_last_write(self, api: Api) -> None:
        for number in range(20):
            revision = await create(api, config_map(f"c{number}"))
            page = await api.list(ListQuery(CONFIG_MAP, namespace="default"))
            assert len(page.objects) == number + 1
            assert page.revision >= revision


class Watcher:
    """Reads a watch batch by batch, and keeps its events."""

    def __init__(self) -> None:
        self.events: list[WatchEvent] = []
        self.batches: list[WatchBatch] = []

    async def read(self, api: Api, query: WatchQuery, *, until_revision: int) -> None:
        """Read until a batch has reached ``until_revision``."""
        async with asyncio.timeout(10), api.watch(query) as batches:
            async for batch in batches:
                self.batches.append(batch)
                self.events += batch.events
                if batch.revision >= until_revision:
                    return

    @property
    def told(self) -> list[tuple[EventType, str]]:
        return [(event.type, name_of(event.object)) for event in self.events]


class TestWatches:
    async def test_initial_state_and_what_follows(self, api: Api) -> None:
        await create(api, config_map("a"))
        await create(api, pod("p"))
        last = await create(api, config_map("b"))
        watcher = Watcher()
        query = WatchQuery((WatchFilter(CONFIG_MAP, ("default",)),), send_initial_state=True)
        await watcher.read(api, query, until_revision=last)
        assert sorted(name for _, name in watcher.told) == ["a", "b"]
        assert {event_type for event_type, _ in watcher.told} == {EventType.ADDED}
        assert [batch.initial_state_complete for batch in watcher.batches][-1]

    async def test_resuming_tells_each_change_once_in_order(self, api: Api) -> None:
        first = await create(api, config_map("a"))
        read = await stored_config(api, "a")
        read.data["text"] = "new"
        await api.write(Update(Encoded.of(read)))
        await create(api, pod("p"))
        last = (await api.write(Delete(key(CONFIG_MAP, "a")))).revision
        watcher = Watcher()
        await watcher.read(api, WatchQuery(everything(CONFIG_MAP, POD), from_revision=first), until_revision=last)
        assert watcher.told == [(EventType.MODIFIED, "a"), (EventType.ADDED, "p"), (EventType.DELETED, "a")]
        revisions = [event.revision for event in watcher.events]
        assert revisions == sorted(set(revisions))
        assert revisions[-1] == last

    async def test_what_the_filter_leaves_out_still_counts_as_examined(self, api: Api) -> None:
        first = await create(api, config_map("a"))
        last = await create(api, config_map("b"))
        watcher = Watcher()
        query = WatchQuery(everything(POD), from_revision=first)
        await watcher.read(api, query, until_revision=last)
        assert watcher.events == []

    async def test_leaving_and_entering_a_selector(self, api: Api) -> None:
        first = await create(api, config_map("a", app="x"))
        for app in ("y", "x"):
            read = await stored_config(api, "a")
            read.metadata.labels["app"] = app
            last = (await api.write(Update(Encoded.of(read)))).revision
        watcher = Watcher()
        query = WatchQuery((WatchFilter(CONFIG_MAP, label_selector="app=x"),), from_revision=first)
        await watcher.read(api, query, until_revision=last)
        assert watcher.told == [(EventType.DELETED, "a"), (EventType.ADDED, "a")]

    async def test_a_watcher_is_told_while_it_waits(self, api: Api) -> None:
        query = WatchQuery(everything(CONFIG_MAP), send_initial_state=True)
        async with asyncio.timeout(10), api.watch(query) as batches:
            while not (await anext(batches)).initial_state_complete:
                pass
            await create(api, config_map("a"))
            async for batch in batches:
                if batch.events:
                    assert [name_of(event.object) for event in batch.events] == ["a"]
                    break

    async def test_metadata_only(self, api: Api) -> None:
        last = await create(api, config_map("a", data="long"))
        watcher = Watcher()
        query = WatchQuery((WatchFilter(CONFIG_MAP, metadata_only=True),), send_initial_state=True)
        await watcher.read(api, query, until_revision=last)
        assert [dict(parse(ConfigMap, event.object).data) for event in watcher.events] == [{}]

    async def test_a_revision_that_is_yet_to_come_cannot_be_watched_from(self, api: Api) -> None:
        with pytest.raises((ExpiredError, BadRequestError)):
            await Watcher().read(api, WatchQuery(everything(POD), from_revision=10**9), until_revision=10**9)

    async def test_a_selector_that_does_not_parse(self, api: Api) -> None:
        query = WatchQuery((WatchFilter(POD, label_selector="((("),), send_initial_state=True)
        with pytest.raises(BadRequestError):
            await Watcher().read(api, query, until_revision=1)


def image_of(result: WriteResult) -> str:
    assert result.object is not None
    return parse(Deployment, result.object).spec.template.spec.containers[0].image


class TestRollouts:
    @pytest.fixture
    async def web(self, api: Api) -> Key:
        await create(api, deployment("web"))
        return key(DEPLOYMENT, "web")

    async def test_set_image(self, api: Api, web: Key) -> None:
        assert image_of(await api.set_image(SetImage(web, {"app": "app:v2"}))) == "app:v2"
        assert image_of(await api.set_image(SetImage(web, {"*": "app:v3"}))) == "app:v3"
        with pytest.raises(InvalidError) as raised:
            await api.set_image(SetImage(web, {"sidecar": "x"}))
        assert "sidecar" in str(raised.value)

    async def test_scale(self, api: Api, web: Key) -> None:
        await api.scale(Scale(web, 7, current_replicas=3))
        stored = parse(Deployment, await api.get(web))
        assert stored.spec.replicas == 7
        with pytest.raises(ConflictError):
            await api.scale(Scale(web, 1, current_replicas=3))

    async def test_pause_and_resume(self, api: Api, web: Key) -> None:
        await api.pause(web)
        with pytest.raises(InvalidError):
            await api.pause(web)
        await api.resume(web)
        with pytest.raises(InvalidError):
            await api.resume(web)

    async def test_restart_touches_the_template(self, api: Api, web: Key) -> None:
        result = await api.restart(web)
        assert result.object is not None
        template = parse(Deployment, result.object).spec.template
        assert "kubectl.kubernetes.io/restartedAt" in template.metadata.annotations

    async def test_there_is_no_history_before_a_controller_made_it(self, api: Api, web: Key) -> None:
        assert list(await api.history(web)) == []
        with pytest.raises(NotFoundError):
            await api.undo(web)
        with pytest.raises(NotFoundError):
            await api.history(web, 3)

    async def test_status_tells_what_it_waits_for(self, api: Api, web: Key) -> None:
        async with asyncio.timeout(10), api.rollout_status(web) as looks:
            look = await anext(looks)
        assert look.state is RolloutState.PROGRESSING
        assert "Waiting for deployment" in look.message

    async def test_a_kind_without_the_verb(self, api: Api) -> None:
        await create(api, config_map("a"))
        with pytest.raises(UnsupportedError):
            await api.pause(key(CONFIG_MAP, "a"))

    async def test_no_such_workload(self, api: Api) -> None:
        with pytest.raises(NotFoundError):
            await api.restart(key(DEPLOYMENT, "none"))


def replication_controller(name: str, version: str) -> ReplicationController:
    one = ReplicationController()
    one.metadata.namespace, one.metadata.name = "default", name
    one.spec.replicas = 2
    for labels in (one.spec.selector, one.spec.template.metadata.labels):
        labels.update({"app": "web", "version": version})
    one.spec.template.spec.containers.add(name="app", image=f"app:{version}")
    return one


class TestRollingUpdates:
    async def test_starting_again_continues(self, api: Api) -> None:
        await create(api, replication_controller("v1", "1"))
        request = StartRollingUpdate(
            key(REPLICATION_CONTROLLER, "v1"), new=Encoded.of(replication_controller("v2", "2"))
        )
        update = await api.start_rolling_update(request)
        assert (update.target, update.source) == (key(REPLICATION_CONTROLLER, "v2"), "v1")
        assert update.messages == ("Created v2",)
        assert parse(ReplicationController, update.new).spec.replicas == 0
        assert update.old is not None
        again = await api.start_rolling_update(request)
        assert again.messages == ("Continuing update with existing controller v2.",)
        assert again.new == update.new

    async def test_rolling_back_is_told_to_who_follows(self, api: Api) -> None:
        await create(api, replication_controller("v1", "1"))
        forwards = await api.start_rolling_update(
            StartRollingUpdate(key(REPLICATION_CONTROLLER, "v1"), image="app:2", pace=UpdatePace(1.5, 0.5, 9))
        )
        backwards = await api.roll_back_rolling_update(RollBackRollingUpdate(key(REPLICATION_CONTROLLER, "v1")))
        assert (backwards.target.name, backwards.source) == ("v1", forwards.target.name)
        await api.write(Delete(forwards.target, propagation=Propagation.BACKGROUND))
        async with (
            asyncio.timeout(10),
            api.watch_rolling_update(forwards.target, forwards.source, forwards.revision) as steps,
        ):
            told = [step async for step in steps]
        assert [step.state for step in told] == [RolloutState.FAILED]

    async def test_wrong_arguments_are_all_named(self, api: Api) -> None:
        with pytest.raises(InvalidError) as raised:
            await api.start_rolling_update(
                StartRollingUpdate(key(REPLICATION_CONTROLLER, "v1"), deployment_label_key="")
            )
        assert [cause.field for cause in raised.value.causes] == ["deployment_label_key", "image"]

    async def test_other_kinds_have_no_such_verb(self, api: Api) -> None:
        with pytest.raises(UnsupportedError):
            await api.start_rolling_update(StartRollingUpdate(key(DEPLOYMENT, "web"), image="app:2"))


async def test_cluster_scoped_objects_have_no_namespace(api: Api) -> None:
    node = Node()
    node.metadata.name = "n1"
    await create(api, node)
    assert name_of(await api.get(Key(NODE, "", "n1"))) == "n1"
