"""``rollplane up``: the embedded control plane, until Ctrl-C, or in the background until ``rollplane down``."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import lines, optional_number, switch, text
from rollplane_cli.session import Session
from rollplane_machinery.errors import RollplaneError, SetupError
from rollplane_plane.commands.folder import DataFlags, ReleaseFlags, folder_of, release_name
from rollplane_plane.detach import start_detached
from rollplane_plane.kubeconfig import offered, users_file
from rollplane_plane.plane import DEFAULT_PORT, DEFAULT_REST_PORT, EmbeddedPlane, PlaneSettings
from rollplane_service.logs import LogFormat, start_logging
from rollplane_service.presence import claimed


class UpFlags(DataFlags, ReleaseFlags):
    """Flags of ``up``."""

    nodes = optional_number("How many simulated nodes, 0 for none; when not given as many as the pools have, or 10")
    node_pool = lines(
        "Nodes that are alike: name=gpu,count=4,zone=a,zone=b,region=r,type=t,role=worker,cpu=16,memory=64Gi,pods=110,"
        "resource.NAME=4,allocatable.cpu=15,label.KEY=VALUE,taint=KEY=VALUE:EFFECT; may be repeated"
    )
    node_file = text("Pools of nodes in a file, or the nodes of a real cluster: what kubectl get nodes -o yaml shows")
    profile = text("How pods live: instant, realistic, flaky, manual, or a file", default="realistic")
    node_prefix = text("What the names of the nodes begin with", default="node")
    port = optional_number(f"Port of the apiserver, 0 for any; {DEFAULT_PORT} when not given, another if it is taken")
    rest_port = optional_number(
        f"Port of the Kubernetes REST API, 0 for any; {DEFAULT_REST_PORT} when not given, another if it is taken"
    )
    merge_kubeconfig = switch("Make the plane the current context of kubectl for as long as it runs")
    detach = switch("Go on in the background once it is ready; rollplane down ends it", "d")
    controller_qps = optional_number(
        "Writes a second of each controller, 20 as kube-controller-manager; 0: unthrottled "
        "(else $ROLLPLANE_CONTROLLER_QPS, else 0)"
    )
    ignore_webhooks = switch("Keep webhooks and admission policies, which are never called, instead of refusing them")
    log_format = text("How to tell what happens to the plane", default=LogFormat.TEXT, choices=tuple(LogFormat))


async def run(flags: UpFlags, session: Session) -> int:
    """Run the plane until Ctrl-C or SIGTERM; everything it started has ended when this returns."""
    settings = _settings(flags, session)
    if flags.detach:
        return await _detach(settings, flags, session)
    start_logging("warning", session.console.err, LogFormat(flags.log_format))
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    try:
        async with asyncio.TaskGroup() as tasks:
            # A task of its own, so that Ctrl-C also ends a plane that is still starting.
            plane = tasks.create_task(_keep_up(settings, session, merge=flags.merge_kubeconfig))
            await stop.wait()
            plane.cancel()
    except* (RollplaneError, OSError) as group:
        raise CommandError(_words(_first(group))) from group
    return 0


async def _detach(settings: PlaneSettings, flags: UpFlags, session: Session) -> int:
    try:
        session.console.say(await start_detached(settings.data, flags.given, session.console.warn))
    except (SetupError, OSError) as exc:
        raise CommandError(_words(exc)) from exc
    return 0


async def _keep_up(settings: PlaneSettings, session: Session, *, merge: bool) -> None:
    started = session.clock.monotonic()
    has_past = (settings.data / "store").exists()
    merged = users_file(session.environ) if merge else None
    with claimed(settings.data) as claim:
        async with EmbeddedPlane(settings) as plane:
            if has_past and settings.node_names:
                await _part_from_old_nodes(plane, settings, session)
            with offered(plane.rest_url, settings.data, merged) as kubeconfig:
                claim.tell(plane.address)
                seconds = session.clock.monotonic() - started
                session.console.say(
                    f"ready server={plane.address} nodes={len(settings.node_names)} profile={settings.profile} "
                    f"kubernetes={settings.kubernetes} data={settings.data} metrics={','.join(plane.metrics)} "
                    f"rest={plane.rest_url} kubeconfig={kubeconfig} seconds={seconds:.1f}"
                )
                await asyncio.Event().wait()


async def _part_from_old_nodes(plane: EmbeddedPlane, settings: PlaneSettings, session: Session) -> None:
    # A plane without a past does without either.
    from rollplane_client.grpc_api import connect
    from rollplane_plane.old_nodes import remove_old_nodes

    async with connect(plane.address, name="up") as api:
        names = await remove_old_nodes(api, settings.node_prefix, settings.node_names)
    if names:
        session.console.warn(
            f"warning: an earlier run had nodes that this one has not: {_span(names)} removed; "
            "what ran there is made again elsewhere"
        )


def _span(names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{len(names)} nodes ({names[0]} to {names[-1]}) are"


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _settings(flags: UpFlags, session: Session) -> PlaneSettings:
    try:
        return PlaneSettings(
            folder_of(flags),
            port=flags.port,
            rest_port=flags.rest_port,
            nodes=flags.nodes,
            profile=flags.profile,
            node_prefix=flags.node_prefix,
            kubernetes=release_name(flags, session),
            controller_qps=flags.controller_qps,
            ignore_webhooks=flags.ignore_webhooks,
            node_pool=flags.node_pool,
            node_file=str(Path(flags.node_file).absolute()) if flags.node_file else "",
        )
    except (ValueError, RollplaneError, OSError) as exc:
        raise CommandError(_words(exc)) from exc


UP = Command(
    "[--nodes N] [--node-pool POOL]... [--node-file FILE] [--profile NAME|FILE] [--data FOLDER] "
    "[--port PORT] [--rest-port PORT] [--merge-kubeconfig] [--kubernetes RELEASE] "
    "[--controller-qps N] [--ignore-webhooks] [--detach]",
    "Start a whole control plane with simulated nodes; Ctrl-C ends it, its data stay.",
    UpFlags,
    run,
)
