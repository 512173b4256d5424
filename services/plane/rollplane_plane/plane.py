"""The embedded control plane: a durable store, an apiserver, a controller and a fleet, all supervised.

Children end in the opposite order of their start, so that each can say its goodbyes to the one below it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from rollplane_kubelet_sim.limits import MAX_NODES, check_prefix
from rollplane_kubelet_sim.node_pools.given import read_pools
from rollplane_kubelet_sim.node_pools.planning import plan_nodes
from rollplane_machinery.clock import Clock, SystemClock
from rollplane_machinery.errors import RollplaneError, SetupError
from rollplane_machinery.needs import require
from rollplane_machinery.releases import LATEST
from rollplane_plane.child import Child
from rollplane_plane.lives import next_life
from rollplane_plane.needs import NEEDED
from rollplane_plane.ports import ANY, HOST, MAX_PORT, server_port, untaken
from rollplane_plane.services import Service
from rollplane_service.settings import read_release

log = logging.getLogger(__name__)

DEFAULT_PORT = 7070
DEFAULT_REST_PORT = 7080
METRICS_PORTS = {Service.APISERVER: 7071, Service.CONTROLLER: 7074, Service.KUBELET_SIM: 7075}
"""Where each service's figures are, unless taken: those that the services themselves prefer."""
CONTROLLER_IDENTITY = "embedded"


@dataclass(frozen=True)
class PlaneSettings:
    """``data`` keeps the objects between runs. ``port`` is the apiserver's: 0 for any, None for the usual or any.
    ``rest_port`` is that of its Kubernetes REST API, likewise; None beside a ``port`` of 0 is any.

    ``nodes`` 0 starts no fleet, None one of as many nodes as its pools have, 10 without pools; ``node_pool`` and
    ``node_file`` say which nodes these are, as a fleet is told.
    ``profile`` is a shipped one's name or a file; ``fsync`` is Redis' ``appendfsync``.
    ``kubernetes`` is the release that all services behave as. ``controller_qps`` throttles the controllers; None leaves
    that to the environment. With ``ignore_webhooks`` webhooks and admission policies, which nobody calls, are kept.
    Raises ValueError for what makes no sense, RollplaneError for such pools, OSError for a file that is not there.
    """

    data: Path
    port: int | None = None
    rest_port: int | None = None
    nodes: int | None = None
    profile: str = "realistic"
    node_prefix: str = "node"
    fsync: str = "always"
    log_level: str = "warning"
    kubernetes: str = LATEST.name
    controller_qps: int | None = None
    ignore_webhooks: bool = False
    node_pool: tuple[str, ...] = ()
    node_file: str = ""

    def __post_init__(self) -> None:
        if self.nodes is not None and not 0 <= self.nodes <= MAX_NODES:
            raise ValueError(f"nodes is {self.nodes}, want 0 to {MAX_NODES}")
        for name, port in (("port", self.port), ("rest-port", self.rest_port)):
            if port is not None and not 0 <= port <= MAX_PORT:
                raise ValueError(f"{name} is {port}, want 0 (any) to {MAX_PORT}")
        check_prefix(self.node_prefix, max(0, (self.nodes or 0) - 1))
        read_release(self.kubernetes)
        if self.controller_qps is not None and self.controller_qps < 0:
            raise ValueError(f"controller-qps is {self.controller_qps}, want 0 (unthrottled) or more")

        len(self.node_names)

    @cached_property
    def node_names(self) -> Sequence[str]:
        """What the nodes of the fleet are called, none for a plane without one."""
        if self.nodes == 0 and not self.node_pool and not self.node_file:
            return ()
        planned = plan_nodes(read_pools(self.node_pool, self.node_file), self.nodes, prefix=self.node_prefix)
        return tuple(node.name for node in planned)

    def pace(self) -> Sequence[str]:
        """Return the flags that tell a controller how fast to write."""
        return () if self.controller_qps is None else ("--controller-qps", str(self.controller_qps))


