"""A Kubernetes through REST: the same answers as the Api itself gives, in protobuf and in JSON, over real sockets."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import Namespace, Pod
from rollplane.meta.v1 import RawExtension, Status, TypeMeta, Unknown
from rollplane.meta.v1 import WatchEvent as Frame
from rollplane_load.rest import forms
from rollplane_load.rest.api import RestApi
from rollplane_load.rest.connection import connected
from rollplane_load.rest.kubeconfig import Access
from rollplane_machinery.api import (
    Create,
    Delete,
    EventType,
    Evict,
    Key,
    ListQuery,
    Patch,
    PatchType,
    Preconditions,
    Propagation,
    WatchBatch,
    WatchFilter,
    WatchQuery,
    WriteResult,
)
from rollplane_machinery.clock import FakeClock, SystemClock
from rollplane_machinery.errors import (
    AlreadyExistsError,
    ConflictError,
    ExpiredError,
    InternalError,
    InvalidError,
    NotFoundError,
    Reason,
    SetupError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
)
from rollplane_machinery.kinds import DEPLOYMENT, NAMESPACE, POD, Encoded, Kind
from tests.gateway.serving import Served, serving

FORMS = {"protobuf": forms.PROTOBUF, "JSON": forms.JSON}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ask for protobuf first, or for nothing but JSON."""
    if request.param == "JSON":
        monkeypatch.setattr("rollplane_load.rest.connection.ACCEPT", forms.JSON)
        monkeypatch.setattr("rollplane_load.rest.connection.ACCEPT_WATCH", forms.JSON)
    return str(request.param)


@asynccontextmanager
async def rest(**settings: Any) -> AsyncIterator[tuple[RestApi, Served]]:
    async with serving(**settings) as served, connected(Access("x", served.url), SystemClock()) as connection:
        yield RestApi(connection, SystemClock()), served


def _deployment(name: str, replicas: int = 3) -> Deployment:
    made = Deployment()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.spec.replicas = replicas
    made.spec.selector.match_labels["app"] = name
    made.spec.template.metadata.labels["app"] = name
    made.spec.template.spec.containers.add(name="app", image="app:v1")
    return made


def _pod(name: str) -> Pod:
    made = Pod()
    made.metadata.name, made.metadata.namespace, made.metadata.labels["app"] = name, "default", name
    made.spec.containers.add(name="app", image="app:v1")
    return made


def _key(name: str) -> Key:
    return Key(DEPLOYMENT, "default", name)


async def _create(api: RestApi, *names: str) -> list[WriteResult]:
    answers = await api.batch([Create(Encoded.of(_deployment(name))) for name in names])
    return [answer for answer in answers if isinstance(answer, WriteResult)]


