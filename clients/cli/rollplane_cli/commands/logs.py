"""``rollplane logs``."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.core.v1 import Pod
from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.flags import Flags, optional_number, seconds, switch, text
from rollplane_cli.reading import list_all
from rollplane_cli.session import Session
from rollplane_cli.targets import Target, find_targets
from rollplane_client.pod_log import LogOptions, open_log
from rollplane_machinery.api import Key, ListQuery
from rollplane_machinery.kinds import POD
from rollplane_machinery.pods import is_pod_ready
from rollplane_machinery.selectors import pod_selector_of
from rollplane_printing.scene import is_workload

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_SELECTED_LINES = 10
"""Of pods that a selector chose, unless more are asked for."""


class LogsFlags(Flags):
    """Flags of ``logs``."""

    container = text("The container, where the pod has several", "c")
    all_containers = switch("Of all containers, one after the other")
    selector = text("Of all pods with these labels", "l")
    follow = switch("Go on as the log grows, until the container ends", "f")
    previous = switch("Of the run before the last restart", "p")
    timestamps = switch("Begin each line with its time")
    tail = optional_number("No more than so many lines of what there is")
    limit_bytes = optional_number("No more than so many bytes")
    since = seconds("Nothing older than this, as in 5m")


async def run(flags: LogsFlags, session: Session) -> int:
    """Print what containers have told, or tell."""
    for pod in await _pods(flags, session):
        for container in _containers(flags, session, pod):
            await _print(flags, session, pod, container)
    return 0


async def _pods(flags: LogsFlags, session: Session) -> Sequence[Pod]:
    if flags.selector:
        if flags.words:
            raise UsageError("only a selector (-l) or a POD name is allowed")
        return await _selected(session, flags.selector)
    if len(flags.words) not in (1, 2):
        raise UsageError("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'")
    word = flags.words[0]
    target = (await find_targets(session, [word])).items[0] if "/" in word else Target(POD, word)
    return [await _pod_of(session, target)]


async def _pod_of(session: Session, target: Target) -> Pod:
    """Return the pod that is named, or of a workload's the one that has most to tell: a ready one first."""
    api = await session.api()
    found = await api.get(Key(target.kind, session.namespace, target.name))
    if target.kind is POD:
        return found.read_as(Pod)
    workload = found.parse()
    if not is_workload(workload):
        raise CommandError(f"{target.kind.plural} have no pods to ask")
    pods = await _selected(session, str(pod_selector_of(workload)))
    if not pods:
        raise CommandError(f"{target.kind.singular} {target.name} has no pods")
    pod = sorted(pods, key=lambda each: (not is_pod_ready(each), each.metadata.name))[0]
    if len(pods) > 1:
        session.console.warn(f"Found {len(pods)} pods, using pod/{pod.metadata.name}")
    return pod


async def _selected(session: Session, selector: str) -> list[Pod]:
    listed = await list_all(await session.api(), ListQuery(POD, session.namespace, selector))
    return [each.read_as(Pod) for each in listed.objects]


def _containers(flags: LogsFlags, session: Session, pod: Pod) -> list[str]:
    names = [container.name for container in pod.spec.containers]
    if flags.all_containers:
        return [*(container.name for container in pod.spec.init_containers), *names]
    if flags.container or len(flags.words) > 1:
        return [flags.container or flags.words[1]]
    chosen = pod.metadata.annotations.get(DEFAULT_CONTAINER, "")
    if chosen in names:
        return [chosen]
    if len(names) > 1:
        session.console.warn(f'Defaulted container "{names[0]}" out of: {", ".join(names)}')
    return names[:1]


async def _print(flags: LogsFlags, session: Session, pod: Pod, container: str) -> None:
    tail = _SELECTED_LINES if flags.tail is None and flags.selector else flags.tail
    options = LogOptions(
        container=container,
        follow=flags.follow,
        previous=flags.previous,
        timestamps=flags.timestamps,
        tail_lines=None if tail is not None and tail < 0 else tail,
        limit_bytes=flags.limit_bytes,
        since=session.clock.now() - flags.since if flags.since else None,
    )
    key = Key(POD, pod.metadata.namespace, pod.metadata.name)
    async with open_log(await session.api(), key, options, session.clock) as pieces:
        async for piece in pieces:
            session.console.write(piece.decode(errors="replace"))


LOGS = Command(
    "(POD | TYPE/NAME) [-c CONTAINER] [-f] [-p]",
    "Print what the containers of pods have told.",
    LogsFlags,
    run,
)
