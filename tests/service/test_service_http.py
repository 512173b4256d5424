"""The operators' port: metrics, and whether the process is alive and ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from prometheus_client import CollectorRegistry

from rollplane_service.endpoint import serve_http
from rollplane_service.health import Health
from rollplane_service.metrics import show, show_process
from rollplane_service.ports import operators_port
from rollplane_service.settings import ProcessSettings


@asynccontextmanager
async def served(health: Health) -> AsyncIterator[int]:
    registry = CollectorRegistry()
    show_process(registry, health)
    show(registry, "pods", "Pods.", lambda: 7)
    async with serve_http(registry, health, "127.0.0.1", 0) as port:
        yield port


async def ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_port_that_is_taken_is_an_error_unless_it_may_give_way() -> None:
    async with operators_port(ProcessSettings(metrics_listen="127.0.0.1:0"), CollectorRegistry(), Health()) as taken:
        with pytest.raises(OSError, match="in use"):
            async with operators_port(ProcessSettings(metrics_listen=taken), CollectorRegistry(), Health()):
                pass
        yielding = ProcessSettings(metrics_listen=taken, metrics_give_way=True)
        async with operators_port(yielding, CollectorRegistry(), Health()) as other:
            assert other.startswith("127.0.0.1:")
            assert other != taken


async def test_a_scrape_reads_all_figures() -> None:
    health = Health()
    health.started = True
    async with served(health) as port:
        head, _, body = (await ask(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain")
    figures = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
    assert (figures["rollplane_pods"], figures["rollplane_ready"]) == ("7.0", "1.0")
    assert float(figures["process_resident_memory_bytes"]) > 1e6


async def test_a_note_is_told_and_leaves_the_process_ready() -> None:
    health, note = Health(), "little is left"
    health.started = True
    health.add_note("memory", lambda: note)
    async with served(health) as port:
        answer = await ask(port, b"GET /readyz HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.endswith(b"[+]stop ok\n[!]memory: little is left\n")
        note = ""
        assert (await ask(port, b"GET /readyz HTTP/1.1\r\n\r\n")).endswith(b"[+]memory ok\n")


async def test_alive_and_ready_are_two_questions() -> None:
    health, trouble = Health(), ""
    health.add_check("store", lambda: trouble)
    async with served(health) as port:
        assert (await ask(port, b"GET /readyz HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 503 ")
        health.started = True
        answer = await ask(port, b"GET /readyz?verbose HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.endswith(b"[+]start ok\n[+]stop ok\n[+]store ok\n")
        trouble = "the disk is full"
        answer = await ask(port, b"GET /readyz HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert answer.endswith(b"[-]store failed: the disk is full\n")
        for path in (b"/livez", b"/healthz"):
            assert (await ask(port, b"GET " + path + b" HTTP/1.1\r\n\r\n")).endswith(b"\r\n\r\nok\n")


@pytest.mark.parametrize(
    "request_bytes", [b"GET / HTTP/1.1\r\n\r\n", b"POST /metrics HTTP/1.1\r\n\r\n", b"\x00\r\n\r\n"]
)
async def test_anything_else_is_not_found(request_bytes: bytes) -> None:
    async with served(Health()) as port:
        assert (await ask(port, request_bytes)).startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("request_bytes", [b"", b"GET /metrics", b"x" * 100_000])
async def test_half_a_request_harms_nothing(request_bytes: bytes) -> None:
    async with served(Health()) as port:
        with suppress(ConnectionError):  # it may hang up while we are still sending
            assert await ask(port, request_bytes) == b""
        assert (await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200")
