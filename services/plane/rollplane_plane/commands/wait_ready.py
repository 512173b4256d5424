"""``rollplane wait-ready``: the line in a pipeline between starting a plane and using it."""

from __future__ import annotations

import asyncio

from rollplane.core.v1 import Node
from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import Flags, number, seconds
from rollplane_cli.session import Session
from rollplane_client.channel import open_channel
from rollplane_machinery.api import ListQuery
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import NODE
from rollplane_machinery.nodes import is_node_ready
from rollplane_service.peer import Peer

LOOK_SECONDS = 0.1
DEFAULT_SECONDS = 60.0


class WaitReadyFlags(Flags):
    """Flags of ``wait-ready``."""

    nodes = number("Wait until so many nodes are ready, too", default=0)
    timeout = seconds("How long to wait, such as 30s or 5m; 0s is for ever", default=DEFAULT_SECONDS)


async def run(flags: WaitReadyFlags, session: Session) -> int:
    """Wait until the server is ready; exit code 1 with what is missing when the time is up."""
    missing = "not asked yet"
    try:
        async with asyncio.timeout(flags.timeout or None), open_channel(session.server) as channel:
            peer = Peer(channel, session.clock)
            while missing := await _missing(peer, flags.nodes, session):
                await session.clock.sleep(LOOK_SECONDS)
    except TimeoutError as exc:
        raise CommandError(f"{session.server} is not ready after {flags.timeout:g} s: {missing}") from exc
    session.console.say(f"{session.server} is ready")
    return 0


async def _missing(peer: Peer, nodes: int, session: Session) -> str:
    await peer.ask()
    if trouble := peer.trouble():
        return trouble
    try:
        ready = await _ready_nodes(session) if nodes else 0
    except RollplaneError as exc:  # it was there a moment ago
        return exc.message
    return "" if ready >= nodes else f"{ready} of {nodes} nodes are ready"


async def _ready_nodes(session: Session) -> int:
    api = await session.api()
    ready, token = 0, ""
    while True:
        page = await api.list(ListQuery(NODE, continue_token=token))
        ready += sum(is_node_ready(Node.FromString(encoded.value)) for encoded in page.objects)
        token = page.continue_token
        if not token:
            return ready


WAIT_READY = Command(
    "[--nodes N] [--timeout DURATION]",
    "Wait until the control plane takes reads and writes, and so many nodes are ready.",
    WaitReadyFlags,
    run,
)
