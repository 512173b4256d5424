"""A plane of real processes whose Redis reaches its limit of memory, and is given room again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import Pod
from rollplane_apiserver.store.server import RedisServer
from rollplane_client.objects import Client, connect
from rollplane_machinery.pods import is_pod_ready
from tests.apiserver.rpc.process import running
from tests.apiserver.store.administering import command
from tests.clients.cli.commands import Cli
from tests.service.workers import CONTROLLER, FLEET, WAIT_SECONDS, worker

NAMESPACE = "default"
FREED_SECONDS = 30.0
"""Within these a deletion must have freed its pods, on a machine that does much else: it takes about one."""

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: default}}
spec:
  replicas: 6
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: nginx, image: "nginx:1"}}]}}
"""


async def test_what_is_refused_holds_nothing_up_is_told_and_heals(tmp_path: Path) -> None:
    async with (
        RedisServer(tmp_path) as server,
        running(redis=server.url) as apiserver,
        worker(apiserver.address, *CONTROLLER),
        worker(apiserver.address, *FLEET),
        connect(apiserver.address) as client,
    ):
        cli = Cli(apiserver.address)
        for name in ("goes", "grows"):
            await client.apply_yaml(WEB.format(name=name))
        await until(client, Counter({("goes", "nginx:1"): 6, ("grows", "nginx:1"): 6}), WAIT_SECONDS)
        await limit_memory(server.url, "1mb")
        # Both are accepted, for neither makes the Deployment much larger, and neither can be carried out.
        await client.scale(Deployment, NAMESPACE, "grows", 9)
        await client.set_image(Deployment, NAMESPACE, "grows", {"nginx": "nginx:2"})
        await said(cli, "the store is short of memory: creates are refused, deletions go through")
        await client.delete(Deployment, NAMESPACE, "goes")
        await until(client, Counter({("grows", "nginx:1"): 6}), FREED_SECONDS)
        await limit_memory(server.url, "0")
        await until(client, Counter({("grows", "nginx:2"): 9}), WAIT_SECONDS)
        await said(cli, 'deployment "grows" is complete: 9 pods are updated and available\n')


async def limit_memory(url: str, limit: str) -> None:
    await command(url, b"CONFIG", b"SET", b"maxmemory", limit.encode())


async def until(client: Client, wanted: Counter[tuple[str, str]], seconds: float) -> None:
    """Wait until so many pods of each Deployment and image are there, and all of them ready."""

    async def there() -> bool:
        pods = await client.list(Pod, NAMESPACE)
        counts = Counter((pod.metadata.labels["app"], pod.spec.containers[0].image) for pod in pods)
        return counts == wanted and all(map(is_pod_ready, pods))

    await eventually(there, seconds)


async def said(cli: Cli, words: str) -> None:
    """Wait until ``why`` says so."""

    async def says() -> bool:
        return words in await cli.ok("why", "deploy/grows")

    await eventually(says, WAIT_SECONDS)


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
