"""``rollplane wait-ready``: the line in a pipeline between starting a plane and using it."""

from __future__ import annotations

import asyncio

from rollplane.core.v1 import Node
from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import Flags, number, seconds
from rollplane_cli.session import Session
from rollplane_client.channel import open_channel
from rollplane_machinery.api import Api, ListQuery
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
    wait = _Wait(session, flags.nodes)
    try:
        async with asyncio.timeout(flags.timeout or None):
            await wait.until_ready()
    except TimeoutError as exc:
        called = wait.address or "the plane of this folder"
        raise CommandError(f"{called} is not ready after {flags.timeout:g} s: {wait.missing}") from exc
    session.console.say(f"{wait.address} is ready")
    return 0


class _Wait:
    """Waits for the plane at ``address``, or at another where one starts meanwhile; ``missing`` says for what of it."""

    def __init__(self, session: Session, nodes: int) -> None:
        self._session = session
        self._nodes = nodes
        self.address = ""
        self.missing = "not asked yet"

    async def until_ready(self) -> None:
        """Wait until the plane is ready, wherever it is by then."""
        while self.missing:
            self.address = self._session.find_server()
            if self.address:
                await self._until_ready_there()
            else:
                self.missing = "it is still starting"
                await self._session.clock.sleep(LOOK_SECONDS)

    async def _until_ready_there(self) -> None:
        """Wait until the plane at ``address`` is ready, or is another's."""
        async with open_channel(self.address) as channel, self._session.connected(self.address) as api:
            peer = Peer(channel, self._session.clock)
            while self._session.find_server() == self.address:
                self.missing = await _missing(peer, self._nodes, api)
                if not self.missing:
                    return
                await self._session.clock.sleep(LOOK_SECONDS)


async def _missing(peer: Peer, nodes: int, api: Api) -> str:
    await peer.ask()
    if trouble := peer.trouble():
        return trouble
    try:
        ready = await _ready_nodes(api) if nodes else 0
    except RollplaneError as exc:  # it was there a moment ago
        return exc.message
    return "" if ready >= nodes else f"{ready} of {nodes} nodes are ready"


async def _ready_nodes(api: Api) -> int:
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