async def test_writes_come_to_what_the_api_itself_shows(form: str) -> None:
    async with rest() as (api, served):
        (made,) = await _create(api, "web")
        assert made.object is not None
        assert made.object.parse() == (await served.api.get(_key("web"))).parse()
        body = json.dumps({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:v2"}]}}}})
        rolled = await api.write(Patch(_key("web"), PatchType.STRATEGIC_MERGE, body.encode()))
        scaled = await api.write(Patch(_key("web"), PatchType.MERGE, b'{"spec": {"replicas": 7}}', "scale"))
        assert made.revision < rolled.revision < scaled.revision
        stored = await api.get(_key("web"))
        there = Deployment.FromString(stored.value)
        assert stored.parse() == (await served.api.get(_key("web"))).parse()
        assert (there.spec.replicas, there.spec.template.spec.containers[0].image) == (7, "app:v2")
        assert int(there.metadata.resource_version) == scaled.revision
        await api.write(Delete(_key("web"), propagation=Propagation.BACKGROUND))
        with pytest.raises(NotFoundError):
            await api.get(_key("web"))


async def test_pods_are_evicted_by_their_uid(form: str) -> None:
    async with rest() as (api, _):
        made = (await api.write(Create(Encoded.of(_pod("a"))))).object
        assert made is not None
        with pytest.raises(ConflictError):
            await api.write(Evict(Key(POD, "default", "a"), preconditions=Preconditions(uid="another")))
        uid = made.parse().metadata.uid
        await api.write(Evict(Key(POD, "default", "a"), preconditions=Preconditions(uid=uid)))
        with pytest.raises(NotFoundError):
            await api.get(Key(POD, "default", "a"))


async def test_refusals_are_what_the_api_itself_raises(form: str) -> None:
    async with rest() as (api, _):
        await _create(api, "web")
        with pytest.raises(AlreadyExistsError, match='"web" already exists'):
            await api.write(Create(Encoded.of(_deployment("web"))))
        with pytest.raises(InvalidError, match=r"spec\.replicas"):
            await api.write(Create(Encoded.of(_deployment("other", -1))))
        good, bad = await api.batch([Create(Encoded.of(_deployment(name))) for name in ("new", "web")])
        assert isinstance(good, WriteResult)
        assert isinstance(bad, AlreadyExistsError)


async def test_lists_come_in_pages(form: str) -> None:
    async with rest() as (api, served):
        await _create(api, "a", "b", "c")
        first = await api.list(ListQuery(DEPLOYMENT, "default", limit=2))
        rest_of_it = await api.list(ListQuery(DEPLOYMENT, "default", continue_token=first.continue_token))
        assert first.remaining_item_count == 1
        found = [*first.objects, *rest_of_it.objects]
        whole = await served.api.list(ListQuery(DEPLOYMENT, "default"))
        assert [each.parse() for each in found] == [each.parse() for each in whole.objects]
        labelled = await api.list(ListQuery(DEPLOYMENT, "default", field_selector="metadata.name=b"))
        assert [each.key.name for each in labelled.objects] == ["b"]


async def test_a_watch_tells_the_state_and_what_follows_of_every_kind(form: str) -> None:
    async with rest() as (api, _):
        await _create(api, "a", "b")
        filters = (WatchFilter(DEPLOYMENT, ("default",)), WatchFilter(POD, ("default",)))
        async with api.watch(WatchQuery(filters, send_initial_state=True)) as batches:
            state = [batch async for batch in _until_complete(batches)]
            assert [event.object.key.name for batch in state for event in batch.events] == ["a", "b"]
            assert [batch.revision for batch in state[:-1]] == [0] * (len(state) - 1)
            await api.write(Patch(_key("a"), PatchType.MERGE, b'{"spec": {"replicas": 5}}'))
            await api.write(Create(Encoded.of(_pod("p"))))
            await api.write(Delete(_key("b")))
            seen: dict[str, tuple[Kind, EventType, int]] = {}
            while len(seen) < 3:
                for event in (await anext(batches)).events:
                    seen[event.object.key.name] = (event.object.kind, event.type, event.revision)
            assert {name: told[:2] for name, told in seen.items()} == {
                "a": (DEPLOYMENT, EventType.MODIFIED),
                "b": (DEPLOYMENT, EventType.DELETED),
                "p": (POD, EventType.ADDED),
            }
            assert seen["a"][2] < seen["p"][2] < seen["b"][2]


async def _until_complete(batches: AsyncIterator[WatchBatch]) -> AsyncIterator[WatchBatch]:
    async for batch in batches:
        yield batch
        if batch.initial_state_complete:
            return


# A server of our own, which does what a real one does now and then.

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler, **access: Any) -> AsyncIterator[tuple[RestApi, Any]]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    clock = FakeClock()
    try:
        async with connected(replace(Access("x", url), **access), clock) as connection, asyncio.TaskGroup() as tasks:
            pushing = tasks.create_task(_push(clock))
            yield RestApi(connection, clock), connection
            pushing.cancel()
    finally:
        await runner.cleanup()


async def _push(clock: FakeClock) -> None:
    """Let nobody wait."""
    while True:
        await clock.advance(1.0)
        await asyncio.sleep(0)


def _status(code: int, reason: str, **headers: str) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "reason": reason, "code": code}
    return web.json_response(body, status=code, headers={name.replace("_", "-"): it for name, it in headers.items()})


def _json_pod(version: str = "7") -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "default", "resourceVersion": version}}


