"""Replays the recorded kubectl session with ``rollplane``, over a state that is brought to what the record had."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rollplane.apps.v1 import (
    ControllerRevision,
    DaemonSet,
    Deployment,
    DeploymentCondition,
    ReplicaSet,
    StatefulSet,
)
from rollplane.core.v1 import Event, EventSource, ObjectReference, Pod, ReplicationController, Service
from rollplane.meta.v1 import ObjectMeta
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.times import time_of
from rollplane_rules.registry.addresses import Ranges
from tests.clients.cli.commands import Ran
from tests.clients.cli.stand_in import StandIn
from tests.clients.cli.transcript import Entry, read_transcript

RECORDED_WITH = CoreSettings(ranges=Ranges.parse("10.0.0.0/24"))
"""What the recorded control plane was set to."""

WEB = "nginx-deployment"
FIRST_PODS = {"b8p47": "fake-4", "gbnq8": "fake-1", "nj4q4": "fake-5"}
V1, V2, V3, RESTARTED, BROKEN = "5d59d67564", "69c44dfb78", "55dc4587bc", "857c95c59b", "7f8d4c7b5d"

MANIFESTS = {
    "nginx-deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx-deployment}
spec:
  replicas: 3
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      containers:
      - {name: nginx, image: "nginx:1.7.9", ports: [{containerPort: 80}]}
""",
    "web-sts.yaml": """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: 2
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "app:1"}]}
""",
    "agent-ds.yaml": """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: c, image: "app:1"}]}
""",
    "rc.yaml": """\
apiVersion: v1
kind: ReplicationController
metadata: {name: redis-master}
spec:
  replicas: 2
  selector: {app: redis}
  template:
    metadata: {labels: {app: redis}}
    spec: {containers: [{name: redis, image: "redis:1.0"}]}
""",
}


def write_manifests(folder: Path) -> None:
    """Put the recorded session's files into ``folder``/m."""
    (folder / "m").mkdir()
    for name, text in MANIFESTS.items():
        (folder / "m" / name).write_text(text)


@dataclass(frozen=True)
class Counts:
    """One state of a rollout."""

    updated: int
    total: int
    available: int


_NEW = re.compile(r"(\d+) out of (\d+) new")
_OLD = re.compile(r"(\d+) old replicas")
_AVAILABLE = re.compile(r"(\d+) of (\d+) updated")


def states(lines: list[str], wanted: int) -> Iterator[Counts]:
    """Return a state for each line that ``rollout status`` printed; lines that repeat differ in what is available."""
    for at, line in enumerate(lines):
        if found := _NEW.search(line):
            yield Counts(int(found[1]), wanted, 1 + at % 2)
        elif found := _OLD.search(line):
            yield Counts(wanted, wanted + int(found[1]), 1 + at % 2)
        elif found := _AVAILABLE.search(line):
            yield Counts(wanted, wanted, int(found[1]))
        else:
            yield Counts(wanted, wanted, wanted)


class Started(Protocol):
    """A command that runs."""

    async def begun(self) -> None:
        """Wait for its first line."""

    async def end(self) -> Ran:
        """Wait for its end."""
        ...


class Replayed(Protocol):
    """The program the record is replayed with: ours, or kubectl itself."""

    async def run(self, *line: str, **environ: str) -> Ran:
        """Carry out one command to its end."""
        ...

    async def start(self, *line: str) -> Started:
        """Begin a command."""
        ...


class LateClock(SystemClock):
    """The machine's clock, some minutes late, so that a replay can let seconds pass where the record had them."""

    def __init__(self) -> None:
        self.late_seconds = 300.0

    def now(self) -> float:
        return super().now() - self.late_seconds


