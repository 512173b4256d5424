"""Keep a cache of all pods and print what happens to each: ``python watch_pods.py [address]``.

An informer survives a restart of the apiserver, which a plain watch does not. Stop it with Ctrl-C.
"""

import asyncio
import sys

from rollplane.core.v1 import Pod
from rollplane_client.grpc_api import connect
from rollplane_client.informer import Informer
from rollplane_machinery.api import EventType, Key, WatchFilter
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.kinds import POD, Encoded


def phase_of(encoded: Encoded) -> str:
    """Return all that we want to remember of a pod."""
    return encoded.read_as(Pod).status.phase


def tell(event_type: EventType, key: Key, old: str | None, new: str | None) -> None:
    """Print one change."""
    print(f"{event_type.name:8} {key.namespace}/{key.name} {old or '-'} → {new or '-'}", flush=True)


async def main(address: str) -> None:
    """Watch until cancelled."""
    async with connect(address, role="reader") as api:
        pods = Informer(api, [WatchFilter(POD)], phase_of, clock=SystemClock())
        pods.add_handler(POD, tell)
        await pods.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7070"))
