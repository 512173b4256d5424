"""The garbage collector, pod GC and the end of namespaces, through the whole plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rollplane.apps.v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import ConfigMap, Namespace, Pod, Secret, Service
from rollplane.stored.v1 import StoredObject
from rollplane_controller.manager import METADATA_ONLY
from rollplane_machinery.api import DeleteCollection, DeletedCollection, Key, ObjectApi, Propagation
from rollplane_machinery.codec import from_json, message_to_json
from rollplane_machinery.codec.fields import map_value
from rollplane_machinery.errors import InternalError
from rollplane_machinery.kinds import (
    ACTING_KINDS,
    ANY_CUSTOM,
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_RESOURCE_DEFINITION,
    DAEMON_SET,
    DEPLOYMENT,
    NAMESPACE,
    NODE,
    POD,
    REPLICA_SET,
    SECRET,
    STATEFUL_SET,
    STORED_KINDS,
    ApiObject,
    Kind,
)
from rollplane_planners.furnishing import ROOT_CERTIFICATES
from tests.controller.plane import PlainApi, Plane, a_plane, names_of, owners_of
from tests.planners.daemon_sets import a_daemon_set
from tests.planners.deployments import a_deployment as built
from tests.planners.pods import a_node, a_pod
from tests.planners.stateful_sets import a_stateful_set

_DEFINED = frozenset({CUSTOM_RESOURCE_DEFINITION, ANY_CUSTOM})
"""Definitions, and what they make: they have tests of their own."""


async def deployed(plane: Plane, replicas: int = 2) -> None:
    deployment: Deployment = built("v1", replicas)
    deployment.metadata.ClearField("uid")
    await plane.create(deployment)
    await plane.quiet()


def a_map(name: str, *owners: ApiObject, finalizers: tuple[str, ...] = (), blocking: bool = True) -> ConfigMap:
    """Return a ConfigMap, which no controller but the collector cares for, owned by ``owners``."""
    one = ConfigMap()
    one.metadata.name, one.metadata.namespace = name, "shop"
    one.data["key"] = "what nobody but its owner reads"
    one.metadata.finalizers.extend(finalizers)
    for owner in owners:
        reference = one.metadata.owner_references.add(name=owner.metadata.name, uid=owner.metadata.uid)
        reference.api_version, reference.kind, reference.block_owner_deletion = "v1", "ConfigMap", blocking
    return one


async def made(plane: Plane, one: ConfigMap) -> ApiObject:
    await plane.create(one)
    found = await plane.find(CONFIG_MAP, one.metadata.name)
    assert found is not None
    return found


async def kept(plane: Plane, kind: Kind = CONFIG_MAP) -> list[str]:
    return [name for name in names_of(await plane.all(kind)) if name != ROOT_CERTIFICATES]


async def test_background_the_owner_goes_first() -> None:
    async with a_plane() as plane:
        await plane.start()
        await deployed(plane)
        await plane.delete(DEPLOYMENT, "web", propagation=Propagation.BACKGROUND)
        assert await plane.find(DEPLOYMENT, "web") is None
        await plane.quiet()
        assert await kept(plane, REPLICA_SET) == []
        assert await plane.pods() == []


async def test_foreground_the_owner_stays_until_all_below_is_gone() -> None:
    async with a_plane() as plane:
        await plane.start()
        await deployed(plane)
        await plane.delete(DEPLOYMENT, "web", propagation=Propagation.FOREGROUND)
        await plane.quiet()
        assert await plane.pods() == [], "pods end gracefully, and are waited for"
        assert len(await plane.all(POD)) == 2
        assert await plane.find(DEPLOYMENT, "web") is not None
        assert len(await kept(plane, REPLICA_SET)) == 1
        await plane.finish()
        await plane.quiet()
        assert await kept(plane, REPLICA_SET) == []
        assert await plane.find(DEPLOYMENT, "web") is None


async def test_orphan_the_dependents_stay_without_the_reference() -> None:
    async with a_plane() as plane:
        await plane.start()
        await deployed(plane)
        await plane.delete(DEPLOYMENT, "web", propagation=Propagation.ORPHAN)
        await plane.quiet()
        assert await plane.find(DEPLOYMENT, "web") is None
        (orphan,) = await plane.all(REPLICA_SET)
        assert isinstance(orphan, ReplicaSet)
        assert owners_of(orphan) == []
        assert len(await plane.pods()) == 2


@pytest.mark.parametrize("blocking", [True, False])
async def test_orphaning_ends_whether_dependents_block_or_not(blocking: bool) -> None:
    async with a_plane() as plane:
        await plane.start()
        owner = await made(plane, a_map("owner"))
        await plane.create(a_map("dependent", owner, blocking=blocking))
        await plane.delete(CONFIG_MAP, "owner", propagation=Propagation.ORPHAN)
        await plane.quiet()
        assert await kept(plane) == ["dependent"]


@pytest.mark.parametrize("kind", [STATEFUL_SET, DAEMON_SET])
async def test_sets_cut_loose_from_their_pods_go_and_make_no_history(kind: Kind) -> None:
    async with a_plane() as plane:
        await plane.start()
        workload: StatefulSet | DaemonSet = a_stateful_set("v1") if kind is STATEFUL_SET else a_daemon_set("v1")
        workload.metadata.ClearField("uid")
        workload.ClearField("status")
        await plane.create(workload)
        await plane.quiet()
        pods, revisions = names_of(await plane.pods()), await kept(plane, CONTROLLER_REVISION)
        assert pods
        await plane.delete(kind, workload.metadata.name, propagation=Propagation.ORPHAN)
        await plane.quiet()
        assert await kept(plane, kind) == []
        assert (names_of(await plane.pods()), await kept(plane, CONTROLLER_REVISION)) == (pods, revisions)
        assert all(owners_of(one) == [] for one in [*await plane.pods(), *await plane.all(CONTROLLER_REVISION)])


async def test_a_dependent_with_another_owner_is_only_detached() -> None:
    async with a_plane() as plane:
        await plane.start()
        going, staying = await made(plane, a_map("going")), await made(plane, a_map("staying"))
        await plane.create(a_map("shared", going, staying))
        await plane.delete(CONFIG_MAP, "going", propagation=Propagation.FOREGROUND)
        await plane.quiet()
        assert await kept(plane) == ["shared", "staying"]
        shared = await plane.find(CONFIG_MAP, "shared")
        assert isinstance(shared, ConfigMap)
        assert shared.data, "the collector, which knows its metadata only, takes nothing else away"
        assert owners_of(shared) == ["staying"]


async def test_only_blocking_dependents_are_waited_for() -> None:
    async with a_plane() as plane:
        await plane.start()
        owner = await made(plane, a_map("owner"))
        await plane.create(a_map("held", owner, finalizers=("test/hold",), blocking=False))
        await plane.delete(CONFIG_MAP, "owner", propagation=Propagation.FOREGROUND)
        await plane.quiet()
        assert await kept(plane) == ["held"]


async def test_a_circle_is_broken() -> None:
    async with a_plane() as plane:
        await plane.start()
        first = await made(plane, a_map("first"))
        second = await made(plane, a_map("second", first))
        closing = a_map("first", second)
        await plane.update(closing)
        await plane.quiet()
        await plane.delete(CONFIG_MAP, "first", propagation=Propagation.FOREGROUND)
        await plane.quiet()
        assert await kept(plane) == []


async def test_a_circle_that_waits_from_both_ends_is_broken() -> None:
    async with a_plane() as plane:
        first = await made(plane, a_map("first"))
        second = await made(plane, a_map("second", first))
        await plane.update(a_map("first", second))
        for name in ("first", "second"):
            await plane.delete(CONFIG_MAP, name, propagation=Propagation.FOREGROUND)
        await plane.start()
        await plane.quiet()
        assert await kept(plane) == []


async def test_an_owner_that_never_was_or_is_another_now_counts_as_gone() -> None:
    async with a_plane() as plane:
        await plane.start()
        owner = await made(plane, a_map("owner"))
        ghost = a_map("ghost")
        ghost.metadata.uid = "never-was"
        await plane.create(a_map("of-a-ghost", ghost))
        await plane.create(a_map("kept", owner))
        renamed = a_map("owner")
        renamed.metadata.uid = "former-uid"
        await plane.create(a_map("of-a-namesake", renamed))
        await plane.quiet()
        assert await kept(plane) == ["kept", "owner"]


async def test_an_owner_in_another_namespace_counts_as_absent() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.namespace("other")
        elsewhere = a_map("owner")
        elsewhere.metadata.namespace = "other"
        await plane.create(elsewhere)
        owner = await plane.find(CONFIG_MAP, "owner", "other")
        assert owner is not None
        await plane.create(a_map("dependent", owner))
        await plane.quiet()
        assert await kept(plane) == []


async def test_dependents_left_from_before_the_start_are_collected() -> None:
    async with a_plane() as plane:
        owner = await made(plane, a_map("owner"))
        await plane.create(a_map("dependent", owner))
        await plane.delete(CONFIG_MAP, "owner")
        await plane.start()
        await plane.quiet()
        assert await kept(plane) == []


# Pod GC


async def bare_pod(plane: Plane, name: str, node: str) -> Pod:
    pod = a_pod(name, owner="", node=node, labels={})
    pod.metadata.ClearField("uid")
    pod.spec.scheduler_name = "nobody"
    await plane.create(pod)
    found = await plane.find(POD, name)
    assert isinstance(found, Pod)
    return found


async def test_pods_of_a_node_that_is_gone_are_removed_after_their_quarantine() -> None:
    async with a_plane() as plane:
        await plane.start()
        await bare_pod(plane, "stays", "n0")
        await bare_pod(plane, "stranded", "n1")
        await plane.delete(NODE, "n1")
        await plane.pass_time(30)
        assert await kept(plane, POD) == ["stays", "stranded"]
        await plane.pass_time(50)
        assert await kept(plane, POD) == ["stays"]


async def test_a_node_that_comes_back_keeps_its_pods() -> None:
    async with a_plane() as plane:
        await plane.start()
        await bare_pod(plane, "stranded", "n1")
        await plane.delete(NODE, "n1")
        await plane.pass_time(30)
        await plane.node(a_node("n1"))
        await plane.pass_time(60)
        assert await kept(plane, POD) == ["stranded"]


async def test_a_terminating_pod_that_never_had_a_node_is_removed() -> None:
    async with a_plane() as plane:
        pod = await bare_pod(plane, "never", "n0")
        await plane.delete(POD, "never")
        assert pod.metadata.uid
        await plane.start()
        await plane.pass_time(25)
        assert await kept(plane, POD) == ["never"], "its kubelet will end it"


async def test_a_node_out_of_service_gives_its_terminating_pods_up() -> None:
    async with a_plane(nodes=0) as plane:
        await plane.start()
        lost = a_node("n0", taints=[{"key": "node.kubernetes.io/out-of-service", "effect": "NoSchedule"}])
        await plane.node(lost)
        for name in ("ends", "runs"):
            await bare_pod(plane, name, "n0")
        await plane.delete(POD, "ends")
        await plane.pass_time(25)
        assert await kept(plane, POD) == ["runs"]


# Namespaces


async def test_a_namespace_takes_all_it_holds_with_it() -> None:
    async with a_plane() as plane:
        await plane.start()
        await deployed(plane)
        await plane.create(a_map("settings"))
        await plane.delete(NAMESPACE, "shop")
        await plane.pass_time(3)
        assert len(await kept(plane, DEPLOYMENT)) == 1, "all else waits for the pods"
        assert len(await plane.all(POD)) == 2, "pods end gracefully"
        namespace = await plane.find(NAMESPACE, "shop")
        assert isinstance(namespace, Namespace)
        assert namespace.status.phase == "Terminating"
        said = {one.type: one.message for one in namespace.status.conditions}
        assert said["NamespaceContentRemaining"] == "Some resources are remaining: pods. has 2 resource instances"
        await plane.finish()
        await plane.quiet()
        assert await plane.find(NAMESPACE, "shop") is None


class Undeletable(PlainApi):
    """Deletes no collection of the kind that ``refused`` names."""

    refused: Kind | None = None

    async def delete_collection(self, request: DeleteCollection) -> DeletedCollection:
        if request.kind is self.refused:
            raise InternalError("the disk is full")
        return await super().delete_collection(request)


async def test_content_that_cannot_be_deleted_is_told_and_holds_back_nothing_else() -> None:
    async with a_plane() as plane:
        spoilt: list[Undeletable] = []

        def wrap(api: ObjectApi) -> Undeletable:
            spoilt.append(Undeletable(api))
            return spoilt[0]

        await plane.start(wrap=wrap)
        spoilt[0].refused = CONFIG_MAP
        await plane.create(a_map("stays"))
        later = Secret()
        later.metadata.name, later.metadata.namespace = "goes", "shop"
        await plane.create(later)
        await plane.delete(NAMESPACE, "shop")
        await plane.pass_time(3)
        assert await conditions(plane) == {
            "NamespaceDeletionDiscoveryFailure": ("False", "All resources successfully discovered"),
            "NamespaceDeletionGroupVersionParsingFailure": ("False", "All legacy kube types successfully parsed"),
            "NamespaceDeletionContentFailure": (
                "True",
                "Failed to delete all resource types, 1 remaining: the disk is full",
            ),
            "NamespaceContentRemaining": (
                "True",
                "Some resources are remaining: configmaps. has 2 resource instances",
            ),
            "NamespaceFinalizersRemaining": ("False", "All content-preserving finalizers finished"),
        }
        assert await plane.find(SECRET, "goes") is None
        held = await plane.find(CONFIG_MAP, "stays")
        assert held is not None
        held.metadata.finalizers.append("test/hold")
        await plane.update(held)
        spoilt[0].refused = None
        await plane.pass_time(20)
        healed = await conditions(plane)
        assert healed["NamespaceDeletionContentFailure"][0] == "False"
        assert healed["NamespaceFinalizersRemaining"][0] == "True"
        held = await plane.find(CONFIG_MAP, "stays")
        assert held is not None
        del held.metadata.finalizers[:]
        await plane.update(held)
        await plane.quiet()
        assert await plane.find(NAMESPACE, "shop") is None


async def conditions(plane: Plane) -> dict[str, tuple[str, str]]:
    """Return what the namespace says of its end: status and message of each condition."""
    namespace = await plane.find(NAMESPACE, "shop")
    assert isinstance(namespace, Namespace)
    return {one.type: (one.status, one.message) for one in namespace.status.conditions}


async def test_content_with_finalizers_holds_its_namespace() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(a_map("held", finalizers=("test/hold",)))
        await plane.delete(NAMESPACE, "shop")
        await plane.pass_time(10)
        namespace = await plane.find(NAMESPACE, "shop")
        assert isinstance(namespace, Namespace)
        assert "test/hold in 1 resource instances" in str(namespace.status.conditions)
        held = await plane.find(CONFIG_MAP, "held")
        assert isinstance(held, ConfigMap)
        del held.metadata.finalizers[:]
        await plane.update(held)
        await plane.quiet()
        assert await plane.find(NAMESPACE, "shop") is None


async def test_a_namespace_deleted_before_the_start_is_emptied() -> None:
    async with a_plane() as plane:
        await plane.create(a_map("settings"))
        await plane.delete(NAMESPACE, "shop")
        await plane.start()
        await plane.quiet()
        assert await plane.find(NAMESPACE, "shop") is None


async def test_other_finalizers_keep_an_empty_namespace() -> None:
    async with a_plane() as plane:
        await plane.start()
        namespace = Namespace()
        namespace.metadata.name = "kept"
        namespace.spec.finalizers.append("test/mine")
        await plane.create(namespace)
        await plane.delete(NAMESPACE, "kept")
        await plane.quiet()
        left = await plane.find(NAMESPACE, "kept")
        assert isinstance(left, Namespace)
        assert list(left.spec.finalizers) == ["test/mine"]


def bulky(kind: Kind, one: StoredObject) -> StoredObject:
    """Return ``one`` with a long text in the first place there is for any."""
    shaped = GetMessageClass(kind.shape)()
    assert write(shaped, "x" * 100_000)
    more = from_json({"apiVersion": kind.api_version, "kind": kind.name, **message_to_json(shaped)})
    assert isinstance(more, StoredObject)
    more.metadata.CopyFrom(one.metadata)
    return more


def write(message: Message, text: str) -> bool:
    """Put ``text`` into ``message``, metadata aside; tells whether there was a place for it."""
    fields: Sequence[Any] = message.DESCRIPTOR.fields
    for field in fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            message.MergeFrom(type(message)(**{field.name: [text] if field.is_repeated else text}))
            return True
        if field.message_type is None or map_value(field) or field.message_type.file.package == "rollplane.meta.v1":
            continue
        part = getattr(message, field.name)
        if write(part.add() if field.is_repeated else part, text):
            return True
    return False


@pytest.mark.parametrize("kind", sorted(METADATA_ONLY - _DEFINED, key=str))
async def test_what_is_only_collected_is_not_kept(kind: Kind) -> None:
    """A controller's memory goes by the count of such objects, not by what is in them."""
    async with a_plane() as plane:
        await plane.start()
        one = kind.new()
        namespace = "shop" if kind.namespaced else ""
        one.metadata.name, one.metadata.namespace = "big", namespace
        if isinstance(one, ConfigMap):
            one.data["key"] = "x" * 100_000
        if isinstance(one, Secret):
            one.data["key"] = b"x" * 100_000
        if isinstance(one, Service):
            one.spec.ports.add(port=80)
        if isinstance(one, StoredObject) and kind not in ACTING_KINDS:
            one = bulky(kind, one)
        await plane.create(one)
        await plane.quiet()
        (manager,) = plane.managers.values()
        observer = manager.observer
        key = Key(kind, namespace, "big")
        encoded = observer.informer.encoded(key)
        assert encoded is not None
        assert len(encoded.value) < 500
        with pytest.raises(InternalError, match="watched for its metadata only"):
            observer.message(key, type(one))


