"""StatefulSet, DaemonSet and ReplicationController on a plane of real processes, some of them killed on the way.

All kinds share one plane and one invariant checker; each step of each kind is a test of its own. A node that is added
and lost is one story for all of them.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from rollplane.core.v1 import ConfigMap, Node, Pod
from rollplane_cli.console import Console
from rollplane_client.grpc_api import connect
from rollplane_machinery.api import Create, Key
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.kinds import NODE, Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import is_pod_ready
from rollplane_plane.demo import theatre
from rollplane_plane.demo.theatre import StoryError, Theatre
from rollplane_plane.killer import killers_of
from rollplane_plane.plane import EmbeddedPlane, PlaneSettings
from tests.end_to_end.up_process import COMMAND

pytestmark = pytest.mark.long

PACE = """
name: quick
rules:
  - {stage: pull, match: {image: ["*:404"]}, outcome: fail}
  - {stage: ready, match: {image: ["*:held-*"]}, outcome: never}
  - {stage: ready, match: {image: ["*:slow-*"]}, delay: 0.7}
  - {stage: ready, delay: 0.1}
  - {stage: terminate, delay: 0.05}
"""
MANIFEST = """
apiVersion: VERSION
kind: KIND
metadata: {name: NAME}
spec:
  selector: SELECTOR
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers: [{name: app, image: "NAME:1"}]
      tolerations:
        - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1}
"""
SIZE = 3
"""How many pods each kind has; there are as many nodes, so that this holds for the DaemonSet too."""
EXTRA = "extra-0"
QUICK_NODES = {
    # Leases are renewed every ten seconds.
    "ROLLPLANE_NODE_GRACE_SECONDS": "11",
    "ROLLPLANE_NODE_STARTUP_GRACE_SECONDS": "12",
    "ROLLPLANE_NODE_MONITOR_SECONDS": "0.2",
    "ROLLPLANE_NODE_EVICTION_RATE": "10",
}
QUICK_UPDATE = "--update-period=0s --poll-interval=0s"
WAIT_SECONDS = 25.0
STEP_SECONDS = 40.0


class Workload:
    """One workload under test, and what can be seen of it."""

    def __init__(self, on: Theatre, server: str, resource: str, name: str) -> None:
        self.on = on
        self.server = server
        self.name = name
        self.target = f"{resource}/{name}"

    async def update(self) -> None:
        """Update to another image, to the end."""
        raise NotImplementedError

    async def roll_back(self) -> None:
        """Go back to the image before."""
        raise NotImplementedError

    async def bad_image(self) -> None:
        """Update to an image that cannot be pulled, be told so, and heal."""
        raise NotImplementedError

    @asynccontextmanager
    async def updating(self, tag: str) -> AsyncIterator[None]:
        """Begin an update; the context is entered when it is half-way, and left when it is complete."""
        raise NotImplementedError
        yield

    async def lose_client(self) -> None:
        """Interrupt a client half-way: the update goes on."""
        raise NotImplementedError

    async def pods(self) -> list[Pod]:
        return await self.on.pods(self.name)

    async def tag(self) -> str:
        """Return the tag of the image that runs, when all pods have the same."""
        (image,) = {pod.spec.containers[0].image for pod in await self.pods()}
        return image.partition(":")[2]

    def image(self, tag: str) -> str:
        return f"{self.name}:{tag}"

    async def runs(self, tag: str, size: int = SIZE) -> None:
        """Wait until there are ``size`` pods, all ready and of this image."""

        async def holds() -> bool:
            found = [(is_pod_ready(pod), pod.spec.containers[0].image) for pod in await self.pods()]
            return found == [(True, self.image(tag))] * size

        await self.on.until(f"{self.target} has {size} ready pods of {self.image(tag)}, and no others", holds)

    async def ready(self, tag: str) -> int:
        """Return how many pods of this image are ready."""
        pods = await self.pods()
        return sum(is_pod_ready(pod) and pod.spec.containers[0].image == self.image(tag) for pod in pods)

    async def half_way(self, old: str, new: str) -> None:
        """Wait until the first pods of a new image are ready; old ones must still be there."""

        async def holds() -> bool:
            return await self.ready(new) > 0

        await self.on.until(f"{self.target} has a ready pod of {new}", holds)
        _must(await self.ready(old) > 0, f"{self.target} is caught half-way")

    @asynccontextmanager
    async def client(self, line: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a command in a process of its own, from its first words on; it is killed with the context."""
        environ = {**os.environ, "ROLLPLANE_SERVER": self.server}
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *line.split(), env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        try:
            if not await process.stdout.readline():
                raise StoryError(f"`{line}` says nothing but {(await process.communicate())[1]!r}")
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


