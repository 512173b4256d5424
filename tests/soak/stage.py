"""A plane with two of everything, a proxy between every two processes, and the handles to break each."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from rollplane_apiserver.store.server import find_server
from tests.soak.processes import READY_SECONDS, Process, StoreServer, redis_command, redis_info, service, wait_for_port
from tests.soak.proxy import HOST, FaultProxy, free_ports, serving

APISERVERS = CONTROLLERS = FLEETS = 2
NODES = 4
"""Nodes of each fleet."""

RIGHT_SETTINGS: Mapping[str, str] = MappingProxyType(
    {"maxmemory": "0", "maxmemory-policy": "noeviction", "min-replicas-to-write": "0"}
)
"""Of a store, as an operator sets it up."""


@dataclass(slots=True)
class Stage:
    """What runs, by name. ``store`` is the master of the moment, ``replica`` copies it."""

    folder: Path
    store: StoreServer
    replica: StoreServer
    apiservers: Sequence[Process]
    controllers: Sequence[Process]
    fleets: Sequence[Process]
    store_links: Sequence[FaultProxy]
    api_links: Sequence[FaultProxy]
    client_links: Sequence[FaultProxy]
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def servers(self) -> str:
        """The addresses that clients of this run use."""
        return _addresses(self.client_links)

    @property
    def links(self) -> Sequence[FaultProxy]:
        """All that can be cut."""
        return (*self.store_links, *self.api_links, *self.client_links)

    @property
    def services(self) -> Sequence[Process]:
        """All but the store."""
        return (*self.apiservers, *self.controllers, *self.fleets)

    def count(self, what: str, number: int = 1) -> None:
        """Note that something was done."""
        self.figures[what] = self.figures.get(what, 0) + number

    async def replica_is_whole(self) -> bool:
        """Return whether the replica follows its master without a gap, so that it may be promoted."""
        try:
            told = await redis_info(self.replica.port, "replication")
        except OSError:
            return False
        return told.get("master_link_status") == "up" and told.get("master_sync_in_progress") == "0"

    async def demote(self) -> None:
        """Promote the replica, and let the former master follow it, as an operator fails over."""
        await redis_command(self.replica.port, "REPLICAOF", "NO", "ONE")
        self.store.follows, self.replica.follows = self.replica.port, 0
        self.store, self.replica = self.replica, self.store
        for link in self.store_links:
            link.target = self.store.port
            link.cut()
        await redis_command(self.replica.port, "REPLICAOF", HOST, str(self.store.port))

    async def command(self, *words: str) -> bool:
        """Send a command to the master of the moment; return whether it was carried out: it may be away."""
        try:
            return not (await redis_command(self.store.port, *words)).startswith(b"-")
        except (OSError, TimeoutError):
            return False

    async def set_rightly(self) -> None:
        """Set up either server as an operator does; waits for one that is away."""
        async with asyncio.timeout(READY_SECONDS):
            for server in (self.store, self.replica):
                while not await _is_set(server.port):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.1)

    def heal(self) -> None:
        """Undo every fault that lasts."""
        for link in self.links:
            link.delay_seconds = 0.0
            link.flow()
            link.keep_answers()
        for process in (self.store, self.replica, *self.services):
            process.signal(signal.SIGCONT)
            process.release()


async def _is_set(port: int) -> bool:
    settings = [word for pair in RIGHT_SETTINGS.items() for word in pair]
    commands = (("CONFIG", "SET", *settings), ("ACL", "SETUSER", "default", "+@all"))
    try:
        return all([await redis_command(port, *words) == b"+OK\r\n" for words in commands])
    except (OSError, TimeoutError):
        return False


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """Start everything; yields when the plane serves. All has ended when the context has."""
    ports = free_ports(2 + APISERVERS)
    binary = (await asyncio.to_thread(find_server)).path
    master = StoreServer("redis-a", ports[0], folder / "redis-a", binary)
    replica = StoreServer("redis-b", ports[1], folder / "redis-b", binary)
    replica.follows = master.port
    store_links = [FaultProxy(master.port) for _ in range(APISERVERS)]
    others = CONTROLLERS + FLEETS
    api_links = [FaultProxy(port) for _ in range(others) for port in ports[2:]]
    client_links = [FaultProxy(port) for port in ports[2:]]
    async with serving(*store_links, *api_links, *client_links):
        stage = Stage(
            folder,
            master,
            replica,
            [_apiserver(folder, number, ports[2 + number], store_links[number]) for number in range(APISERVERS)],
            [_controller(folder, number, api_links) for number in range(CONTROLLERS)],
            [_fleet(folder, number, api_links) for number in range(FLEETS)],
            store_links,
            api_links,
            client_links,
        )
        async with _running(stage):
            yield stage


@asynccontextmanager
async def _running(stage: Stage) -> AsyncIterator[None]:
    processes = (*stage.services[::-1], stage.replica, stage.store)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(process.run()) for process in (stage.store, stage.replica)]
        try:
            await wait_for_port(stage.store.port)
            await wait_for_port(stage.replica.port)
            running += [tasks.create_task(process.run()) for process in stage.services]
            for link in stage.client_links:
                await wait_for_port(link.target)
            yield
        finally:
            stage.heal()
            for process in processes:
                await process.stop()


def _apiserver(folder: Path, number: int, port: int, link: FaultProxy) -> Process:
    arguments = ("--listen", f"{HOST}:{port}", "--metrics-listen", "", "--redis", f"redis://{HOST}:{link.port}/0")
    return Process(
        f"apiserver-{number}",
        lambda: service("rollplane_apiserver", *arguments),
        folder / f"apiserver-{number}.log",
        # What is acknowledged survives a failover only if the replica has it.
        {"ROLLPLANE_WAIT_REPLICAS": "1"},
        refuses="maxmemory-policy",
    )


def _controller(folder: Path, number: int, links: Sequence[FaultProxy]) -> Process:
    own = links[number * APISERVERS : (number + 1) * APISERVERS]
    name = f"controller-{number}"
    arguments = ("--server", _addresses(own), "--health-listen", f"{HOST}:0", "--metrics-listen", f"{HOST}:0")
    return Process(
        name,
        lambda: service("rollplane_controller", "--identity", name, *arguments),
        folder / f"{name}.log",
    )


def _fleet(folder: Path, number: int, links: Sequence[FaultProxy]) -> Process:
    first = CONTROLLERS + number
    own = links[first * APISERVERS : (first + 1) * APISERVERS]
    arguments = ("--server", _addresses(own), "--health-listen", f"{HOST}:0", "--metrics-listen", f"{HOST}:0")
    nodes = ("--profile", "instant", "--nodes", str(NODES), "--first-node", str(number * NODES))
    return Process(
        f"fleet-{number}",
        lambda: service("rollplane_kubelet_sim", *arguments, *nodes),
        folder / f"fleet-{number}.log",
    )


def _addresses(links: Sequence[FaultProxy]) -> str:
    return ",".join(f"{HOST}:{link.port}" for link in links)
