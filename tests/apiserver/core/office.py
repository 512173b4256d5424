"""Objects as the core's tests want them, and short words for what is done to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from rollplane.apps.v1 import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import (
    ConfigMap,
    Event,
    Namespace,
    Node,
    Pod,
    PodCondition,
    PodTemplateSpec,
    ReplicationController,
    Service,
)
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_apiserver.core import ADMIN, Core
from rollplane_apiserver.store.interface import Mutation, Outcome, Stored
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_machinery.api import (
    DEFAULT_OPTIONS,
    Api,
    Create,
    Delete,
    Key,
    ListQuery,
    Patch,
    PatchType,
    Update,
    UpdateStatus,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.kinds import ApiObject, Encoded, Kind, kind_of

M = TypeVar("M", bound=ApiObject)


@dataclass
class CountingStore(MemoryStore):
    """A MemoryStore that counts what is asked of it, and lets a test come in between a read and a commit."""

    reads: int = 0
    commits: int = 0
    before_commit: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    async def read(self, resource: str, keys: Sequence[str]) -> Sequence[Stored | None]:
        self.reads += 1
        return await super().read(resource, keys)

    async def commit(self, mutations: Sequence[Mutation]) -> Sequence[Outcome]:
        self.commits += 1
        return await super().commit(mutations)


@dataclass
class Office:
    """A core with its store and clock, and its Api as an administrator has it."""

    core: Core
    store: CountingStore
    clock: FakeClock

    @property
    def api(self) -> Api:
        return self.core.as_identity(ADMIN)

    async def create(self, message: M, options: WriteOptions = DEFAULT_OPTIONS) -> M:
        return parsed(message, await self.api.write(Create(Encoded.of(message), options)))

    async def update(self, message: M, options: WriteOptions = DEFAULT_OPTIONS) -> M:
        return parsed(message, await self.api.write(Update(Encoded.of(message), options)))

    async def update_status(self, message: M, options: WriteOptions = DEFAULT_OPTIONS) -> M:
        return parsed(message, await self.api.write(UpdateStatus(Encoded.of(message), options)))

    async def patch(self, message: M, patch: str, kind: PatchType = PatchType.MERGE, subresource: str = "") -> M:
        return parsed(message, await self.api.write(Patch(key_of(message), kind, patch.encode(), subresource)))

    async def delete(self, message: ApiObject, **asked: object) -> WriteResult:
        return await self.api.write(Delete(key_of(message), **asked))  # type: ignore[arg-type]

    async def get(self, message: M) -> M:
        encoded = await self.api.get(key_of(message))
        return as_type(message, encoded)

    async def names(self, kind: Kind, **asked: object) -> list[str]:
        page = await self.api.list(ListQuery(kind, **asked))  # type: ignore[arg-type]
        return [encoded.parse().metadata.name for encoded in page.objects]

    async def exists(self, message: ApiObject) -> bool:
        found = await self.names(kind_of(message))
        return message.metadata.name in found


def parsed(message: M, result: WriteResult) -> M:
    assert result.object is not None
    return as_type(message, result.object)


def as_type(message: M, encoded: Encoded) -> M:
    obj = encoded.parse()
    assert isinstance(obj, type(message))
    return obj


def copied(message: M) -> M:
    other = type(message)()
    other.ParseFromString(message.SerializeToString())
    return other


def key_of(message: ApiObject) -> Key:
    return Key(kind_of(message), message.metadata.namespace, message.metadata.name)


def named(message: M, name: str, namespace: str = "default", labels: dict[str, str] | None = None) -> M:
    if kind_of(message).namespaced:
        message.metadata.namespace = namespace
    message.metadata.name = name
    message.metadata.labels.update(labels or {})
    return message


def template(app: str = "web") -> PodTemplateSpec:
    result = PodTemplateSpec()
    result.metadata.labels["app"] = app
    result.spec.containers.add(name="app", image="app:v1")
    return result


def pod(name: str = "p", namespace: str = "default", node: str = "", **labels: str) -> Pod:
    result = named(Pod(), name, namespace, labels)
    result.spec.CopyFrom(template().spec)
    if node:
        result.spec.node_name = node
    return result


def ready(message: Pod) -> Pod:
    message.status.phase = "Running"
    message.status.conditions.append(PodCondition(type="Ready", status="True"))
    return message


def config_map(name: str = "c", namespace: str = "default", **labels: str) -> ConfigMap:
    result = named(ConfigMap(), name, namespace, labels)
    result.data["k"] = "v"
    return result


def namespace(name: str) -> Namespace:
    return named(Namespace(), name)


def node(name: str = "n1") -> Node:
    return named(Node(), name)


def lease(name: str = "l") -> Lease:
    result = named(Lease(), name)
    result.spec.holder_identity = "me"
    return result


def event(name: str = "e") -> Event:
    result = named(Event(), name)
    result.involved_object.namespace = "default"
    return result


def service(name: str = "s") -> Service:
    result = named(Service(), name)
    result.spec.ports.add(port=80)
    return result


def deployment(name: str = "web", replicas: int = 1) -> Deployment:
    result = named(Deployment(), name)
    result.spec.replicas = replicas
    result.spec.selector.match_labels["app"] = "web"
    result.spec.template.CopyFrom(template())
    return result


def replica_set(name: str = "web-1") -> ReplicaSet:
    result = named(ReplicaSet(), name)
    result.spec.selector.match_labels["app"] = "web"
    result.spec.template.CopyFrom(template())
    return result


def stateful_set(name: str = "db") -> StatefulSet:
    result = named(StatefulSet(), name)
    result.spec.service_name = "db"
    result.spec.selector.match_labels["app"] = "web"
    result.spec.template.CopyFrom(template())
    return result


def daemon_set(name: str = "agent") -> DaemonSet:
    result = named(DaemonSet(), name)
    result.spec.selector.match_labels["app"] = "web"
    result.spec.template.CopyFrom(template())
    return result


def replication_controller(name: str = "rc") -> ReplicationController:
    result = named(ReplicationController(), name)
    result.spec.selector["app"] = "web"
    result.spec.template.CopyFrom(template())
    return result


def controller_revision(name: str = "cr") -> ControllerRevision:
    result = named(ControllerRevision(), name)
    result.revision = 1
    result.data.raw = b'{"a":1}'
    return result


def budget(name: str = "pdb", allowed: int = 1, generation: int = 1) -> PodDisruptionBudget:
    result = named(PodDisruptionBudget(), name)
    result.spec.selector.match_labels["app"] = "web"
    result.spec.min_available.type = 0
    result.spec.min_available.int_val = 1
    result.status.disruptions_allowed = allowed
    result.status.observed_generation = generation
    result.status.current_healthy = 2
    result.status.desired_healthy = 1
    result.status.expected_pods = 2
    return result
