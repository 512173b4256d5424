"""Logs over real sockets: whole, cut, and as they grow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rollplane.core.v1 import Pod
from rollplane_machinery import codec
from rollplane_machinery.api import Bind, Delete, Key, UpdateStatus
from rollplane_machinery.kinds import NODE, POD, Encoded
from tests.gateway.serving import PODS, Served, serving

LOG = f"{PODS}/web/log"
START = 1_795_402_440
FIRST = ["image nginx:1.27 is there", "simulated container c started, run 1"]
KEY = Key(POD, "default", "web")


async def bound(gateway: Served, *containers: str) -> None:
    """Store the pod ``web``, on a node."""
    spec = {"containers": [{"name": name, "image": "nginx:1.27"} for name in containers or ("c",)]}
    made = await gateway.ask("POST", PODS, {"metadata": {"name": "web"}, "spec": spec})
    assert made.status == 201
    await gateway.ask("POST", "/api/v1/nodes", {"metadata": {"name": "n"}})
    await gateway.api.write(Bind(KEY, Key(NODE, "", "n").name))


async def report(gateway: Served, state: dict[str, Any], **more: Any) -> None:
    """Have the kubelet tell of the container ``c``."""
    status = {"name": "c", "image": "nginx:1.27", "state": state, "started": True, **more}
    pod = (await gateway.api.get(KEY)).read_as(Pod)
    pod.status.CopyFrom(codec.message_from_json(type(pod.status), {"phase": "Running", "containerStatuses": [status]}))
    await gateway.api.write(UpdateStatus(Encoded.of(pod)))


RUNNING = {"running": {"startedAt": "2026-11-23T02:54:00Z"}}
ENDED = {
    "terminated": {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": "2026-11-23T02:54:00Z",
        "finishedAt": "2026-11-23T02:55:00Z",
    }
}


async def lines(gateway: Served, query: str = "") -> list[str]:
    got = await gateway.get(f"{LOG}?{query}")
    assert (got.status, got.content_type) == (200, "text/plain; charset=utf-8")
    return got.body.decode().splitlines()


async def test_a_log() -> None:
    async with serving() as gateway:
        await bound(gateway)
        await report(gateway, RUNNING, ready=True)
        assert await lines(gateway) == [*FIRST, "ready"]
        assert await lines(gateway, "container=c&tailLines=1") == ["ready"]
        assert await lines(gateway, "tailLines=0") == []
        assert await lines(gateway, "limitBytes=5") == ["image"]
        assert await lines(gateway, "sinceTime=2026-11-23T02:54:01Z") == []
        assert await lines(gateway, "sinceSeconds=1") == []
        assert (await lines(gateway, "timestamps=true"))[0] == f"2026-11-23T02:54:00.000000000Z {FIRST[0]}"


async def test_the_run_before() -> None:
    async with serving() as gateway:
        await bound(gateway)
        await report(gateway, RUNNING, restartCount=1, lastState=ENDED)
        assert await lines(gateway, "previous=true") == [*FIRST, "ended with exit code 1 (Error)"]


REFUSED: dict[str, tuple[str, int, str]] = {
    "which": ("", 400, "a container name must be specified for pod web, choose one of: [c d]"),
    "none such": ("container=x", 400, "container x is not valid for pod web"),
    "waiting": ("container=d", 400, 'container "d" in pod "web" is waiting to start - no logs yet'),
    "no run before": (
        "container=c&previous=true",
        400,
        'previous terminated container "c" in pod "web" not found',
    ),
    "a count": (
        "container=c&tailLines=-1",
        422,
        'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ),
    "two beginnings": (
        "container=c&sinceSeconds=1&sinceTime=2026-11-23T02:54:01Z",
        422,
        'PodLogOptions "web" is invalid: sinceSeconds: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be'
        " specified",
    ),
    "no time": ("container=c&sinceTime=now", 400, "sinceTime: 'now' is not an RFC 3339 time"),
}


@pytest.mark.parametrize(("query", "status", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("follow", ["", "&follow=true"])
async def test_refused(query: str, status: int, message: str, follow: str) -> None:
    async with serving() as gateway:
        await bound(gateway, "c", "d")
        await report(gateway, RUNNING)
        got = await gateway.get(f"{LOG}?{query}{follow}")
        assert (got.status, got.json["message"]) == (status, message)


async def test_no_pod() -> None:
    async with serving() as gateway:
        got = await gateway.get(LOG)
        assert (got.status, got.json["message"]) == (404, 'pods "web" not found')


async def test_a_log_is_followed_until_the_container_ends() -> None:
    async with serving() as gateway:
        await bound(gateway)
        await report(gateway, RUNNING, ready=False)
        async with gateway.session.get(f"{gateway.url}{LOG}?follow=true") as got:
            told = [(await got.content.readline()).decode().strip() for _ in range(3)]
            assert told == [*FIRST, "not ready: the readiness probe does not succeed"]
            await report(gateway, RUNNING, ready=True)
            assert (await got.content.readline()).strip() == b"ready"
            await report(gateway, ENDED)
            assert (await got.content.read()).decode().splitlines() == ["ended with exit code 1 (Error)"]


@pytest.mark.parametrize("end", ["another run", "the pod is gone"])
async def test_a_followed_log_ends(end: str) -> None:
    async with serving() as gateway:
        await bound(gateway)
        await report(gateway, RUNNING, ready=True)
        async with gateway.session.get(f"{gateway.url}{LOG}?follow=true&tailLines=1") as got:
            assert (await got.content.readline()).strip() == b"ready"
            if end == "another run":
                await report(gateway, {"running": {"startedAt": "2026-11-23T02:56:00Z"}}, restartCount=1)
            else:
                await gateway.api.write(Delete(KEY, grace_period_seconds=0))
            async with asyncio.timeout(30):
                assert await got.content.read() == b""


async def test_a_log_of_what_is_to_start_is_waited_for() -> None:
    async with serving() as gateway:
        await gateway.ask(
            "POST", PODS, {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        )
        assert await lines(gateway) == []
        async with gateway.session.get(f"{gateway.url}{LOG}?follow=true&limitBytes=5") as got:
            assert got.status == 200
            await gateway.ask("POST", "/api/v1/nodes", {"metadata": {"name": "n"}})
            await gateway.api.write(Bind(KEY, "n"))
            await report(gateway, RUNNING)
            async with asyncio.timeout(30):
                assert await got.content.read() == b"image"
