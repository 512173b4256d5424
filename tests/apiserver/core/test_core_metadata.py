"""api-conventions.md section 1: what of an object's metadata is whose, and when it changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollplane.core.v1 import Pod
from rollplane_machinery import kinds
from rollplane_machinery.api import Bind, Create, WatchFilter, WatchQuery
from rollplane_machinery.errors import BadRequestError, ConflictError, InvalidError, NotFoundError, RequestTooLargeError
from rollplane_machinery.kinds import ApiObject, Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.names import SUFFIX_ALPHABET
from tests.apiserver.core.office import (
    Office,
    config_map,
    copied,
    daemon_set,
    deployment,
    key_of,
    namespace,
    node,
    pod,
    replica_set,
    replication_controller,
    stateful_set,
)


async def test_namespaced_kinds_default_to_default(office: Office) -> None:
    made = await office.create(config_map(namespace=""))
    assert made.metadata.namespace == "default"


async def test_cluster_scoped_kinds_have_no_namespace(office: Office) -> None:
    message = node()
    message.metadata.namespace = "default"
    assert (await office.create(message)).metadata.namespace == ""


async def test_generate_name_is_used_only_without_a_name(office: Office) -> None:
    message = config_map("given")
    message.metadata.generate_name = "other-"
    assert (await office.create(message)).metadata.name == "given"


async def test_generated_name_is_prefix_and_five_characters(office: Office) -> None:
    message = config_map("")
    message.metadata.generate_name = "x" * 70
    name = (await office.create(message)).metadata.name
    assert name.startswith("x" * 58)
    assert len(name) == 63
    assert set(name[58:]) <= set(SUFFIX_ALPHABET)


async def test_neither_name_nor_prefix_is_invalid(office: Office) -> None:
    with pytest.raises(InvalidError) as refused:
        await office.create(config_map(""))
    assert [cause.field for cause in refused.value.causes] == ["metadata.name"]


async def test_generated_name_that_is_taken_is_tried_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    suffixes = iter(["aaaaa", "aaaaa", "bbbbb"])
    monkeypatch.setattr("rollplane_apiserver.core.step.random_suffix", lambda _source: next(suffixes))
    message = config_map("")
    message.metadata.generate_name = "c-"
    names = [(await office.create(message)).metadata.name for _ in range(2)]
    assert names == ["c-aaaaa", "c-bbbbb"]


async def test_uid_is_another_one_for_a_recreated_object(office: Office) -> None:
    message = config_map()
    message.metadata.uid = "chosen-by-client"
    first = await office.create(message)
    await office.delete(first)
    second = await office.create(message)
    assert len({first.metadata.uid, second.metadata.uid, "chosen-by-client"}) == 3


async def test_resource_version_changes_at_every_stored_change(office: Office) -> None:
    made = await office.create(config_map())
    changed = copied(made)
    changed.data["k"] = "w"
    changed = await office.update(changed)
    other = await office.create(config_map("d"))
    versions = [int(m.metadata.resource_version) for m in (made, changed, other)]
    assert versions == sorted(set(versions))
    assert (await office.get(made)).metadata.resource_version == changed.metadata.resource_version


async def test_resource_version_cannot_be_given_at_creation(office: Office) -> None:
    message = config_map()
    message.metadata.resource_version = "7"
    with pytest.raises(BadRequestError):
        await office.create(message)


GENERATIONAL: dict[str, Callable[[], ApiObject]] = {
    "Deployment": deployment,
    "ReplicaSet": replica_set,
    "StatefulSet": stateful_set,
    "DaemonSet": daemon_set,
    "ReplicationController": replication_controller,
}


@pytest.mark.parametrize("make", GENERATIONAL.values(), ids=GENERATIONAL)
async def test_generation_counts_specs(office: Office, make: Callable[[], ApiObject]) -> None:
    message = make()
    message.metadata.generation = 12
    made = await office.create(message)
    assert made.metadata.generation == 1
    labelled = await office.patch(made, '{"metadata":{"labels":{"a":"b"}}}')
    assert labelled.metadata.generation == 1
    changed = await office.patch(made, '{"spec":{"template":{"spec":{"dnsPolicy":"Default"}}}}')
    assert changed.metadata.generation == 2
    reported = await office.patch(made, '{"status":{"observedGeneration":2}}', subresource="status")
    assert reported.metadata.generation == 2
    assert reported.metadata.resource_version != changed.metadata.resource_version


async def test_deployment_generation_counts_annotations_but_not_through_the_status(office: Office) -> None:
    made = await office.create(deployment())
    annotated = await office.patch(made, '{"metadata":{"annotations":{"a":"b"}}}')
    assert annotated.metadata.generation == 2
    again = await office.patch(made, '{"metadata":{"annotations":{"a":"c"}}}', subresource="status")
    assert again.metadata.generation == 2
    assert again.metadata.annotations["a"] == "c"


async def test_the_generation_of_a_pod_counts_its_spec_and_not_its_binding(office: Office) -> None:
    made = await office.create(pod())
    assert made.metadata.generation == 1
    await office.api.write(Bind(key_of(made), "node-0"))
    assert (await office.get(made)).metadata.generation == 1
    shortened = await office.patch(made, '{"spec":{"activeDeadlineSeconds":9}}')
    assert shortened.metadata.generation == 2


async def test_creation_timestamp_is_the_servers_in_whole_seconds(office: Office) -> None:
    message = config_map()
    message.metadata.creation_timestamp.seconds = 5
    await office.clock.advance(0.75)
    made = await office.create(message)
    assert made.metadata.creation_timestamp.seconds == 1_600_000_000
    assert made.metadata.creation_timestamp.nanos == 0


async def test_deletion_timestamp_is_the_servers_only(office: Office) -> None:
    message = config_map()
    message.metadata.deletion_timestamp.seconds = 5
    message.metadata.deletion_grace_period_seconds = 3
    made = await office.create(message)
    assert not is_being_deleted(made.metadata)
    assert not made.metadata.HasField("deletion_grace_period_seconds")


async def test_annotations_are_bounded(office: Office) -> None:
    message = config_map()
    message.metadata.annotations["a"] = "x" * 256 * 1024
    with pytest.raises(InvalidError):
        await office.create(message)


async def test_objects_are_bounded(office: Office) -> None:
    message = deployment()
    for number in range(2000):
        message.spec.template.spec.containers[0].env.add(name=f"E{number}", value="x" * 1000)
    with pytest.raises(RequestTooLargeError):
        await office.create(message)


async def test_no_finalizer_is_added_to_an_object_that_is_being_deleted(office: Office) -> None:
    message = config_map()
    message.metadata.finalizers.append("example.com/hold")
    made = await office.create(message)
    await office.delete(made)
    marked = await office.get(made)
    marked.metadata.finalizers.append("example.com/more")
    with pytest.raises(InvalidError):
        await office.update(marked)


async def test_update_that_changes_nothing_is_not_written(office: Office) -> None:
    made = await office.create(deployment())
    before = office.store.commits
    async with office.api.watch(WatchQuery((WatchFilter(kinds.DEPLOYMENT),))) as batches:
        again = await office.update(made)
        patched = await office.patch(made, "{}")
        assert again.metadata.resource_version == made.metadata.resource_version
        assert patched.metadata.resource_version == made.metadata.resource_version
        assert office.store.commits == before
        await office.create(deployment("after"))
        first = await anext(batches)
        assert [event.object.parse().metadata.name for event in first.events] == ["after"]


async def test_uid_in_an_update_must_be_the_stored_one(office: Office) -> None:
    made = await office.create(config_map())
    made.metadata.uid = "another"
    with pytest.raises(ConflictError):
        await office.update(made)


async def test_stored_bytes_hold_no_resource_version(office: Office) -> None:
    made = await office.create(pod())
    await office.update_status(made)
    made.status.message = "changed"
    await office.update_status(made)
    key = key_of(made)
    (stored,) = await office.store.read(key.kind.resource, [f"{key.namespace}/{key.name}"])
    assert stored is not None
    assert not Pod.FromString(stored.value).metadata.HasField("resource_version")
    assert (await office.get(made)).metadata.resource_version == str(stored.revision)


async def test_creating_in_an_absent_namespace_is_not_found(office: Office) -> None:
    with pytest.raises(NotFoundError, match='namespaces "nowhere" not found'):
        await office.create(config_map(namespace="nowhere"))


async def test_unreadable_object_is_a_bad_request(office: Office) -> None:
    with pytest.raises(BadRequestError):
        await office.api.write(Create(Encoded(kinds.POD, b"\xff\xff")))


async def test_namespace_gets_its_label_phase_and_finalizer(office: Office) -> None:
    made = await office.create(namespace("team"))
    assert made.metadata.labels["kubernetes.io/metadata.name"] == "team"
    assert made.status.phase == "Active"
    assert list(made.spec.finalizers) == ["kubernetes"]