async def test_who_is_throttled_comes_again_when_told() -> None:
    calls: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        calls.append(request.method)
        return web.json_response(_json_pod()) if len(calls) > 2 else _status(429, "TooManyRequests", Retry_After="3")

    async with server(handler) as (api, connection):
        assert (await api.write(Patch(Key(POD, "default", "p"), PatchType.MERGE, b"{}"))).revision == 7
        assert (calls, connection.retries) == (["PATCH"] * 3, 2)


async def test_a_budget_that_says_no_is_told_at_once() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return _status(429, "TooManyRequests")

    async with server(handler) as (api, connection):
        with pytest.raises(TooManyRequestsError):
            await api.write(Evict(Key(POD, "default", "p")))
        assert connection.retries == 0


async def test_a_read_survives_a_broken_connection_and_a_write_is_not_made_twice() -> None:
    calls: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        calls.append(request.method)
        if request.method == "GET" and calls.count("GET") > 1:
            return web.json_response(_json_pod())
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with server(handler) as (api, _):
        assert (await api.get(Key(POD, "default", "p"))).key.name == "p"
        with pytest.raises(UnavailableError):
            await api.write(Patch(Key(POD, "default", "p"), PatchType.MERGE, b"{}"))
        assert calls == ["GET", "GET", "PATCH"]


async def test_a_watch_that_the_server_ends_goes_on_where_it_was() -> None:
    asked: list[str] = []
    ends = [
        [("ADDED", "7"), ("BOOKMARK", "20")],
        [("MODIFIED", "25")],
        [("DELETED", "31")],
    ]

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.query["resourceVersion"])
        if len(asked) > len(ends):
            return _status(410, "Expired")
        lines = [json.dumps({"type": type_, "object": _json_pod(version)}) for type_, version in ends[len(asked) - 1]]
        return web.Response(text="\n".join(lines) + "\n", content_type="application/json")

    async with server(handler) as (api, _):
        told: list[tuple[str, int]] = []
        with pytest.raises(ExpiredError, match="the watch of pods cannot go on"):
            await _follow(api, told)
        assert told == [("ADDED", 7), ("MODIFIED", 25), ("DELETED", 31)]
        assert asked == ["5", "20", "25", "31"]


async def _follow(api: RestApi, told: list[tuple[str, int]]) -> None:
    async with api.watch(WatchQuery((WatchFilter(POD, ("default",)),), from_revision=5)) as batches:
        async for batch in batches:
            told += [(event.type.name, event.revision) for event in batch.events]


async def test_an_error_within_a_watch_is_one() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        status = {"kind": "Status", "apiVersion": "v1", "reason": "Gone", "code": 410, "message": "too old"}
        return web.Response(
            text=json.dumps({"type": "ERROR", "object": status}) + "\n", content_type="application/json"
        )

    async with server(handler) as (api, _):
        with pytest.raises(ExpiredError, match="too old"):
            await _follow(api, [])


async def test_who_one_is_goes_with_every_call() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        good = request.headers.get("Authorization") == "Bearer t"
        return web.json_response(_json_pod()) if good else _status(401, "Unauthorized")

    async with server(handler, authorization="Bearer t") as (api, _):
        assert (await api.get(Key(POD, "default", "p"))).key.name == "p"
    async with server(handler) as (api, _):
        with pytest.raises(UnauthenticatedError):
            await api.get(Key(POD, "default", "p"))


async def test_an_answer_that_nobody_can_read_is_told() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>", content_type="text/html")

    async with server(handler) as (api, _):
        with pytest.raises(InternalError, match="the server's answer cannot be read"):
            await api.get(Key(POD, "default", "p"))


# Forms.


def _envelope(kind: str, raw: bytes) -> bytes:
    return forms.MAGIC + Unknown(type_meta=TypeMeta(api_version="v1", kind=kind), raw=raw).SerializeToString()


def _framed(type_: str, kind: str, raw: bytes) -> bytes:
    frame = Frame(type=type_, object=RawExtension(raw=_envelope(kind, raw))).SerializeToString()
    return len(frame).to_bytes(4, "big") + frame