class Rolled(Workload):
    """A StatefulSet or DaemonSet: it rolls when its template changes."""

    async def update(self) -> None:
        await self._set_image("2")
        shown = await self.on.command(f"rollout status {self.target}")
        ends = ("rolling update complete", "successfully rolled out", "roll out complete")
        _must(any(end in shown.out.splitlines()[-1] for end in ends), f"status tells the end: {shown.out}")
        await self.runs("2")

    async def roll_back(self) -> None:
        await self.on.command(f"rollout undo {self.target}")
        await self.runs("1")
        await self.on.command(f"rollout undo {self.target} --to-revision=2")
        await self.runs("2")

    async def bad_image(self) -> None:
        await self._set_image("404")
        shown = await self.on.command(f"rollout status {self.target}", code=1)
        _must("ImagePull" in shown.err or "cannot be pulled" in shown.err, f"status names the reason: {shown.err}")
        _must(await self.ready("2") == SIZE - 1, "one pod at a time is risked")
        await self.on.command(f"rollout undo {self.target}")
        if self.target.startswith("statefulset"):
            # The documented trap of OrderedReady: the set waits for the broken pod, until that is deleted.
            await self.on.command(f"delete pod {self.name}-{SIZE - 1}")
        await self.runs("2")

    @asynccontextmanager
    async def updating(self, tag: str) -> AsyncIterator[None]:
        old = await self.tag()
        await self._set_image(tag)
        await self.half_way(old, tag)
        yield
        await self.on.command(f"rollout status {self.target}")
        await self.runs(tag)

    async def lose_client(self) -> None:
        old = await self.tag()
        await self._set_image("held-client")
        async with self.client(f"rollout status {self.target}") as watching:
            await self._make_ready("held-client", 1)
            await self.half_way(old, "held-client")
            before = await self._template()
            watching.send_signal(signal.SIGINT)
            await watching.wait()
        _must(watching.returncode not in (None, 0), f"an interrupted client has not succeeded: {watching.returncode}")
        await self._make_ready("held-client", SIZE)
        await self.runs("held-client")
        _must(await self._template() == before, "the interrupted client changed nothing")

    async def _make_ready(self, tag: str, count: int) -> None:
        """Order pods of a held image to become ready, each when it is there, until ``count`` are.

        They wait for that, however slow the machine is: the update stands still where it is wanted.
        """

        async def are_ready() -> bool:
            pods = [pod for pod in await self.pods() if pod.spec.containers[0].image == self.image(tag)]
            ready = sum(map(is_pod_ready, pods))
            waiting = [pod.metadata.name for pod in pods if not is_pod_ready(pod) and pod.spec.node_name]
            if waiting and ready < count:
                await self.on.command(f"sim ready {waiting[0]}")
            return ready >= count

        await self.on.until(f"{self.target} has {count} ready pods of {tag}", are_ready)

    async def _set_image(self, tag: str) -> None:
        await self.on.command(f"set image {self.target} app={self.image(tag)}")

    async def _template(self) -> tuple[int, str]:
        """Return what only an order can change."""
        found = json.loads((await self.on.command(f"get {self.target} -o json")).out)
        return found["metadata"]["generation"], json.dumps(found["spec"])


