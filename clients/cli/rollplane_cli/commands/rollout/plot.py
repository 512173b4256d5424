"""``rollplane rollout plot``: watch a rollout to its end and draw what happened, as SVG or PNG."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane.core.v1 import Pod, ReplicationController
from rollplane_cli.choosing import choose
from rollplane_cli.command import ChoosingFlags, Command, WaitFlags
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import text
from rollplane_cli.output.chart import Count, Recording, check_path, draw
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_client.watching import resumed_watch
from rollplane_machinery.api import Api, EventType, Key, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.errors import UnsupportedError
from rollplane_machinery.kinds import POD, ApiObject
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import is_pod_ready
from rollplane_machinery.selectors import pod_selector_of
from rollplane_page.recorder import revision_of
from rollplane_planners.limits import ROLLING_UPDATE, limits_of
from rollplane_printing.sentences import path_of


class PlotFlags(ChoosingFlags, WaitFlags):
    """Flags of ``rollout plot``."""

    file = text("Where to draw; the name ends in .svg or .png", default="rollout.svg")


async def run(flags: PlotFlags, session: Session) -> int:
    """Record the rollout of the workload named until it is done or has failed, then draw it."""
    path = check_path(flags.file)
    chosen = await choose(flags, session)
    if len(chosen.found) != 1:
        raise CommandError("name one workload to plot")
    found = chosen.found[0]
    workload = found.parse()
    recorder = _Recorder(_recording(path_of(found.key.kind, found.key.name), workload), session)
    with told_as_own(), suppress(TimeoutError):
        async with asyncio.timeout(flags.timeout or None):
            await recorder.record(await session.api(), found.key, _selector(workload))
    draw(recorder.recording, path)
    session.console.say(f"{path}: {recorder.recording.end:.1f} s, {_counted(recorder.recording)}")
    return chosen.exit_code


def _counted(recording: Recording) -> str:
    count = len(recording.versions)
    return "1 version" if count == 1 else f"{count} versions"


class _Recorder:
    """Counts a workload's pods by their version, from one watch."""

    def __init__(self, recording: Recording, session: Session) -> None:
        self.recording = recording
        self._clock = session.clock
        self._pods: dict[str, Pod] = {}
        self._started = session.clock.monotonic()

    async def record(self, api: Api, key: Key, selector: str) -> None:
        """Follow pods until the rollout has ended and the last old pod is gone."""
        query = WatchQuery((WatchFilter(POD, (key.namespace,), selector),), send_initial_state=True)
        async with resumed_watch(api, query, self._clock) as batches, asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(_ended(api, key))
            async for batch in batches:
                self._take(batch)
                if ending.done() and not any(is_being_deleted(pod.metadata) for pod in self._pods.values()):
                    break
            ending.cancel()

    def _take(self, batch: WatchBatch) -> None:
        for event in batch.events:
            pod = Pod.FromString(event.object.value)
            if event.type is EventType.DELETED:
                self._pods.pop(pod.metadata.uid, None)
            else:
                self._pods[pod.metadata.uid] = pod
        if batch.revision or batch.initial_state_complete:
            self._count(self._clock.monotonic() - self._started)

    def _count(self, at: float) -> None:
        by_version: dict[str, list[Pod]] = {version: [] for version in self.recording.versions}
        for pod in self._pods.values():
            by_version.setdefault(revision_of(pod), []).append(pod)
        for version, pods in by_version.items():
            ready = sum(is_pod_ready(pod) and not is_being_deleted(pod.metadata) for pod in pods)
            self.recording.note(version, Count(at, len(pods), ready))


async def _ended(api: Api, key: Key) -> None:
    """Return when the rollout is done or has failed; a kind without a rollout status is watched until time runs out."""
    try:
        async with api.rollout_status(key) as looks:
            async for _ in looks:
                continue
    except UnsupportedError:
        await asyncio.Event().wait()


def _recording(title: str, workload: ApiObject) -> Recording:
    """Return an empty recording with the bounds that the workload's strategy sets."""
    if not isinstance(workload, Deployment):
        desired = workload.spec.replicas if isinstance(workload, StatefulSet | ReplicationController) else 0
        return Recording(title, desired)
    replicas = workload.spec.replicas
    if workload.spec.strategy.type != ROLLING_UPDATE:
        return Recording(title, replicas)
    limits = limits_of(workload.spec)
    return Recording(title, replicas, limits.min_available, limits.max_total)


def _selector(workload: ApiObject) -> str:
    if isinstance(workload, Deployment | StatefulSet | DaemonSet | ReplicationController):
        return str(pod_selector_of(workload))
    raise CommandError("only a Deployment, StatefulSet, DaemonSet or ReplicationController can be plotted")


PLOT = Command(
    "(TYPE NAME | TYPE/NAME) --file PICTURE.svg",
    "Watch a rollout to its end and draw how its versions took turns.",
    PlotFlags,
    run,
)
