"""The same without a server, for code that takes an Api: in virtual time, waiting between tries costs nothing."""

import asyncio
from pathlib import Path

import pytest

from rollplane.apps.v1 import Deployment
from rollplane_client.objects import Client
from rollplane_machinery.errors import ConflictError, TooManyRequestsError, UnavailableError

WEB = Path(__file__).with_name("web.yaml").read_text()


async def release(client, image):
    """What is tested: tries again after a while, and longer when it is told to."""
    while True:
        try:
            return await client.set_image(Deployment, "default", "web", {"web": image})
        except TooManyRequestsError as exc:
            await asyncio.sleep(exc.retry_after_seconds or 1.0)
        except (ConflictError, UnavailableError):
            await asyncio.sleep(1.0)


@pytest.fixture
def web(rollplane):
    rollplane.run(rollplane.apply(WEB))
    rollplane.run(rollplane.until_rolled_out())
    return rollplane


async def test_it_comes_again_when_it_is_told_to(web):
    web.troubles.conflict()
    web.troubles.busy(times=2, retry_after_seconds=30)
    web.troubles.lose_answers()
    began = web.seconds
    await release(Client(web.troubled()), "web:2")
    assert web.seconds - began == 62
    assert web.troubles.left == 0


async def test_it_needs_no_news_from_watches(web):
    web.faults.stall_watches(60)  # controllers see nothing for a minute
    await release(Client(web.troubled()), "web:2")
    await web.advance(30)
    assert (await web.client.get(Deployment, "default", "web")).status.updated_replicas == 3  # of the old version
    assert await web.until_rolled_out() > 0
