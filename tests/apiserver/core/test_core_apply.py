"""Server-side apply, and the record of who wrote which fields, through the whole core."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollplane.apps.v1 import Deployment
from rollplane_apiserver.core import Core, CoreSettings
from rollplane_machinery import kinds
from rollplane_machinery.api import (
    Create,
    Key,
    Patch,
    PatchType,
    Scale,
    Update,
    UpdateStatus,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.codec import from_json, message_to_json
from rollplane_machinery.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RequestTooLargeError,
    RollplaneError,
    UnsupportedError,
)
from rollplane_machinery.fields import read_managers
from rollplane_machinery.fields.elements import printed
from rollplane_machinery.kinds import ApiObject, Encoded
from tests.apiserver.core.office import CountingStore, Office, as_type, config_map, deployment, key_of, pod

WEB = Key(kinds.DEPLOYMENT, "default", "web")


def config(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "app:v1"}]}}
    whole = {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": whole}


def part(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def applying(manager: str, document: dict[str, Any], **asked: Any) -> Patch:
    options = WriteOptions(manager, dry_run=asked.pop("dry_run", False))
    return Patch(asked.pop("key", WEB), PatchType.APPLY, json.dumps(document).encode(), options=options, **asked)


async def apply(office: Office, manager: str, document: dict[str, Any], **asked: Any) -> WriteResult:
    return await office.api.write(applying(manager, document, **asked))


def owners(obj: ApiObject) -> dict[str, list[str]]:
    """The paths in each entry, by manager, operation and subresource."""
    managers = read_managers(obj.metadata.managed_fields)
    return {
        " ".join(filter(None, (each.name, each.operation, each.subresource))): list(map(printed, owned.fields.paths()))
        for each, owned in managers.items()
    }


async def stored(office: Office) -> Deployment:
    return await office.get(deployment())


async def test_applying_creates_and_then_changes_nothing(office: Office) -> None:
    created = await apply(office, "me", config(replicas=3))
    assert created.created
    first = await stored(office)
    assert (first.spec.replicas, first.spec.revision_history_limit, first.metadata.generation) == (3, 10, 1)
    assert owners(first) == {
        "me Apply": [
            ".spec.replicas",
            ".spec.selector",
            ".spec.template.metadata.labels.app",
            '.spec.template.spec.containers[name="app"]',
            '.spec.template.spec.containers[name="app"].image',
            '.spec.template.spec.containers[name="app"].name',
        ]
    }
    await office.clock.advance(60)
    again = await apply(office, "me", config(replicas=3))
    assert (again.created, again.revision) == (False, created.revision)
    assert await stored(office) == first


async def test_owners_alone_may_change(office: Office) -> None:
    await apply(office, "me", config(replicas=3))
    first = await stored(office)
    shared = await apply(office, "you", part(replicas=3))
    second = await stored(office)
    assert shared.revision > int(first.metadata.resource_version)
    assert second.metadata.generation == first.metadata.generation
    assert owners(second)["you Apply"] == [".spec.replicas"]


async def test_times_tell_when_an_entry_changed(office: Office) -> None:
    await apply(office, "me", config(replicas=3))
    await office.clock.advance(60)
    await apply(office, "you", part(replicas=4, paused=True), force=True)
    entries = {entry.manager: entry for entry in (await stored(office)).metadata.managed_fields}
    assert entries["you"].time.seconds - entries["me"].time.seconds == 60
    assert ".spec.replicas" not in owners(await stored(office))["me Apply"]


async def test_a_conflict_is_told_with_its_causes(office: Office) -> None:
    await apply(office, "me", config(replicas=3))
    with pytest.raises(ConflictError) as failed:
        await apply(office, "you", part(replicas=4))
    assert failed.value.message == 'Apply failed with 1 conflict: conflict with "me": .spec.replicas'
    assert failed.value.causes[0].reason == "FieldManagerConflict"


async def test_what_is_given_up_gets_its_default_again(office: Office) -> None:
    await apply(office, "me", config(replicas=3, revisionHistoryLimit=2))
    await apply(office, "me", config(replicas=3))
    found = await stored(office)
    assert (found.spec.revision_history_limit, found.metadata.generation) == (10, 2)


async def test_the_status_has_appliers_of_its_own(office: Office) -> None:
    await apply(office, "me", config(replicas=3))
    condition = {"type": "Tested", "status": "True"}
    status = {**part(), "status": {"conditions": [condition]}}
    await apply(office, "tester", {**status, "spec": {"replicas": 9}}, subresource="status")
    found = await stored(office)
    assert (found.spec.replicas, found.status.conditions[0].type) == (3, "Tested")
    assert owners(found)["tester Apply status"] == [
        '.status.conditions[type="Tested"]',
        '.status.conditions[type="Tested"].status',
        '.status.conditions[type="Tested"].type',
    ]
    await apply(office, "me", config(replicas=2))
    assert (await stored(office)).status.conditions[0].type == "Tested"


async def test_the_scale_is_applied_as_one_field(office: Office) -> None:
    await apply(office, "me", config())
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 5}}
    await apply(office, "hpa", scale, subresource="scale")
    found = await stored(office)
    assert found.spec.replicas == 5
    assert owners(found)["hpa Apply scale"] == [".spec.replicas"]
    with pytest.raises(ConflictError, match='conflict with "hpa" with subresource "scale"'):
        await apply(office, "me", config(replicas=1))


async def test_a_rehearsed_apply_leaves_nothing_behind(office: Office) -> None:
    rehearsed = await apply(office, "me", config(replicas=3), dry_run=True)
    assert rehearsed.created
    assert rehearsed.object is not None
    assert owners(rehearsed.object.parse())["me Apply"]
    with pytest.raises(NotFoundError):
        await stored(office)
    await apply(office, "me", config(replicas=3))
    before = await stored(office)
    rehearsed = await apply(office, "me", config(replicas=4), dry_run=True)
    assert rehearsed.object is not None
    assert as_type(deployment(), rehearsed.object).spec.replicas == 4
    assert await stored(office) == before


async def test_two_first_applies_at_once_are_merged(office: Office) -> None:
    """Whoever comes second to the commit finds an object, and merges into it."""
    results = await office.api.batch([applying("one", config(replicas=2)), applying("two", config(paused=True))])
    assert [isinstance(result, WriteResult) and result.created for result in results] == [True, False]
    found = await stored(office)
    assert (found.spec.replicas, found.spec.paused) == (2, True)


REFUSED: dict[str, tuple[Patch, type[RollplaneError], str]] = {
    "nobody's": (applying("", config()), InvalidError, "fieldManager: Required value: is required for apply patch"),
    "forced without an apply": (
        Patch(WEB, PatchType.MERGE, b"{}", force=True),
        InvalidError,
        "force: Forbidden: may not be specified for non-apply patch",
    ),
    "another kind": (applying("me", {**config(), "kind": "ReplicaSet"}), BadRequestError, "invalid object type"),
    "another name": (
        applying("me", {**config(), "metadata": {"name": "other"}}),
        BadRequestError,
        r"the name of the object \(other\) does not match the name on the URL \(web\)",
    ),
    "another namespace": (
        applying("me", {**config(), "metadata": {"namespace": "other"}}),
        BadRequestError,
        "the namespace of the object",
    ),
    "an unknown field": (applying("me", config(nope=1)), BadRequestError, 'unknown field "spec.nope"'),
    "a version of what is not there": (
        applying("me", {**config(), "metadata": {"resourceVersion": "1"}}),
        ConflictError,
        "has been modified",
    ),
    "what validation refuses": (applying("me", config(replicas=-1)), InvalidError, "spec.replicas"),
    "the status of nothing": (applying("me", config(), subresource="status"), NotFoundError, "not found"),
    "another subresource": (applying("me", config(), subresource="finalize"), UnsupportedError, "finalize"),
    "an account that is missing": (
        applying(
            "me",
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "p"},
                "spec": {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "nobody"},
            },
            key=Key(kinds.POD, "default", "p"),
        ),
        ForbiddenError,
        "nobody",
    ),
}


@pytest.mark.parametrize(("write", "error", "sentence"), REFUSED.values(), ids=REFUSED)
async def test_an_apply_that_is_refused(
    office: Office, write: Patch, error: type[RollplaneError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        await office.api.write(write)


async def test_a_version_in_a_configuration_is_a_precondition(office: Office) -> None:
    await apply(office, "me", config(replicas=1))
    version = (await stored(office)).metadata.resource_version
    named = {**config(replicas=2), "metadata": {"name": "web", "resourceVersion": version}}
    await apply(office, "me", named)
    with pytest.raises(ConflictError, match="has been modified"):
        await apply(office, "me", named)


async def test_owners_count_for_the_size_of_an_object() -> None:
    data = {f"key-{number}": "" for number in range(200)}
    settings = CoreSettings(max_object_bytes=6000)
    async with Core(CountingStore(), FakeClock(), settings=settings) as core:
        office = Office(core, CountingStore(), FakeClock())
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}
        key = Key(kinds.CONFIG_MAP, "default", "c")
        await office.api.write(Create(Encoded.of(from_json(document))))
        with pytest.raises(RequestTooLargeError):
            await apply(office, "me", document, key=key)


# Writes that are no applies

TRACKED = WriteOptions("writer", track_fields=True)


async def test_a_create_owns_what_it_says_and_what_is_defaulted(office: Office) -> None:
    created = await office.create(pod(), TRACKED)
    found = owners(created)["writer Update"]
    assert ".spec.restartPolicy" in found
    assert ".spec.tolerations" not in found  # admission added them
    assert created.spec.tolerations
    assert not [path for path in found if path.startswith(".status")]


async def test_writes_that_do_not_ask_are_not_recorded(office: Office) -> None:
    created = await office.create(deployment())
    assert not created.metadata.managed_fields
    created.spec.replicas = 4
    assert not (await office.update(created, TRACKED)).metadata.managed_fields  # nobody was recorded from the start


async def test_an_update_takes_what_it_changes(office: Office) -> None:
    created = await office.create(deployment(), replace(TRACKED, field_manager="creator"))
    await office.clock.advance(5)
    created.spec.replicas = 4
    created.metadata.labels["new"] = "1"
    found = owners(await office.update(created, TRACKED))
    assert found["writer Update"] == [".metadata.labels", ".metadata.labels.new", ".spec.replicas"]
    assert ".spec.replicas" not in found["creator Update"]
    assert ".spec.paused" not in found["creator Update"]


async def test_an_update_that_changes_nothing_is_not_recorded(office: Office) -> None:
    created = await office.create(deployment(), replace(TRACKED, field_manager="creator"))
    updated = await office.update(created, TRACKED)
    assert updated.metadata.resource_version == created.metadata.resource_version
    assert list(owners(updated)) == ["creator Update"]


async def test_status_and_scale_are_entered_apart(office: Office) -> None:
    created = await office.create(deployment(), TRACKED)
    created.status.replicas = 1
    await office.update_status(created, TRACKED)
    await office.api.scale(Scale(WEB, 8, options=TRACKED))
    patch = Patch(WEB, PatchType.MERGE, b'{"spec": {"replicas": 9}}', "scale", replace(TRACKED, field_manager="p"))
    await office.api.write(patch)
    found = owners(await stored(office))
    assert found["writer Update status"] == [".status.replicas"]
    assert found["p Update scale"] == [".spec.replicas"]
    assert "writer Update scale" not in found


async def test_who_does_not_track_leaves_the_record_alone(office: Office) -> None:
    created = await office.create(deployment(), TRACKED)
    before = list(created.metadata.managed_fields)
    created.metadata.ClearField("managed_fields")
    created.spec.replicas = 5
    updated = await office.update(created)
    assert list(updated.metadata.managed_fields) == before
    updated.status.replicas = 5
    updated.metadata.managed_fields.add(manager="x", operation="Update", api_version="v1", fields_type="FieldsV1")
    assert list((await office.update_status(updated)).metadata.managed_fields) == before


async def test_only_so_many_updaters_are_kept(office: Office) -> None:
    await office.create(config_map(), replace(TRACKED, field_manager="first"))
    for number in range(12):
        await office.clock.advance(1)
        change = json.dumps({"data": {f"k{number}": "v"}}).encode()
        options = replace(TRACKED, field_manager=f"m{number:02}")
        await office.api.write(Patch(key_of(config_map()), PatchType.MERGE, change, options=options))
    found = owners(await office.get(config_map()))
    assert len(found) == 10
    assert {".data", ".data.k", ".data.k0", ".data.k1", ".data.k2"} == set(found["ancient-changes Update"])
    assert found["m11 Update"] == [".data.k11"]


# The record written by hand


def json_patch(*operations: dict[str, Any], **asked: Any) -> Patch:
    return Patch(WEB, PatchType.JSON, json.dumps(operations).encode(), options=TRACKED, **asked)


async def test_the_hand_over_from_client_side_apply(office: Office) -> None:
    """The requests of kubectl: applied on the client once, it goes on by server-side apply."""
    client_side = replace(TRACKED, field_manager="kubectl-client-side-apply")
    created = deployment(replicas=3)
    annotation = "kubectl.kubernetes.io/last-applied-configuration"
    created.metadata.annotations[annotation] = json.dumps(config(replicas=3))
    await office.create(created, client_side)
    await apply(office, "kubectl", config(replicas=4))
    bare = {**part(), "metadata": {"name": "web", "annotations": {annotation: "{}"}}}
    bare.pop("spec")
    await apply(office, "kubectl-last-applied", bare, force=True)
    found = await stored(office)
    entries = [entry for entry in found.metadata.managed_fields if entry.manager != "kubectl-client-side-apply"]
    shown = [message_to_json(entry) for entry in entries]
    replaced: list[dict[str, Any]] = [
        {"op": "replace", "path": "/metadata/managedFields", "value": shown},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": found.metadata.resource_version},
    ]
    await office.api.write(json_patch(*replaced))
    assert sorted(owners(await stored(office))) == ["kubectl Apply", "kubectl-last-applied Apply"]
    with pytest.raises(ConflictError):
        await office.api.write(json_patch(*replaced))
    gone = config(replicas=4)
    await apply(office, "kubectl", gone)
    assert sorted(owners(await stored(office))) == ["kubectl Apply", "kubectl-last-applied Apply"]


RESETS: dict[str, Callable[[Office], Any]] = {
    "an empty list": lambda office: office.api.write(
        json_patch({"op": "replace", "path": "/metadata/managedFields", "value": []})
    ),
    "an empty entry": lambda office: office.api.write(
        json_patch({"op": "replace", "path": "/metadata/managedFields", "value": [{}]})
    ),
    "not tracked": lambda office: office.api.write(
        Patch(WEB, PatchType.MERGE, b'{"metadata": {"managedFields": [{}]}}')
    ),
}


@pytest.mark.parametrize("reset", RESETS.values(), ids=RESETS)
async def test_nobody_is_remembered_after_a_reset(office: Office, reset: Callable[[Office], Any]) -> None:
    await apply(office, "me", config(replicas=3))
    await reset(office)
    assert not (await stored(office)).metadata.managed_fields
    with pytest.raises(ConflictError, match="before-first-apply"):
        await apply(office, "you", part(replicas=5))


async def test_a_record_that_cannot_be_read(office: Office) -> None:
    """A tracked write falls back on what is stored, as real servers do; another one is refused."""
    created = await office.create(deployment(), TRACKED)
    created.metadata.managed_fields[0].fields_v1.raw = b"nonsense"
    created.spec.replicas = 6
    assert list(owners(await office.update(created, replace(TRACKED, field_manager="b")))) == [
        "b Update",
        "writer Update",
    ]
    created.metadata.ClearField("resource_version")
    with pytest.raises(BadRequestError, match="fieldsV1 cannot be read"):
        await office.update(created)


async def test_a_subresource_cannot_write_the_record(office: Office) -> None:
    created = await office.create(deployment(), TRACKED)
    del created.metadata.managed_fields[:]
    created.metadata.managed_fields.add()
    created.status.replicas = 2
    write = UpdateStatus(Encoded.of(created), replace(TRACKED, field_manager="s"))
    await office.api.write(write)
    assert sorted(owners(await stored(office))) == ["s Update status", "writer Update"]


async def test_an_object_may_come_with_its_record(office: Office) -> None:
    created = await office.create(deployment(), TRACKED)
    other = deployment("other")
    other.metadata.managed_fields.extend(created.metadata.managed_fields)
    moved = await office.create(other, replace(TRACKED, field_manager="mover"))
    assert sorted(owners(moved)) == ["mover Update"]
    kept = await office.create(_renamed(other, "third"))
    assert sorted(owners(kept)) == ["writer Update"]


def _renamed(message: Deployment, name: str) -> Deployment:
    message.metadata.name = name
    return message


async def test_an_update_of_what_is_applied_meanwhile(office: Office) -> None:
    """An updater that sends a whole object back owns nothing that it left as it was."""
    await apply(office, "me", config(replicas=3))
    found = await stored(office)
    found.spec.min_ready_seconds = 4
    await office.api.write(Update(Encoded.of(found), TRACKED))
    assert owners(await stored(office))["writer Update"] == [".spec.minReadySeconds"]


async def test_an_object_of_the_cluster_has_no_namespace(office: Office) -> None:
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team", "labels": {"a": "1"}}, "spec": {}}
    key = Key(kinds.NAMESPACE, "", "team")
    assert (await apply(office, "helm", document, key=key)).created
    again = await apply(office, "helm", {**document, "metadata": {"name": "team", "labels": {"a": "2"}}}, key=key)
    assert again.object is not None
    assert not again.object.parse().metadata.HasField("namespace")
    assert owners(again.object.parse()) == {"helm Apply": [".metadata.labels.a"]}
