"""The embedded control plane: a durable store, an apiserver, a controller and a fleet, all supervised.

Children end in the opposite order of their start, so that each can say its goodbyes to the one below it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from rollplane_machinery.clock import Clock, SystemClock
from rollplane_machinery.errors import RollplaneError
from rollplane_plane.child import Child

HOST = "127.0.0.1"
DEFAULT_PORT = 7070
CONTROLLER_IDENTITY = "embedded"
MAX_PORT = 65_535
MAX_NODES = 16_384
"""What one fleet process can hold."""


@dataclass(frozen=True, slots=True)
class PlaneSettings:
    """``data`` keeps the objects between runs. ``port`` is where the apiserver is wanted; a free one if it is taken.

    ``nodes`` 0 starts no fleet; ``profile`` is a shipped one's name or a file; ``fsync`` is Redis' ``appendfsync``.
    Raises ValueError for what makes no sense.
    """

    data: Path
    port: int = DEFAULT_PORT
    nodes: int = 10
    profile: str = "realistic"
    node_prefix: str = "node"
    fsync: str = "always"
    log_level: str = "warning"

    def __post_init__(self) -> None:
        if not 0 <= self.nodes <= MAX_NODES:
            raise ValueError(f"nodes is {self.nodes}, want 0 to {MAX_NODES}")
        if not 0 <= self.port <= MAX_PORT:
            raise ValueError(f"port is {self.port}, want 0 (any) to {MAX_PORT}")


class EmbeddedPlane:
    """``async with EmbeddedPlane(settings) as plane``: the plane runs while the context is open, at ``plane.address``.

    A child that dies is started again; one that dies time after time ends the context with TerminalError. When this
    process is killed its children end by themselves.
    """

    def __init__(self, settings: PlaneSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._tasks = asyncio.TaskGroup()
        self._store_url = ""
        self.address = f"{HOST}:{free_port(settings.port)}"
        self.store = self._child(
            "store", "rollplane_apiserver.store.__main__", self._store_arguments, restarted=self._follow_store
        )
        self.apiserver = self._child("apiserver", "rollplane_apiserver.main", self._apiserver_arguments)
        self.controller = self._child("controller", "rollplane_controller.main", self._controller_arguments)
        self.kubelets = self._child("kubelet_sim", "rollplane_kubelet_sim.main", self._fleet_arguments)

    @property
    def children(self) -> Sequence[Child]:
        """The processes, in the order of their start."""
        fleet = (self.kubelets,) if self._settings.nodes else ()
        return (self.store, self.apiserver, self.controller, *fleet)

    @property
    def store_pid(self) -> int:
        """The process id of the Redis or Valkey server itself, which the store's child keeps."""
        return int(self.store.ready["pid"])

    async def __aenter__(self) -> Self:
        """Start everything; raises TerminalError with one line when a child does not start."""
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        await self._tasks.__aenter__()
        for child in self.children:
            self._tasks.create_task(child.supervise())
        return self

    async def _start(self) -> None:
        """Load all children side by side; each begins when the one it needs is ready."""
        await asyncio.gather(*(child.spawn() for child in self.children))
        await self.store.start()
        await self.apiserver.start()
        try:
            async with asyncio.TaskGroup() as starting:
                for child in self.children[2:]:
                    starting.create_task(child.start())
        except* RollplaneError as group:
            raise group.exceptions[0] from None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()
        # What the body raised is not the children's failure: it must not come out wrapped in theirs. A cancellation
        # may be the task group's own, though, when a child has failed for good.
        cancelled = isinstance(error, asyncio.CancelledError)
        try:
            await self._tasks.__aexit__(*((kind, error, trace) if cancelled else (None, None, None)))
        except* RollplaneError as group:
            raise group.exceptions[0] from None

    async def _stop(self) -> None:
        for child in reversed(self.children):
            await child.stop()

    def _child(
        self,
        name: str,
        module: str,
        arguments: Callable[[], Sequence[str]],
        *,
        restarted: Callable[[], None] = lambda: None,
    ) -> Child:
        environ = {**os.environ, "ROLLPLANE_LOG_LEVEL": self._settings.log_level}
        log_path = self._settings.data / "logs" / f"{name}.log"
        return Child(name, module, arguments, log_path, clock=self._clock, environ=environ, restarted=restarted)

    def _follow_store(self) -> None:
        """End an apiserver that looks for the store at its former address; its next life gets the new one."""
        if self.store.ready["url"] != self._store_url:
            self.apiserver.kill()

    def _store_arguments(self) -> Sequence[str]:
        return ("--data", str(self._settings.data / "store"), "--fsync", self._settings.fsync)

    def _apiserver_arguments(self) -> Sequence[str]:
        self._store_url = self.store.ready["url"]
        return ("--listen", self.address, "--metrics-listen", f"{HOST}:0", "--redis", self._store_url)

    def _controller_arguments(self) -> Sequence[str]:
        # One controller on one data folder: its next life need not wait until the leases of the former run out.
        return (*self._worker_arguments(), "--identity", CONTROLLER_IDENTITY)

    def _fleet_arguments(self) -> Sequence[str]:
        settings = self._settings
        fleet = ("--nodes", str(settings.nodes), "--profile", settings.profile, "--node-prefix", settings.node_prefix)
        return (*self._worker_arguments(), *fleet)

    def _worker_arguments(self) -> Sequence[str]:
        return ("--server", self.address, "--health-listen", f"{HOST}:0", "--metrics-listen", f"{HOST}:0")


def free_port(wanted: int) -> int:
    """Return ``wanted`` if nobody listens there, else a port of the system's choice."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return 0