class EmbeddedPlane:
    """``async with EmbeddedPlane(settings) as plane``: the plane runs while the context is open, at ``plane.address``.

    A child that ends is started again, for as long as the plane runs; one that says it never will start ends the
    context with SetupError. When this process is killed its children end by themselves.
    """

    def __init__(self, settings: PlaneSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._tasks = asyncio.TaskGroup()
        self._store_url = ""
        self.address = f"{HOST}:{server_port(settings.port, DEFAULT_PORT)}"
        rest_port = ANY if settings.rest_port is None and settings.port == ANY else settings.rest_port
        self._rest = f"{HOST}:{server_port(rest_port, DEFAULT_REST_PORT, '--rest-port')}"
        self.store = self._child(Service.STORE, self._store_arguments, returned=self._follow_store)
        self.apiserver = self._child(Service.APISERVER, self._apiserver_arguments)
        self.controller = self._child(Service.CONTROLLER, self._controller_arguments)
        self.kubelets = self._child(Service.KUBELET_SIM, self._fleet_arguments)

    @property
    def children(self) -> Sequence[Child]:
        """The processes, in the order of their start."""
        fleet = (self.kubelets,) if self._settings.node_names else ()
        return (self.store, self.apiserver, self.controller, *fleet)

    @property
    def store_pid(self) -> int:
        """The process id of the Redis or Valkey server itself, which the store's child keeps."""
        return int(self.store.ready["pid"])

    @property
    def rest_url(self) -> str:
        """Where the Kubernetes REST API is."""
        return f"http://{self._rest}"

    @property
    def metrics(self) -> Sequence[str]:
        """Where the figures of apiserver, controller and fleet are, in the order of their start."""
        return [child.ready["metrics"] for child in self.children[1:]]

    async def __aenter__(self) -> Self:
        """Start everything; raises SetupError or TimedOutError with one line when a child does not start."""
        require(*NEEDED)
        self._tell_of_another_port()
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        await self._tasks.__aenter__()
        for child in self.children:
            self._tasks.create_task(child.supervise())
        return self

    def _tell_of_another_port(self) -> None:
        if self._settings.port is None and self.address != f"{HOST}:{DEFAULT_PORT}":
            log.warning(
                "port %(taken)d is taken, perhaps by another plane: this one is at %(server)s, so outside of its "
                "folder give --server %(server)s to later commands, or export ROLLPLANE_SERVER=%(server)s",
                {"taken": DEFAULT_PORT, "server": self.address},
            )
        if (
            self._settings.rest_port is None
            and self._settings.port != ANY
            and self._rest != f"{HOST}:{DEFAULT_REST_PORT}"
        ):
            log.warning(
                "port %(taken)d is taken, perhaps by another plane: the Kubernetes REST API of this one is at %(rest)s",
                {"taken": DEFAULT_REST_PORT, "rest": self.rest_url},
            )

    async def _start(self) -> None:
        """Load all children side by side; each begins when the one it needs is ready."""
        await asyncio.gather(*(child.spawn() for child in self.children))
        await self.store.start()
        await self._start_apiserver()
        try:
            async with asyncio.TaskGroup() as starting:
                for child in self.children[2:]:
                    starting.create_task(child.start())
        except* RollplaneError as group:
            raise group.exceptions[0] from None

    async def _start_apiserver(self) -> None:
        """Start it where it was to be; elsewhere when another plane that was started at the same time was faster."""
        try:
            await self.apiserver.start()
        except SetupError:
            if not self._gives_way():
                raise
            await self.apiserver.start()

    def _gives_way(self) -> bool:
        """Leave ports that are taken by now and that nobody asked for; returns whether there were any."""
        before = (self.address, self._rest)
        if self._settings.port in (None, ANY):
            self.address = untaken(self.address)
        if self._settings.rest_port in (None, ANY):
            self._rest = untaken(self._rest)
        if before == (self.address, self._rest):
            return False
        self._tell_of_another_port()
        return True

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
        self, service: Service, arguments: Callable[[], Sequence[str]], *, returned: Callable[[], None] = lambda: None
    ) -> Child:
        told = {"ROLLPLANE_LOG_LEVEL": self._settings.log_level, "ROLLPLANE_KUBERNETES": self._settings.kubernetes}
        environ = {**os.environ, **told}
        log_path = self._settings.data / "logs" / f"{service}.log"
        return Child(service, arguments, log_path, clock=self._clock, environ=environ, returned=returned)

    def _follow_store(self) -> None:
        """End an apiserver that looks for the store at its former address; its next life gets the new one."""
        if self.store.ready["url"] != self._store_url:
            self.apiserver.kill()

    def _store_arguments(self) -> Sequence[str]:
        return ("--data", str(self._settings.data / "store"), "--fsync", self._settings.fsync)

    def _apiserver_arguments(self) -> Sequence[str]:
        self._store_url = self.store.ready["url"]
        where = ("--listen", self.address, "--rest-listen", self._rest, "--redis", self._store_url)
        ignoring = ("--ignore-webhooks",) if self._settings.ignore_webhooks else ()
        return (*where, *ignoring, *self._metrics_arguments(Service.APISERVER))

    def _controller_arguments(self) -> Sequence[str]:
        # One controller on one data folder: its next life need not wait until the leases of the former run out.
        life = next_life(self._settings.data / "controller.life")
        identity = ("--identity", CONTROLLER_IDENTITY, "--life", f"up.{life}")
        return (*self._worker_arguments(Service.CONTROLLER), *identity, *self._settings.pace())

    def _fleet_arguments(self) -> Sequence[str]:
        settings = self._settings
        fleet = (
            "--nodes",
            str(settings.nodes or 0),
            "--profile",
            settings.profile,
            "--node-prefix",
            settings.node_prefix,
        )
        pools = [*(f"--node-pool={pool}" for pool in settings.node_pool), f"--node-file={settings.node_file}"]
        return (*self._worker_arguments(Service.KUBELET_SIM), *fleet, *pools)

    def _worker_arguments(self, service: Service) -> Sequence[str]:
        return ("--server", self.address, "--health-listen", f"{HOST}:0", *self._metrics_arguments(service))

    def _metrics_arguments(self, service: Service) -> Sequence[str]:
        # A plane that may be anywhere leaves the usual places to one that is to be found.
        port = ANY if self._settings.port == ANY else METRICS_PORTS[service]
        return ("--metrics-listen", f"{HOST}:{port}", "--metrics-give-way")