class Replay:
    """One replay of the whole session, in order."""

    def __init__(self, cli: Replayed, world: StandIn, clock: LateClock) -> None:
        self._cli = cli
        self._world = world
        self._clock = clock
        self._before: dict[int, Callable[[], Awaitable[object]]] = {
            1: self._nodes,
            2: self._first_rollout,
            10: lambda: self._world.replica_set(WEB, V2),
            17: lambda: self._world.replica_set(WEB, V3),
            19: lambda: self._world.replica_set(WEB, V2),
            22: lambda: self._world.replica_set(WEB, V1),
            31: lambda: self._world.replica_set(WEB, RESTARTED),
            34: self._scaled,
            35: self._no_events,
            43: lambda: self._world.replica_set(WEB, BROKEN),
            44: lambda: self._world.counts(WEB, updated=3, total=6, available=4),
            47: lambda: self._stateful_set("web-845964dc9d", 1, updated=2),
            50: lambda: self._stateful_set("web-67778f5d5f", 2, updated=2),
            54: lambda: self._renumber("web-845964dc9d", 3),
            57: lambda: self._stateful_set("web-7857d7c77b", 4, updated=1),
            60: lambda: self._described(60, StatefulSet, "web", 2),
            61: self._no_events,
            62: lambda: self._daemon_set("agent-576546df78", 1),
            65: lambda: self._daemon_set("agent-66c6cbbcf", 2),
            68: lambda: self._renumber("agent-576546df78", 3),
            69: lambda: self._described(69, DaemonSet, "agent", 6),
            70: self._no_events,
            71: lambda: self._world.ready_replication_controller("redis-master"),
            72: lambda: self._described(72, ReplicationController, "redis-master", 2),
            73: self._no_events,
            75: self._listed_events,
            83: self._collected,
        }

    async def run(self) -> dict[int, Ran]:
        """Return what every replayed command came to, by its number in the record."""
        ran: dict[int, Ran] = {}
        for entry in read_transcript():
            self._clock.late_seconds -= 1
            if prepare := self._before.get(entry.number):
                await prepare()
            ran[entry.number] = await self._run(entry)
        return ran

    async def _run(self, entry: Entry) -> Ran:
        line = [word.replace("--timeout=3s", "--timeout=200ms") for word in entry.line]
        if line[:2] == ["rollout", "status"] and "finish" in entry.out:
            return await self._follow(entry, line)
        return await self._cli.run(*line, EDITOR="true")

    async def _follow(self, entry: Entry, line: list[str]) -> Ran:
        """Take the workload through the states that the record's lines tell of, while the command looks on."""
        kind = DaemonSet if "daemonset" in line[2] else Deployment
        first, *rest = states(entry.out_lines, await self._wanted(kind))
        await self._report(kind, first)
        command = await self._cli.start(*line)
        await command.begun()
        for state in rest:
            await self._report(kind, state)
        return await command.end()

    async def _wanted(self, kind: type[DaemonSet | Deployment]) -> int:
        return 6 if kind is DaemonSet else (await self._world.get(Deployment, WEB)).spec.replicas

    async def _report(self, kind: type[DaemonSet | Deployment], state: Counts) -> None:
        if kind is DaemonSet:
            await self._world.daemon_counts("agent", desired=6, updated=state.updated, available=state.available)
        else:
            await self._world.counts(WEB, updated=state.updated, total=state.total, available=state.available)

    async def _nodes(self) -> None:
        await self._world.nodes([f"fake-{number}" for number in range(6)])

    async def _first_rollout(self) -> None:
        replica_set = await self._world.replica_set(WEB, V1)
        for suffix, node in FIRST_PODS.items():
            await self._world.pod(replica_set, f"{replica_set.metadata.name}-{suffix}", node=node)
        await self._world.counts(WEB, updated=3, total=3, available=3)

    async def _stateful_set(self, revision: str, number: int, *, updated: int) -> None:
        await self._world.controller_revision(await self._world.get(StatefulSet, "web"), revision, number)
        await self._world.ready_stateful_set("web", updated=updated)

    async def _daemon_set(self, revision: str, number: int) -> None:
        await self._world.controller_revision(await self._world.get(DaemonSet, "agent"), revision, number)
        await self._world.daemon_counts("agent", desired=6, updated=6, available=6)

    async def _renumber(self, name: str, number: int) -> None:
        def change(revision: ControllerRevision) -> None:
            revision.revision = number

        await self._world.update(ControllerRevision, name, change)

    async def _scaled(self) -> None:
        """What the controller had made of the scaling, and the events of the record."""

        def conditions(deployment: Deployment) -> None:
            del deployment.status.conditions[:]
            for type_, reason in (("Progressing", "NewReplicaSetAvailable"), ("Available", "MinimumReplicasAvailable")):
                deployment.status.conditions.append(DeploymentCondition(type=type_, status="True", reason=reason))

        await self._world.resize(f"{WEB}-{RESTARTED}", 5)
        await self._world.counts(WEB, updated=5, total=5, available=5)
        await self._world.set_status(Deployment, WEB, conditions)
        await self._events_of(await self._world.get(Deployment, WEB), 34)

    async def _described(
        self, number: int, kind: type[StatefulSet | DaemonSet | ReplicationController], name: str, pods: int
    ) -> None:
        """A workload's running pods, and the events of the record."""
        workload = await self._world.get(kind, name)
        for ordinal in range(pods):
            await self._world.pod(workload, f"{name}-{ordinal}")
        await self._events_of(workload, number)

    async def _events_of(self, message: ApiObject, number: int) -> None:
        """The events of a description, told by the record itself: what is tested is how they are printed."""
        lines = read_transcript()[number - 1].out_lines
        for at, line in enumerate(lines[lines.index("Events:") + 3 :]):
            type_, reason, seen, source, text = re.split(r" {2,}", line.strip(), maxsplit=4)
            count = re.search(r"x(\d+)", seen)
            await self._event(message, at, type_, reason, source, text, int(count[1]) if count else 1)

    async def _listed_events(self) -> None:
        deployment = await self._world.get(Deployment, WEB)
        for at, line in enumerate(read_transcript()[74].out_lines[1:]):
            _, type_, reason, _, text = re.split(r" {2,}", line)
            await self._event(deployment, at, type_, reason, "deployment-controller", text, 1)

    async def _event(
        self, message: ApiObject, at: int, type_: str, reason: str, source: str, text: str, count: int
    ) -> None:
        name = message.metadata.name
        event = Event(metadata=ObjectMeta(name=f"{name}.{at:02}", namespace="default"))
        involved = ObjectReference(kind=type(message).__name__, namespace="default", name=name)
        involved.uid = message.metadata.uid
        event.involved_object.CopyFrom(involved)
        event.type, event.reason, event.message, event.count = type_, reason, text, count
        event.source.CopyFrom(EventSource(component=source))
        event.first_timestamp.CopyFrom(time_of(1_700_000_000))
        event.last_timestamp.CopyFrom(time_of(1_700_000_000 + at))
        await self._world.create(event)

    async def _no_events(self) -> None:
        for event in await self._world.list(Event):
            await self._world.remove(event)

    async def _collected(self) -> None:
        """What the garbage collector does behind the deletions, and the service every cluster has."""
        gone: list[ApiObject] = [*await self._world.list(ReplicaSet), *await self._world.list(Pod)]
        for message in gone:
            await self._world.remove(message)
        service = Service(metadata=ObjectMeta(name="kubernetes", namespace="default"))
        service.spec.cluster_ip = "10.0.0.1"
        service.spec.ports.add(name="https", port=443, protocol="TCP")
        await self._world.create(service)
