"""Objects as the rollout tests want them, written through a real core."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane.meta.v1 import ObjectMeta
from rollplane_apiserver.rollout.rollouts import Rollouts
from rollplane_machinery import kinds
from rollplane_machinery.api import Create, Key, ObjectApi, Update, UpdateStatus
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.codec import message_to_json
from rollplane_machinery.kinds import ApiObject, Encoded, Kind

M = TypeVar("M", bound=ApiObject)
Workload = apps.Deployment | apps.ReplicaSet | apps.StatefulSet | apps.DaemonSet | core.ReplicationController

REVISION = "deployment.kubernetes.io/revision"
WEB = Key(kinds.DEPLOYMENT, "default", "web")
DB = Key(kinds.STATEFUL_SET, "default", "db")
AGENT = Key(kinds.DAEMON_SET, "default", "agent")


@dataclass
class Workshop:
    """A core's objects, and the verbs over them."""

    objects: ObjectApi
    rollouts: Rollouts
    clock: FakeClock

    async def create(self, message: M) -> M:
        """Store ``message`` and return it as stored."""
        result = await self.objects.write(Create(Encoded.of(message)))
        assert result.object is not None
        return self._as(message, result.object)

    async def change(self, message: M, alter: Callable[[M], None]) -> M:
        """Update the object in place of what ``message`` was."""
        return await self._write(message, alter, Update)

    async def change_status(self, message: M, alter: Callable[[M], None]) -> M:
        """As ``change``, of the status."""
        return await self._write(message, alter, UpdateStatus)

    async def _write(self, message: M, alter: Callable[[M], None], write: type[Update | UpdateStatus]) -> M:
        kind = Encoded.of(message).kind
        now = self._as(message, await self.objects.get(Key(kind, message.metadata.namespace, message.metadata.name)))
        alter(now)
        result = await self.objects.write(write(Encoded.of(now)))
        assert result.object is not None
        return self._as(message, result.object)

    async def get(self, key: Key, message_type: type[M]) -> M:
        message = (await self.objects.get(key)).parse()
        assert isinstance(message, message_type)
        return message

    def _as(self, like: M, encoded: Encoded) -> M:
        message = encoded.parse()
        assert isinstance(message, type(like))
        return message


def exactly(sentence: str) -> str:
    """Return the pattern that only ``sentence`` matches."""
    return f"^{re.escape(sentence)}$"


def template(image: str, **labels: str) -> core.PodTemplateSpec:
    """Return a pod template with an app and an init container."""
    spec = core.PodSpec(
        init_containers=[core.Container(name="setup", image="setup:1")],
        containers=[core.Container(name="app", image=image), core.Container(name="sidecar", image="sidecar:1")],
    )
    return core.PodTemplateSpec(metadata=ObjectMeta(labels=labels or {"app": "x"}), spec=spec)


def workload(kind: Kind, name: str, image: str = "app:1") -> Workload:
    """Return a workload of ``kind`` with three replicas where it has such."""
    message = kind.new()
    assert isinstance(message, Workload)
    message.metadata.name = name
    message.metadata.namespace = "default"
    message.spec.template.CopyFrom(template(image))
    if isinstance(message, core.ReplicationController):
        message.spec.selector["app"] = "x"
    else:
        message.spec.selector.match_labels["app"] = "x"
    if not isinstance(message, apps.DaemonSet):
        message.spec.replicas = 3
    return message


def deployment() -> apps.Deployment:
    message = workload(kinds.DEPLOYMENT, "web")
    assert isinstance(message, apps.Deployment)
    return message


def own(child: ObjectMeta, parent: ApiObject, kind: Kind) -> None:
    """Make ``parent`` the controller of ``child``."""
    child.owner_references.add(
        api_version=kind.api_version,
        kind=kind.name,
        name=parent.metadata.name,
        uid=parent.metadata.uid,
        controller=True,
    )


def replica_set(parent: apps.Deployment, revision: str, image: str, **annotations: str) -> apps.ReplicaSet:
    """Return the ReplicaSet that the controller would make for ``image``."""
    message = apps.ReplicaSet()
    message.metadata.name = f"web-{image.replace(':', '-')}"
    message.metadata.namespace = "default"
    message.metadata.labels.update({"app": "x", "pod-template-hash": image.replace(":", "-")})
    message.metadata.annotations.update(annotations | ({REVISION: revision} if revision else {}))
    own(message.metadata, parent, kinds.DEPLOYMENT)
    message.spec.replicas = 0
    message.spec.selector.match_labels.update(message.metadata.labels)
    message.spec.template.CopyFrom(parent.spec.template)
    message.spec.template.metadata.labels.update(message.metadata.labels)
    message.spec.template.spec.containers[0].image = image
    return message


def controller_revision(parent: apps.StatefulSet | apps.DaemonSet, number: int, image: str) -> apps.ControllerRevision:
    """Return the ControllerRevision that the controller would make for ``image``."""
    then = core.PodTemplateSpec()
    then.CopyFrom(parent.spec.template)
    then.spec.containers[0].image = image
    data = {"spec": {"template": {**message_to_json(then), "$patch": "replace"}}}
    message = apps.ControllerRevision(revision=number)
    message.metadata.name = f"{parent.metadata.name}-{number}"
    message.metadata.namespace = "default"
    message.metadata.labels["app"] = "x"
    own(message.metadata, parent, kinds.STATEFUL_SET if isinstance(parent, apps.StatefulSet) else kinds.DAEMON_SET)
    message.data.raw = json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
    return message
