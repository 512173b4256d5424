"""The workloads of a load: what they are called, what is in them, and which image is next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane.core.v1 import PodSpec, PodTemplateSpec, ReplicationController
from rollplane_load.scenario.model import Scenario, Workloads
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, ApiObject, Kind

CONTAINER = "app"
LABEL = "app"
"""Every pod of a load bears it, with the name of its workload."""


@dataclass(eq=False, slots=True)
class Subject:
    """A workload; ``version`` is the number of its image, ``newest`` the highest that it ever had.

    Who changes it holds ``lock``: one change at a time.
    """

    key: Key
    replicas: int
    version: int = 1
    before: int = 1
    newest: int = 1
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def kind(self) -> Kind:
        return self.key.kind

    @property
    def name(self) -> str:
        return self.key.name

    def take_next(self) -> int:
        """Return the number of the image after all that there were, which it has from now on."""
        self.newest += 1
        self.before, self.version = self.version, self.newest
        return self.version

    def take_back(self) -> int:
        """Return the number of the image before, which it has from now on."""
        self.before, self.version = self.version, self.before
        return self.version


class Images:
    """``app:v1``, ``app:v2`` and so on; or given ones, by turns."""

    def __init__(self, given: Sequence[str] = ()) -> None:
        self._given = given

    def image(self, version: int) -> str:
        """Return the image with the number ``version``, from 1."""
        return self._given[(version - 1) % len(self._given)] if self._given else f"app:v{version}"


class Naming:
    """Names new workloads by their kind, ``deployment-0000`` and so on, in the order in which they are made."""

    def __init__(self, scenario: Scenario, namespace: str) -> None:
        self._scenario = scenario
        self._namespace = namespace
        self._made = 0

    def first(self) -> list[Subject]:
        """Return the workloads that the scenario begins with."""
        return [self.one(each) for each in self._scenario.workloads for _ in range(each.count)]

    def one(self, workloads: Workloads) -> Subject:
        """Return one more of ``workloads``."""
        name = f"{workloads.kind.singular}-{self._made:04}"
        self._made += 1
        return Subject(Key(workloads.kind, self._namespace, name), workloads.replicas)


def manifest(subject: Subject, image: str, pod: PodSpec) -> ApiObject:
    """Return the object to create."""
    kind, name = subject.kind, subject.name
    template = _template(name, image, pod)
    if kind is DEPLOYMENT:
        deployment = Deployment()
        deployment.spec.replicas = subject.replicas
        deployment.spec.selector.match_labels[LABEL] = name
        return _named(deployment, subject, template)
    if kind is STATEFUL_SET:
        stateful_set = StatefulSet()
        stateful_set.spec.replicas = subject.replicas
        stateful_set.spec.service_name = name
        stateful_set.spec.selector.match_labels[LABEL] = name
        return _named(stateful_set, subject, template)
    if kind is DAEMON_SET:
        daemon_set = DaemonSet()
        daemon_set.spec.selector.match_labels[LABEL] = name
        return _named(daemon_set, subject, template)
    controller = ReplicationController()
    controller.spec.replicas = subject.replicas
    controller.spec.selector[LABEL] = name
    return _named(controller, subject, template)


def _named(
    message: Deployment | StatefulSet | DaemonSet | ReplicationController, subject: Subject, template: PodTemplateSpec
) -> ApiObject:
    message.metadata.name, message.metadata.namespace = subject.name, subject.key.namespace
    message.spec.template.CopyFrom(template)
    return message


def _template(name: str, image: str, pod: PodSpec) -> PodTemplateSpec:
    template = PodTemplateSpec()
    template.metadata.labels[LABEL] = name
    template.spec.CopyFrom(pod)
    own = next((each for each in template.spec.containers if each.name == CONTAINER), None)
    own = own if own is not None else template.spec.containers.add(name=CONTAINER)
    own.image = image
    return template