class Replaced(Workload):
    """A ReplicationController: another one takes its place, and its name."""

    async def update(self) -> None:
        shown = await self.on.command(self._line("2"))
        _must(shown.out.endswith(f'replicationcontroller "{self.name}" rolling updated\n'), "the end is told")
        await self._ends("2")

    async def roll_back(self) -> None:
        async with self.client(self._line("slow-back")):
            await self.half_way("2", "slow-back")
        shown = await self.on.command(f"rolling-update {self.name} --rollback {QUICK_UPDATE}")
        _must(f'rolling updated to "{self.name}"' in shown.out, "the old controller is back")
        await self._ends("2")

    async def bad_image(self) -> None:
        shown = await self.on.command(f"{self._line('404')} --timeout=1s", code=1)
        _must("timed out waiting for any update progress" in shown.err, f"the reason is told: {shown.err}")
        _must(await self.ready("2") == SIZE, "no pod is given up for one that cannot start")
        await self.on.command(f"rolling-update {self.name} --rollback {QUICK_UPDATE}")
        await self._ends("2")

    @asynccontextmanager
    async def updating(self, tag: str) -> AsyncIterator[None]:
        old = await self.tag()
        async with self.client(self._line(tag)) as client:
            await self.half_way(old, tag)
            yield
            out, err = await client.communicate()
        _must(client.returncode == 0, f"the client sees the end, not {out!r} {err!r}")
        await self._ends(tag)

    async def lose_client(self) -> None:
        old = await self.tag()
        async with self.client(self._line("slow-client")):
            await self.half_way(old, "slow-client")
        before = await self.ready("slow-client")

        async def goes_on() -> bool:
            return await self.ready("slow-client") > before

        await self.on.until("the update goes on without its client", goes_on)
        shown = await self.on.command(self._line("slow-client"))
        _must("resuming." in shown.out, f"the command attaches again: {shown.out}")
        await self._ends("slow-client")

    def _line(self, tag: str) -> str:
        return f"rolling-update {self.name} --image={self.image(tag)} {QUICK_UPDATE}"

    async def _ends(self, tag: str) -> None:
        """Wait for the pods; one controller is left, under the old name."""
        await self.runs(tag)
        shown = await self.on.command("get rc -o name")
        _must(shown.out.split() == [f"replicationcontroller/{self.name}"], f"one is left: {shown.out}")


STEPS = ("update", "roll_back", "bad_image", "lose_client", "kill_controller")
KINDS: Mapping[str, tuple[type[Workload], str]] = {
    "StatefulSet": (Rolled, "db"),
    "DaemonSet": (Rolled, "agent"),
    "ReplicationController": (Replaced, "web"),
}
NODE_STEPS = ("node added", "node lost")


@dataclass(frozen=True, slots=True)
class Played:
    """What each step came to: "" for a step that came out right, None for one that was not reached."""

    outcomes: Mapping[tuple[str, str], str | None]
    violations: Sequence[str]
    events: int
    breaks: int


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUICK_NODES.items():
            patch.setenv(name, value)
        patch.setattr(theatre, "WAIT_SECONDS", WAIT_SECONDS)
        return asyncio.run(_play_all(tmp_path_factory.mktemp("kinds")))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", KINDS)
def test_kind_comes_through(played: Played, kind: str, step: str) -> None:
    assert played.outcomes.get((kind, step)) == ""


@pytest.mark.parametrize("step", NODE_STEPS)
def test_all_kinds_come_through(played: Played, step: str) -> None:
    assert played.outcomes.get(("all", step)) == ""


def test_no_invariant_is_broken_meanwhile(played: Played) -> None:
    assert played.violations == []
    assert played.breaks == 0  # the checker has missed nothing
    assert played.events > 300


async def _play_all(data: Path) -> Played:
    outcomes: dict[tuple[str, str], str | None] = {}
    settings = PlaneSettings(data, port=0, nodes=SIZE, profile="instant")
    async with EmbeddedPlane(settings) as plane, connect(plane.address, name="kinds") as api:
        silent = io.StringIO()
        stage = Theatre(api, plane.address, Console(silent, silent, silent), SystemClock())
        await api.write(Create(Encoded.of(_pace())))
        async with stage.watched():
            story = Story(plane, stage, data)
            await story.create()
            for kind, workload in story.workloads.items():
                for step in STEPS:
                    outcomes[kind, step] = await _outcome(story.step(workload, step))
            async with story.another_fleet() as fleet:
                outcomes["all", "node added"] = await _outcome(story.add_node())
                outcomes["all", "node lost"] = await _outcome(story.lose_node(fleet))
        witness = stage.witness
        return Played(outcomes, witness.at_rest(), witness.events, witness.breaks)