@pytest.mark.parametrize("kind", [kind for kind in STORED_KINDS if kind not in _DEFINED], ids=str)
async def test_kinds_that_are_only_stored_own_and_are_owned(kind: Kind) -> None:
    async with a_plane() as plane:
        await plane.start()
        owner = kind.new()
        owner.metadata.name, owner.metadata.namespace = "owner", "shop" if kind.namespaced else ""
        await plane.create(owner)
        stored = await plane.find(kind, "owner", owner.metadata.namespace)
        assert stored is not None
        dependent = a_map("dependent")
        reference = dependent.metadata.owner_references.add(name="owner", uid=stored.metadata.uid)
        reference.api_version, reference.kind = kind.api_version, kind.name
        holder = await made(plane, a_map("holder"))
        await plane.create(dependent)
        owned = kind.new()
        owned.metadata.name, owned.metadata.namespace = "owned", owner.metadata.namespace
        owned.metadata.owner_references.add(api_version="v1", kind="ConfigMap", name="holder", uid=holder.metadata.uid)
        if kind.namespaced:
            await plane.create(owned)
        await plane.quiet()
        await plane.delete(kind, "owner", namespace=owner.metadata.namespace)
        await plane.delete(CONFIG_MAP, "holder")
        await plane.quiet()
        assert await plane.find(CONFIG_MAP, "dependent") is None
        assert await plane.find(kind, "owned", owner.metadata.namespace) is None


async def test_a_namespace_is_emptied_of_what_is_only_stored() -> None:
    async with a_plane() as plane:
        await plane.start()
        namespace = Namespace()
        namespace.metadata.name = "full"
        await plane.create(namespace)
        namespaced = [kind for kind in STORED_KINDS if kind.namespaced]
        for kind in namespaced:
            one = kind.new()
            one.metadata.name, one.metadata.namespace = "one", "full"
            await plane.create(one)
        await plane.quiet()
        await plane.delete(NAMESPACE, "full")
        await plane.quiet()
        assert await plane.find(NAMESPACE, "full") is None
        for kind in namespaced:
            assert await plane.find(kind, "one", "full") is None
