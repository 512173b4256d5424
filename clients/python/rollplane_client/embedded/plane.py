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

from rollplane_client.embedded.child import Child
from rollplane_machinery.clock import Clock, SystemClock

HOST = "127.0.0.1"
DEFAULT_PORT = 7070


@dataclass(frozen=True, slots=True)
class PlaneSettings:
    """``data`` keeps the objects between runs. ``port`` is where the apiserver is wanted; a free one if it is taken.

    ``nodes`` 0 starts no fleet; ``profile`` is a shipped one's name or a file; ``fsync`` is Redis' ``appendfsync``.
    """

    data: Path
    port: int = DEFAULT_PORT
    nodes: int = 10
    profile: str = "realistic"
    node_prefix: str = "node"
    fsync: str = "always"
    log_level: str = "warning"


class EmbeddedPlane:
    """``async with EmbeddedPlane(settings) as plane``: the plane runs while the context is open, at ``plane.address``.

    A child that dies is started again; one that dies time after time ends the context with TerminalError.
    """

    def __init__(self, settings: PlaneSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._tasks: asyncio.TaskGroup | None = None
        self.address = f"{HOST}:{free_port(settings.port)}"
        self.store = self._child("store", "rollplane_apiserver.store", self._store_arguments)
        self.apiserver = self._child("apiserver", "rollplane_apiserver", self._apiserver_arguments)
        self.controller = self._child("controller", "rollplane_controller", self._controller_arguments)
        self.kubelets = self._child("kubelet_sim", "rollplane_kubelet_sim", self._fleet_arguments)

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
        """Start everything; raises TerminalError with the end of its log when a child does not start."""
        try:
            await self.store.start()
            await self.apiserver.start()
            async with asyncio.TaskGroup() as starting:
                for child in self.children[2:]:
                    starting.create_task(child.start())
        except BaseException:
            await self._stop()
            raise
        self._tasks = await asyncio.TaskGroup().__aenter__()
        for child in self.children:
            self._tasks.create_task(child.supervise())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()
        if self._tasks is None:
            return
        if isinstance(error, asyncio.CancelledError):
            await self._tasks.__aexit__(kind, error, trace)
        else:
            # What the body raised is not the children's failure: it must not come out wrapped in theirs.
            await self._tasks.__aexit__(None, None, None)

    async def _stop(self) -> None:
        for child in reversed(self.children):
            await child.stop()

    def _child(self, name: str, module: str, arguments: Callable[[], Sequence[str]]) -> Child:
        environ = {**os.environ, "ROLLPLANE_LOG_LEVEL": self._settings.log_level}
        log_path = self._settings.data / "logs" / f"{name}.log"
        return Child(name, module, arguments, log_path, clock=self._clock, environ=environ)

    def _store_arguments(self) -> Sequence[str]:
        return ("--data", str(self._settings.data / "store"), "--fsync", self._settings.fsync)

    def _apiserver_arguments(self) -> Sequence[str]:
        return ("--listen", self.address, "--metrics-listen", f"{HOST}:0", "--redis", self.store.ready["url"])

    def _controller_arguments(self) -> Sequence[str]:
        return ("--server", self.address, "--health-listen", f"{HOST}:0")

    def _fleet_arguments(self) -> Sequence[str]:
        settings = self._settings
        fleet = ("--nodes", str(settings.nodes), "--profile", settings.profile, "--node-prefix", settings.node_prefix)
        return ("--server", self.address, "--health-listen", f"{HOST}:0", *fleet)


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
