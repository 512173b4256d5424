"""``python -m rollplane_testing.serving OPTIONS``: a plane with sockets, in a time that its parent may step.

It is the parts of a rehearsed plane in a loop that has sockets, with the doors of an apiserver: gRPC and REST. It keeps
nothing, and ends with its parent.
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial

from prometheus_client import CollectorRegistry

from rollplane_apiserver.core.core import Core
from rollplane_apiserver.core.identity import Identity, Role
from rollplane_apiserver.metrics import Metrics
from rollplane_apiserver.rpc.server import RpcServer
from rollplane_gateway.limits import Limits
from rollplane_gateway.opening import open_gateway
from rollplane_machinery.releases import LATEST
from rollplane_rehearsal.faults.troubles import TroubledApi
from rollplane_rehearsal.plane import Plane
from rollplane_service.admission import Limits as AdmissionLimits
from rollplane_service.health import Health
from rollplane_testing.control import Control, error_of
from rollplane_testing.options import Options, nodes_of, profile_of
from rollplane_testing.paced_loop import PacedLoop, paced_loop
from rollplane_testing.verbs import Verbs

ANYWHERE = "127.0.0.1:0"
LOG_ENTRIES = 10_000
IDLE_SECONDS = 1.0

_NEVER = 1e9
"""Seconds: the bounds of doors count in the plane's time, in which a real moment may be long."""
_PATIENCE = AdmissionLimits(call_seconds=_NEVER, retry_after_seconds=1.0)
_LIMITS = Limits(
    body_seconds=_NEVER, head_seconds=_NEVER, keep_alive_seconds=_NEVER, write_seconds=_NEVER, admission=_PATIENCE
)


class _Front:
    """The core as callers have it whom troubles befall."""

    def __init__(self, plane: Plane) -> None:
        self._core: Core = plane.core
        self.as_identity = cache(partial(_troubled, plane))

    @property
    def is_serving(self) -> bool:
        return self._core.is_serving

    def end_watches(self) -> None:
        self._core.end_watches()


def _troubled(plane: Plane, identity: Identity) -> TroubledApi:
    return plane.troubled(identity.name, identity.role)


async def serve(options: Options, control: Control) -> None:
    """Serve until nobody is left to ask; the first line says where."""
    async with _served(options) as (plane, words):
        verbs = Verbs(plane, paced_loop(), options.speed)
        control.listen()
        control.say(words)
        async for request in control.requests():
            control.say(await verbs.answer(request))


@asynccontextmanager
async def _served(options: Options) -> AsyncIterator[tuple[Plane, dict[str, str]]]:
    plane = Plane(
        nodes_of(options),
        profile=profile_of(options),
        seed=options.seed,
        release=options.release or LATEST,
        checked=False,  # tests may do to it what no user should
        log_entries=LOG_ENTRIES,
        idle_seconds=IDLE_SECONDS,
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(plane)
        front, health, registry = _Front(plane), Health(), CollectorRegistry()
        gateway = await stack.enter_async_context(
            open_gateway(
                front.as_identity(Identity("gateway", Role.EDITOR)),
                ANYWHERE,
                clock=plane.clock,
                release=plane.release,
                health=health,
                registry=registry,
                limits=_LIMITS,
            )
        )
        rpc = await stack.enter_async_context(RpcServer(front, plane.clock, Metrics(), limits=_PATIENCE, health=health))
        port = await rpc.listen(ANYWHERE)
        yield plane, {"rest": gateway.address, "grpc": f"127.0.0.1:{port}"}


def main(text: str) -> int:
    """Serve with the options that ``text`` (JSON) holds; returns the exit code."""
    control, options = Control(), Options(**json.loads(text))
    with asyncio.Runner(loop_factory=partial(PacedLoop, options.speed)) as runner:
        try:
            runner.run(serve(options, control))
        except Exception as exc:
            traceback.print_exception(exc)  # into the log, whose end is told of a server that has ended
            control.say(error_of(exc))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
