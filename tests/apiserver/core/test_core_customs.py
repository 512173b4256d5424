"""Custom kinds in the core: served from the write of their definition on, by what it says now."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.core import ADMIN, Core
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_machinery.api import (
    Api,
    Create,
    Delete,
    EventType,
    Key,
    ListQuery,
    Patch,
    PatchType,
    Scale,
    WatchFilter,
    WatchQuery,
    WriteOptions,
)
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.definitions import CLEANUP_FINALIZER
from rollplane_machinery.errors import BadRequestError, InvalidError, NotFoundError, UnsupportedError
from rollplane_machinery.field_validation import FieldValidation
from rollplane_machinery.kinds import ANY_CUSTOM, CUSTOM_RESOURCE_DEFINITION, CustomKind, Encoded, by_resource
from rollplane_machinery.stored import document_of
from tests.apiserver.core.office import Office
from tests.customs import GROUP, definition, stored_custom, stored_definition, version

RESOURCE = f"crontabs.{GROUP}"
ONE = Key(by_resource(RESOURCE), "default", "one")
WARN = WriteOptions(field_validation=FieldValidation.WARN)


def read(encoded: Encoded | None) -> dict[str, Any]:
    assert encoded is not None
    stored = encoded.parse()
    assert isinstance(stored, StoredObject)
    return document_of(stored)


async def make(api: Api, *names: str, **members: Any) -> None:
    for name in names:
        await api.write(Create(Encoded.of(stored_custom(name, **members))))


async def define(api: Api, *versions: Any, **names: Any) -> dict[str, Any]:
    return read((await api.write(Create(Encoded.of(stored_definition(*versions, **names))))).object)


async def test_served_at_once(office: Office) -> None:
    with pytest.raises(NotFoundError):
        await office.api.get(ONE)
    made = await define(office.api)
    assert [(each["type"], each["status"]) for each in made["status"]["conditions"]] == [
        ("NamesAccepted", "True"),
        ("Established", "True"),
    ]
    assert made["status"]["storedVersions"] == ["v1"]
    assert made["status"]["acceptedNames"]["listKind"] == "CronTabList"
    await make(office.api, "one")
    one = read(await office.api.get(ONE))
    assert (one["apiVersion"], one["kind"], one["metadata"]["generation"]) == (f"{GROUP}/v1", "CronTab", 1)
    assert one["spec"] == {"cron": "* * * * 5", "replicas": 1}
    assert [read(each)["metadata"]["name"] for each in (await office.api.list(ListQuery(ONE.kind))).objects] == ["one"]


async def test_a_kind_nobody_defined_is_refused(office: Office) -> None:
    with pytest.raises(BadRequestError, match=r'no matches for kind "CronTab" in version "example.com/v1"'):
        await make(office.api, "one")
    with pytest.raises(NotFoundError):
        await office.api.list(ListQuery(ONE.kind))
    with pytest.raises(NotFoundError):
        async with office.api.watch(WatchQuery((WatchFilter(ONE.kind),))):
            pass


async def test_unknown_fields(office: Office) -> None:
    await define(office.api)
    with pytest.raises(BadRequestError, match=r'strict decoding error: unknown field "spec.colour"'):
        await make(office.api, "one", spec={"cron": "* * * * 5", "colour": "red"})
    sent = Encoded.of(stored_custom("one", spec={"cron": "* * * * 5", "colour": "red"}))
    result = await office.api.write(Create(sent, WARN))
    assert result.warnings == ('unknown field "spec.colour"',)
    assert read(result.object)["spec"] == {"cron": "* * * * 5", "replicas": 1}
    with pytest.raises(BadRequestError):
        await office.api.write(Patch(ONE, PatchType.MERGE, b'{"spec":{"colour":"red"}}'))


async def test_what_breaks_the_schema_is_refused(office: Office) -> None:
    await define(office.api)
    with pytest.raises(InvalidError, match=r'CronTab.example.com "one" is invalid: spec.cron: Invalid value: "now"'):
        await make(office.api, "one", spec={"cron": "now"})
    await make(office.api, "one")
    with pytest.raises(InvalidError, match=r"spec.replicas"):
        await office.api.write(Patch(ONE, PatchType.MERGE, b'{"spec":{"replicas":-1}}'))


async def test_status_and_the_rest_are_written_apart(office: Office) -> None:
    await define(office.api)
    await make(office.api, "one", status={"replicas": 7})
    one = read(await office.api.get(ONE))
    assert "status" not in one
    document = b'{"status":{"replicas":7},"spec":{"replicas":3}}'
    told = read((await office.api.write(Patch(ONE, PatchType.MERGE, document))).object)
    assert (told["spec"]["replicas"], told.get("status"), told["metadata"]["generation"]) == (3, None, 2)
    document = b'{"status":{"replicas":7},"spec":{"replicas":9},"metadata":{"labels":{"a":"b"}}}'
    told = read((await office.api.write(Patch(ONE, PatchType.MERGE, document, "status"))).object)
    assert (told["spec"]["replicas"], told["status"], told["metadata"]["generation"]) == (3, {"replicas": 7}, 2)
    assert "labels" not in told["metadata"]


async def test_scale(office: Office) -> None:
    await define(office.api)
    await make(office.api, "one")
    told = read((await office.api.scale(Scale(ONE, 5, current_replicas=1))).object)
    assert told["spec"] == {"cron": "* * * * 5", "replicas": 5}
    told = read((await office.api.write(Patch(ONE, PatchType.MERGE, b'{"spec":{"replicas":6}}', "scale"))).object)
    assert told["spec"]["replicas"] == 6


async def test_apply_merges_lists_by_their_keys(office: Office) -> None:
    await define(office.api)

    async def applied(manager: str, **spec: Any) -> dict[str, Any]:
        text = json.dumps({"apiVersion": f"{GROUP}/v1", "kind": "CronTab", "spec": spec}).encode()
        options = WriteOptions(manager)
        return read((await office.api.write(Patch(ONE, PatchType.APPLY, text, options=options))).object)

    await applied("a", cron="* * * * 5", tags=[{"name": "a", "value": "1"}])
    told = await applied("b", tags=[{"name": "b"}])
    assert told["spec"]["tags"] == [{"name": "a", "value": "1"}, {"name": "b"}]
    told = await applied("a", cron="* * * * 5")
    assert told["spec"]["tags"] == [{"name": "b"}]


async def test_strategic_merge_is_not_known(office: Office) -> None:
    await define(office.api)
    await make(office.api, "one")
    with pytest.raises(UnsupportedError):
        await office.api.write(Patch(ONE, PatchType.STRATEGIC_MERGE, b"{}"))


async def test_versions_differ_by_name_alone(office: Office) -> None:
    await define(office.api, version("v1"), version("v1beta1", storage=False))
    await office.api.write(Create(Encoded.of(stored_custom("one", api_version=f"{GROUP}/v1beta1"))))
    assert read(await office.api.get(ONE))["apiVersion"] == f"{GROUP}/v1"
    beta = CustomKind(GROUP, "v1beta1", "CronTab", "crontabs")
    assert read(await office.api.get(replace_kind(beta)))["apiVersion"] == f"{GROUP}/v1beta1"
    changed = definition(version("v1", storage=False), version("v1beta1"))
    crd = Key(CUSTOM_RESOURCE_DEFINITION, "", RESOURCE)
    told = read((await office.api.write(merge(crd, {"spec": changed["spec"]}))).object)
    assert told["status"]["storedVersions"] == ["v1", "v1beta1"]
    before = read(await office.api.get(ONE))
    assert before["apiVersion"] == f"{GROUP}/v1beta1"
    rewritten = await office.api.write(Patch(ONE, PatchType.MERGE, b"{}"))  # as a storage migrator does
    assert str(rewritten.revision) != before["metadata"]["resourceVersion"]
    only = definition(version("v1", served=False, storage=False), version("v1beta1"))
    await office.api.write(merge(crd, {"spec": only["spec"]}))
    with pytest.raises(NotFoundError):
        await office.api.get(replace_kind(CustomKind(GROUP, "v1", "CronTab", "crontabs")))


def replace_kind(kind: CustomKind) -> Key:
    return Key(kind, ONE.namespace, ONE.name)


def merge(key: Key, document: Any) -> Patch:
    return Patch(key, PatchType.MERGE, json.dumps(document).encode())


async def test_a_name_that_is_taken_waits(office: Office) -> None:
    await define(office.api)
    rival = await define(office.api, plural="tables", listKind="TableList", shortNames=["tb"])
    conditions = {each["type"]: each for each in rival["status"]["conditions"]}
    assert (conditions["NamesAccepted"]["status"], conditions["NamesAccepted"]["reason"]) == ("False", "KindConflict")
    assert conditions["NamesAccepted"]["message"] == '"CronTab" is already in use'
    assert (conditions["Established"]["status"], conditions["Established"]["reason"]) == ("False", "NotAccepted")
    with pytest.raises(NotFoundError):
        await office.api.list(ListQuery(by_resource(f"tables.{GROUP}")))


async def test_a_definition_that_goes(office: Office) -> None:
    await define(office.api)
    await make(office.api, "one")
    crd = Key(CUSTOM_RESOURCE_DEFINITION, "", RESOURCE)
    result = await office.api.write(Delete(crd))
    assert not result.removed
    gone = read(result.object)
    assert gone["metadata"]["finalizers"] == [CLEANUP_FINALIZER]
    assert {each["type"]: each["status"] for each in gone["status"]["conditions"]}["Terminating"] == "True"
    with pytest.raises(UnsupportedError, match="create not allowed while custom resource definition is terminating"):
        await make(office.api, "two")
    await office.api.write(Delete(ONE))
    async with office.api.watch(WatchQuery((WatchFilter(ONE.kind),))) as batches:
        await office.api.write(merge(crd, {"metadata": {"finalizers": []}}))
        with pytest.raises(NotFoundError):
            async for _ in batches:
                pass
    with pytest.raises(NotFoundError):
        await office.api.list(ListQuery(ONE.kind))


async def test_a_watch_of_all_custom_kinds(office: Office) -> None:
    await define(office.api)
    await make(office.api, "one")
    query = WatchQuery((WatchFilter(ANY_CUSTOM, metadata_only=True),), send_initial_state=True)
    async with office.api.watch(query) as batches:
        first = await anext(batches)
        assert [str(event.object.key) for event in first.events] == [f"{RESOURCE}/default/one"]
        assert first.initial_state_complete
        await define(office.api, plural="tables", kind="Table")
        await office.api.write(Create(Encoded.of(stored_custom("two"))))
        seen = [event async for batch in batches_until(batches) for event in batch]
        assert [(event.type, str(event.object.key)) for event in seen] == [(EventType.ADDED, f"{RESOURCE}/default/two")]
        assert "spec" not in read(seen[0].object)


async def batches_until(batches: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for batch in batches:
        if batch.events:
            yield batch.events
            return


async def test_two_apiservers_and_a_restart() -> None:
    store, clock = MemoryStore(), FakeClock()
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(Core(store, clock, randomness=random.Random(seed))) for seed in (1, 2)
        ]
        await define(first.as_identity(ADMIN))
        await make(second.as_identity(ADMIN), "one")
        assert read(await first.as_identity(ADMIN).get(ONE))["metadata"]["name"] == "one"
    async with Core(store, clock, randomness=random.Random(3)) as third:
        api = third.as_identity(ADMIN)
        assert len((await api.list(ListQuery(ONE.kind))).objects) == 1
        await api.write(merge(ONE, {"spec": {"replicas": 2}}))


async def test_what_a_schema_has_forgotten_is_left_out_by_the_next_write(office: Office) -> None:
    """Nothing is judged anew until it is written, and what was stored before is no fault of whoever writes then."""
    await define(office.api)
    await make(office.api, "one", spec={"cron": "* * * * 5", "tags": [{"name": "a"}]})
    spec = definition()["spec"]
    members = {
        "cron": {"type": "string", "pattern": "^never$"},
        "replicas": {"type": "integer", "default": 1},
        "colour": {"type": "string", "default": "red"},
    }
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": members}, "status": status}}
    spec["versions"][0]["schema"]["openAPIV3Schema"] = schema
    await office.api.write(merge(Key(CUSTOM_RESOURCE_DEFINITION, "", RESOURCE), {"spec": spec}))
    assert "tags" in read(await office.api.get(ONE))["spec"]
    told = read((await office.api.write(Patch(ONE, PatchType.MERGE, b'{"status":{"any":1}}', "status"))).object)
    assert (told["spec"], told["metadata"]["generation"]) == ({"cron": "* * * * 5", "replicas": 1, "colour": "red"}, 1)
    with pytest.raises(InvalidError, match=r"spec.cron"):
        await office.api.write(merge(ONE, {"spec": {"cron": "1 * * * *"}}))
    told = read((await office.api.write(merge(ONE, {"spec": {"replicas": 2}}))).object)
    assert (told["spec"]["replicas"], told["metadata"]["generation"]) == (2, 2)
