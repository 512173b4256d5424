"""Planes of so many processes of each kind on one machine, as many as ``rollplane up`` has or more."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rollplane_machinery.clock import SystemClock
from rollplane_plane.child import Child
from rollplane_plane.services import Service


@dataclass(frozen=True)
class Shape:
    """How many processes of each kind, and how many nodes and kubelets' ways they have."""

    nodes: int
    apiservers: int = 1
    controllers: int = 1
    fleets: int = 1
    profile: str = "instant"
    fsync: str = "always"

    def __str__(self) -> str:
        return f"{self.apiservers} apiserver(s), {self.controllers} controller(s), {self.fleets} fleet(s)"


@dataclass(frozen=True)
class Running:
    """``address`` names all apiservers; ``pids`` has the processes by their names, ``redis`` is the store's."""

    address: str
    pids: Mapping[str, int]


@asynccontextmanager
async def plane(shape: Shape) -> AsyncIterator[Running]:
    """Start such a plane on a durable store of its own; yields once everything is ready, ends it all afterwards."""
    async with AsyncExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="rollplane-scale-")))

        def child(service: Service, number: int, *arguments: str) -> Child:
            log = folder / f"{service}-{number}.log"
            started = Child(service, lambda: arguments, log, clock=SystemClock(), environ=os.environ)
            ending.push_async_callback(started.stop)
            return started

        store = child(Service.STORE, 0, "--data", str(folder / "store"), "--fsync", shape.fsync)
        await store.start()
        redis = ("--redis", store.ready["url"])
        apiservers = [
            child(Service.APISERVER, number, *_listening("listen", "metrics-listen", "rest-listen"), *redis)
            for number in range(shape.apiservers)
        ]
        await _start(apiservers)
        address = ",".join(each.ready["listen"] for each in apiservers)
        server = ("--server", address, *_listening("health-listen", "metrics-listen"))
        workers = [
            *(child(Service.CONTROLLER, number, *server) for number in range(shape.controllers)),
            *(child(Service.KUBELET_SIM, number, *server, *_fleet(shape, number)) for number in range(shape.fleets)),
        ]
        await _start(workers)
        named = _named((*apiservers, *workers))
        yield Running(address, {"redis": int(store.ready["pid"]), **named})


async def _start(children: Sequence[Child]) -> None:
    async with asyncio.TaskGroup() as starting:
        for each in children:
            starting.create_task(each.start())


def _listening(*flags: str) -> Sequence[str]:
    return [word for flag in flags for word in (f"--{flag}", "127.0.0.1:0")]


def _fleet(shape: Shape, number: int) -> Sequence[str]:
    """Return the flags of one of the fleets, which share the nodes."""
    share = [shape.nodes * part // shape.fleets for part in range(shape.fleets + 1)]
    first, last = share[number], share[number + 1]
    return ("--nodes", str(last - first), "--first-node", str(first), "--profile", shape.profile)


def _named(children: Sequence[Child]) -> Mapping[str, int]:
    counts = Counter(each.name for each in children)
    seen: Counter[str] = Counter()
    pids = {}
    for each in children:
        seen[each.name] += 1
        pids[f"{each.name} {seen[each.name]}" if counts[each.name] > 1 else each.name] = each.pid
    return pids
