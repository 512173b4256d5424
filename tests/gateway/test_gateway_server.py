"""The server around the handlers: who may come in, how much, how slowly, and how it goes away."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest

from rollplane_gateway.calls import Backend
from rollplane_gateway.limits import Limits
from rollplane_gateway.replies import Answer, Reply, Stream
from rollplane_gateway.requests import Request
from rollplane_machinery.api import Api, Write, WriteResult
from rollplane_machinery.errors import Outcome, UnavailableError
from rollplane_machinery.kinds import Encoded, Key
from rollplane_service.admission import Limits as AdmissionLimits
from tests.gateway.serving import CONFIG_MAPS, Got, Served, config_map, serving


@asynccontextmanager
async def dialed(gateway: Served) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of bytes, for ten seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        async with asyncio.timeout(10):
            yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def raw(gateway: Served, text: bytes) -> bytes:
    """Send bytes as they are; return the whole answer, up to the end of the connection."""
    async with dialed(gateway) as (reader, writer):
        writer.write(text)
        return await reader.read()


def is_status(got: Got, code: int, reason: str) -> bool:
    told = got.json
    return (got.status, told["kind"], told["apiVersion"], told["reason"], told["code"]) == (
        code,
        "Status",
        "v1",
        reason,
        code,
    )


@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    {
        "an address": ({}, True),
        "localhost": ({"Host": "localhost:7080"}, True),
        "a name below localhost": ({"Host": "plane.localhost"}, True),
        "version 6": ({"Host": "[::1]:7080"}, True),
        "a name made to point here": ({"Host": "evil.example:7080"}, False),
        "no address": ({"Host": "127.0.0.1.evil.example"}, False),
        "nothing": ({"Host": ""}, False),
        "our own page": ({"Host": "localhost:7080", "Origin": "http://localhost:7080"}, True),
        "another page": ({"Host": "localhost:7080", "Origin": "http://localhost:3000"}, False),
        "a page of no origin": ({"Origin": "null"}, False),
        "another site": ({"Sec-Fetch-Site": "cross-site"}, False),
        "the address bar": ({"Sec-Fetch-Site": "none"}, True),
    }.values(),
)
async def test_web_pages_of_others_stay_outside(headers: dict[str, str], is_let_in: bool) -> None:
    async with serving() as gateway:
        got = await gateway.ask("GET", CONFIG_MAPS, headers=headers)
        assert got.status == 200 if is_let_in else is_status(got, 403, "Forbidden")
        assert not [name for name in got.headers if name.startswith("access-control")]


async def test_a_body_that_is_too_large_is_refused_however_it_is_sent() -> None:
    async with serving(limits=Limits(body_bytes=1000)) as gateway:
        large = config_map(text="x" * 2000)
        assert is_status(await gateway.ask("POST", CONFIG_MAPS, large), 413, "RequestEntityTooLarge")
        chunk = b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n"
        head = (
            f"POST {CONFIG_MAPS} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        assert (await raw(gateway, head.encode() + chunk)).startswith(b"HTTP/1.1 413")


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async with serving(limits=Limits(body_seconds=0.05)) as gateway:
        head = f"POST {CONFIG_MAPS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{{"
        answer = await raw(gateway, head.encode())
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"reason":"Timeout"' in answer


@pytest.mark.parametrize("before", [b"", b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"], ids=["first", "later"])
async def test_a_head_that_does_not_end_is_not_waited_for(before: bytes) -> None:
    async with serving(limits=Limits(head_seconds=0.05)) as gateway, dialed(gateway) as (reader, writer):
        if before:
            writer.write(before)
            await reader.readuntil(b"}")
        writer.write(b"GET /version HTTP/1.1\r\nHost: loc")
        assert await reader.read() == b""


async def test_a_slow_answer_and_an_idle_connection_are_no_slow_head() -> None:
    async def page(_: Backend, request: Request) -> Answer:
        later = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, later.set)
        await later.wait()
        return Reply(b"{}")

    limits = Limits(head_seconds=0.02)
    async with serving(limits=limits, pages={"/slow": page}) as gateway, dialed(gateway) as (reader, writer):
        for _ in range(2):
            head = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"
            writer.write(head[:9])
            await writer.drain()
            writer.write(head[9:])
            assert (await reader.readuntil(b"{}")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("body", [b"garbage", gzip.compress(b"{}", mtime=0)], ids=["garbage", "gzip"])
async def test_a_compressed_body_is_refused_by_the_name_of_its_encoding(body: bytes) -> None:
    async with serving() as gateway:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        got = await gateway.ask("POST", CONFIG_MAPS, body, headers=headers)
        assert is_status(got, 415, "UnsupportedMediaType")
        assert "gzip" in got.json["message"]
        plain = {**headers, "Content-Encoding": "identity"}
        made = await gateway.ask("POST", CONFIG_MAPS, b'{"metadata": {"name": "a"}}', headers=plain)
        assert made.status == 201


@pytest.mark.parametrize(("size", "first"), [(b"32", b"HTTP/1.1 100"), (b"9999999", b"HTTP/1.1 413")])
async def test_who_waits_to_be_told_is_told_to_send_a_body_that_will_be_read(size: bytes, first: bytes) -> None:
    head = f"POST {CONFIG_MAPS} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ".encode()
    async with serving() as gateway, dialed(gateway) as (reader, writer):
        writer.write(head + size + b"\r\n\r\n")
        assert (await reader.readline()).startswith(first)
        if size == b"32":
            assert await reader.readline() == b"\r\n"
            writer.write(b'{"metadata": {"name": "waited"}}')
            assert (await reader.readline()).startswith(b"HTTP/1.1 201")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"431"),
    ],
    ids=["no HTTP", "HTTP/2", "a header too long", "a path too long"],
)
async def test_what_is_no_request_is_answered_with_a_status(text: bytes, code: bytes) -> None:
    async with serving() as gateway:
        answer = await raw(gateway, text)
        assert answer.split(b" ")[1] == code
        assert b'"kind":"Status"' in answer
        assert not any(word in answer for word in (b"xxxx", b"encountered", b"Pause", b"b'"))


async def test_a_connection_outlives_the_patience_of_go_clients() -> None:
    assert Limits().keep_alive_seconds > 90


async def test_health_is_told_in_kubernetes_words() -> None:
    async with serving() as gateway:
        for path in ("/healthz", "/livez", "/readyz", "/readyz/"):
            got = await gateway.get(path)
            assert (got.status, got.body, got.content_type) == (200, b"ok", "text/plain; charset=utf-8")
        told = await gateway.get("/readyz?verbose")
        assert b"[+]ping ok\n" in told.body
        assert told.body.endswith(b"readyz check passed\n")
        gateway.health.add_check("store", lambda: "away")
        failed = await gateway.get("/readyz")
        assert (failed.status, b"[-]store failed: away" in failed.body) == (500, True)
        assert (await gateway.get("/readyz/ping")).body == b"ok"
        assert (await gateway.get("/livez")).status == 200
        assert is_status(await gateway.get("/readyz/nothing"), 404, "NotFound")


async def test_requests_are_counted_without_labels_of_the_clients() -> None:
    async with serving() as gateway:
        await gateway.get(CONFIG_MAPS)
        await gateway.get("/apis/made.up/v1/things")
        told = (await gateway.get("/metrics")).body.decode()
        assert 'apiserver_request_total{code="200",resource="configmaps",subresource="",verb="LIST"} 1.0' in told
        assert 'apiserver_request_total{code="404",resource="",subresource="",verb="other"} 1.0' in told
        assert "made.up" not in told


class Tap:
    """A page whose stream gives what is put in."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.ended = asyncio.Event()

    async def page(self, _: Backend, __: Request) -> Answer:
        return Stream(self._pieces())

    @asynccontextmanager
    async def _pieces(self) -> AsyncIterator[AsyncIterator[bytes]]:
        async def run() -> AsyncIterator[bytes]:
            while (piece := await self.pieces.get()) is not None:
                if piece == b"defect":
                    raise ZeroDivisionError
                yield piece

        try:
            yield run()
        finally:
            self.ended.set()