async def _outcome(step: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(STEP_SECONDS):
            await step
    except (StoryError, TimeoutError) as exc:
        return f"{type(exc).__name__}: {exc}"
    return ""


class Story:
    """The workloads on their plane."""

    def __init__(self, plane: EmbeddedPlane, on: Theatre, folder: Path) -> None:
        self._plane = plane
        self._on = on
        self._folder = folder
        self.workloads = {kind: made(on, plane.address, kind.lower(), name) for kind, (made, name) in KINDS.items()}

    async def create(self) -> None:
        for kind, workload in self.workloads.items():
            path = self._folder / f"{workload.name}.yaml"
            path.write_text(_manifest(kind, workload.name))
            await self._on.command(f"apply -f {path}")
            await workload.runs("1")

    async def step(self, workload: Workload, step: str) -> None:
        if step == "kill_controller":
            await self._kill_controller(workload)
        else:
            await getattr(workload, step)()

    async def _kill_controller(self, workload: Workload) -> None:
        lives = self._plane.controller.restarts
        async with workload.updating("slow-kill"):
            await killers_of(self._plane)["controller"]()
        _must(self._plane.controller.restarts == lives + 1, "the controller has begun another life")

    @asynccontextmanager
    async def another_fleet(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a second fleet of one node."""
        ports = ("--health-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
        flags = ("--server", self._plane.address, *ports, "--profile", "instant")
        fleet = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rollplane_kubelet_sim", "--nodes", "1", "--node-prefix", "extra", *flags),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            yield fleet
        finally:
            if fleet.returncode is None:
                fleet.kill()
            await fleet.communicate()

    async def add_node(self) -> None:
        """The DaemonSet takes the new node at once, the others when they grow and only it may be used."""
        await self.workloads["DaemonSet"].runs("slow-kill", SIZE + 1)
        for number in range(SIZE):
            await self._on.command(f"cordon node-{number}")
        for kind in ("StatefulSet", "ReplicationController"):
            workload = self.workloads[kind]
            await self._on.command(f"scale {workload.target} --replicas={SIZE + 1}")
            await workload.runs("slow-kill", SIZE + 1)
        for number in range(SIZE):
            await self._on.command(f"uncordon node-{number}")
        found = [pod.metadata.labels["app"] for pod in await self._pods_on_extra()]
        _must(found == [one.name for one in self.workloads.values()], f"each has a pod on the new node: {found}")

    async def lose_node(self, fleet: asyncio.subprocess.Process) -> None:
        """The node dies in silence. Only the ReplicationController replaces its pod before an operator steps in.

        A StatefulSet never has two pods of one name, and a daemon belongs to its node as long as that exists.
        """
        fleet.kill()
        await self._on.until("the node is known to be lost", self._is_lost)
        await self._on.until("the others have replaced and given up their pods", self._is_given_up)
        stateful, daemon, replicated = [len(await one.pods()) for one in self.workloads.values()]
        _must((stateful, daemon, replicated) == (SIZE + 1, SIZE + 1, SIZE + 2), "nothing on a silent node is forgotten")
        lost = [pod.metadata.name for pod in await self._pods_on_extra()]
        await self._on.command(f"delete node {EXTRA}")
        await self._on.command(f"delete pod {' '.join(lost)} --force --grace-period=0")
        for kind, workload in self.workloads.items():
            await workload.runs("slow-kill", SIZE if kind == "DaemonSet" else SIZE + 1)
        _must(not await self._pods_on_extra(), "nothing is left of it")

    async def _is_given_up(self) -> bool:
        lost = await self._pods_on_extra()
        going = {pod.metadata.labels["app"] for pod in lost if is_being_deleted(pod.metadata)}
        expected = {self.workloads[kind].name for kind in ("StatefulSet", "ReplicationController")}
        replaced = await self.workloads["ReplicationController"].ready("slow-kill") == SIZE + 1
        return replaced and going == expected and not any(map(is_pod_ready, lost))

    async def _pods_on_extra(self) -> list[Pod]:
        """Return the pods on the node that comes and goes."""
        pods = [pod for workload in self.workloads.values() for pod in await workload.pods()]
        return [pod for pod in pods if pod.spec.node_name == EXTRA]

    async def _is_lost(self) -> bool:
        node = (await self._on.api.get(Key(NODE, "", EXTRA))).parse()
        assert isinstance(node, Node)
        ready = get_condition(node.status.conditions, "Ready")
        return ready is not None and ready.status == "Unknown"


def _manifest(kind: str, name: str) -> str:
    is_oldest = kind == "ReplicationController"
    version = "v1" if is_oldest else "apps/v1"
    selector = f"{{app: {name}}}" if is_oldest else f"{{matchLabels: {{app: {name}}}}}"
    sized = "" if kind == "DaemonSet" else f"  replicas: {SIZE}\n"
    sized += f"  serviceName: {name}\n" if kind == "StatefulSet" else ""
    text = MANIFEST.replace("VERSION", version).replace("KIND", kind).replace("NAME", name)
    return text.replace("SELECTOR", selector) + sized


def _pace() -> ConfigMap:
    pace = ConfigMap()
    pace.metadata.namespace, pace.metadata.name = "kube-system", "rollplane-simulation"
    pace.data["profile.yaml"] = PACE
    return pace


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise StoryError(f"this must hold: {what}")