STREAMS: dict[str, tuple[str, bytes]] = {
    "protobuf": (
        f"{forms.PROTOBUF};stream=watch",
        _framed("ADDED", "Namespace", Namespace().SerializeToString())
        + _framed("ERROR", "Status", Status(code=410, reason="Expired", message="old").SerializeToString()),
    ),
    "JSON": (
        forms.JSON,
        b'{"type":"ADDED","object":{"metadata":{"name":"x"}}}\n{"type":"ERROR","object":{"code":410,"message":"old"}}\n',
    ),
}


@pytest.mark.parametrize("size", [1, 3, 7, 10_000])
@pytest.mark.parametrize(("content_type", "stream"), STREAMS.values(), ids=STREAMS)
def test_a_stream_is_cut_right_however_it_arrives(content_type: str, stream: bytes, size: int) -> None:
    frames = forms.Frames(content_type, NAMESPACE)
    told = [each for at in range(0, len(stream), size) for each in frames.take(stream[at : at + size])]
    assert [each.type for each in told] == ["ADDED", "ERROR"]
    assert isinstance(told[1].error, ExpiredError)


ERRORS: dict[str, tuple[str, bytes, int, Reason]] = {
    "a Status in JSON": (forms.JSON, b'{"reason":"Conflict","message":"no","code":409}', 409, Reason.CONFLICT),
    "a Status in protobuf": (
        forms.PROTOBUF,
        _envelope("Status", Status(reason="NotFound", code=404).SerializeToString()),
        404,
        Reason.NOT_FOUND,
    ),
    "only a code": ("text/plain", b"bad gateway", 503, Reason.UNAVAILABLE),
    "a code that nobody knows": ("text/html", b"<html>", 418, Reason.INTERNAL_ERROR),
}


@pytest.mark.parametrize(("content_type", "body", "code", "reason"), ERRORS.values(), ids=ERRORS)
def test_errors(content_type: str, body: bytes, code: int, reason: Reason) -> None:
    assert forms.read_error(content_type, body, code).reason is reason


# TLS.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder: Path = tmp_path_factory.mktemp("tls")
    subject = ["-subj", "/CN=load", "-addext", "subjectAltName=IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(folder / "key")]
    subprocess.run(
        ["openssl", "req", "-x509", *key, "-out", str(folder / "cert"), *subject], check=True, capture_output=True
    )
    return (folder / "cert").read_text(), (folder / "key").read_text()


TRUST: dict[str, tuple[dict[str, Any], str]] = {
    "the authority": ({"authority": "CERT", "certificate": "CERT", "key": "KEY"}, ""),
    "anybody": ({"verify": False, "certificate": "CERT", "key": "KEY"}, ""),
    "only who is known": ({"certificate": "CERT", "key": "KEY"}, "certificate verify failed"),
}


@pytest.mark.parametrize(("access", "refused"), TRUST.values(), ids=TRUST)
async def test_whom_to_trust(
    access: dict[str, Any], refused: str, certificate: tuple[str, str], tmp_path: Path
) -> None:
    """The server wants a certificate of its clients, too."""
    import ssl

    names = {"CERT": certificate[0], "KEY": certificate[1]}
    told = {name: names.get(str(value), value) for name, value in access.items()}
    (tmp_path / "cert").write_text(certificate[0])
    (tmp_path / "key").write_text(certificate[1])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "cert"))
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    context.verify_mode = ssl.CERT_REQUIRED

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(_json_pod())

    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    access_ = replace(Access("x", f"https://127.0.0.1:{runner.addresses[0][1]}"), **told)
    try:
        async with connected(access_, SystemClock()) as connection:
            if refused:
                with pytest.raises(UnavailableError, match=refused):
                    await connection.call("GET", "/version", tries=1)
            else:
                assert json.loads((await connection.call("GET", "/version")).body)
    finally:
        await runner.cleanup()


async def test_certificates_that_are_none_are_told() -> None:
    with pytest.raises(SetupError, match="a certificate of context x cannot be used"):
        async with connected(Access("x", "https://127.0.0.1:1", authority="nonsense"), SystemClock()):
            raise AssertionError("there is no connection")