async def test_a_drain_ends_streams_as_if_all_had_been_said_and_refuses_more() -> None:
    tap = Tap()
    async with serving(pages={"/tap": tap.page}) as gateway, gateway.session.get(f"{gateway.url}/tap") as stream:
        tap.pieces.put_nowait(b"one")
        assert await stream.content.readany() == b"one"
        await gateway.server.drain(5.0)
        assert await stream.content.read() == b""  # a stream that was cut off would raise
        assert tap.ended.is_set()
        refused = await gateway.get(CONFIG_MAPS)
        assert is_status(refused, 503, "ServiceUnavailable")
        assert (await gateway.get("/livez")).body == b"ok"


async def test_a_stream_ends_with_its_reader() -> None:
    tap = Tap()
    async with serving(pages={"/tap": tap.page}) as gateway:
        async with gateway.session.get(f"{gateway.url}/tap") as stream:
            tap.pieces.put_nowait(b"one")
            await stream.content.readany()
        async with asyncio.timeout(10):
            await tap.ended.wait()


async def test_a_reader_that_takes_nothing_is_dropped() -> None:
    tap = Tap()
    async with serving(pages={"/tap": tap.page}, limits=Limits(write_seconds=0.05)) as gateway:
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"GET /tap HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(64):
            tap.pieces.put_nowait(b"x" * 1024 * 1024)
        async with asyncio.timeout(10):
            await tap.ended.wait()
        writer.close()


async def test_a_stream_with_a_defect_is_cut_off() -> None:
    tap = Tap()
    async with serving(pages={"/tap": tap.page}) as gateway:
        tap.pieces.put_nowait(b"one")
        tap.pieces.put_nowait(b"defect")
        answer = await raw(gateway, b"GET /tap HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.endswith(b"one\r\n")  # no last chunk: the client knows that something is missing


async def test_a_defect_is_told_as_one() -> None:
    async def broken(_: Backend, __: Request) -> Answer:
        raise ZeroDivisionError

    async with serving(pages={"/broken": broken}) as gateway:
        assert is_status(await gateway.get("/broken"), 500, "InternalError")


class Away:
    """An Api whose server does not answer any more."""

    async def get(self, key: Key) -> Encoded:
        raise UnavailableError("away", outcome=Outcome.NOT_SENT)

    async def write(self, write: Write) -> WriteResult:
        raise UnavailableError("away", outcome=Outcome.OUTCOME_UNKNOWN, retry_after_seconds=1.0)


async def test_only_what_is_safe_to_repeat_comes_with_a_delay() -> None:
    async with serving(through=lambda _: cast("Api", Away())) as gateway:
        read = await gateway.get(f"{CONFIG_MAPS}/a")
        assert is_status(read, 503, "ServiceUnavailable")
        assert read.headers["retry-after"] == "1"
        write = await gateway.ask("POST", CONFIG_MAPS, config_map())
        assert is_status(write, 503, "ServiceUnavailable")
        assert "retry-after" not in write.headers  # clients would repeat by themselves what may have been made


async def test_more_than_can_be_worked_on_is_sent_away() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: Backend, __: Request) -> Answer:
        begun.set()
        await go_on.wait()
        return Reply(b"done")

    limits: Any = Limits(admission=AdmissionLimits(calls=1, retry_after_seconds=1.0))
    async with serving(pages={"/slow": slow}, limits=limits) as gateway, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(gateway.get("/slow"))
        await begun.wait()
        refused = await gateway.get(CONFIG_MAPS)
        assert is_status(refused, 429, "TooManyRequests")
        assert refused.headers["retry-after"] == "1"
        assert refused.json["details"]["retryAfterSeconds"] == 1
        assert (await gateway.get("/healthz")).body == b"ok"
        go_on.set()
        assert (await first).body == b"done"


async def test_connections_are_bounded() -> None:
    async with serving(limits=Limits(connections=1)) as gateway:
        assert (await gateway.get("/livez")).body == b"ok"  # and its connection is kept
        assert await raw(gateway, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
