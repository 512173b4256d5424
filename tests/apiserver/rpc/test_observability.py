"""Logs are JSON lines with fields; metrics are served on a port of their own."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import suppress

import pytest

from rollplane_apiserver.metrics import Metrics
from rollplane_service.endpoint import serve_metrics
from rollplane_service.logs import JsonFormatter


@pytest.fixture
def lines() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("rollplane_test_observability")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


def test_fields_stand_beside_the_message(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    logger.info("scaled", extra={"kind": "ReplicaSet", "replicas": 3, "who": {1}})
    logger.debug("looked")
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "rollplane_test_observability",
        "message": "scaled",
        "kind": "ReplicaSet",
        "replicas": 3,
        "who": "{1}",
    }


def test_a_traceback_stays_on_its_line(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    logger.error("failed", exc_info=ValueError("größer"))
    (text,) = stream.getvalue().splitlines()
    assert "größer" in text
    assert json.loads(text)["error"] == "ValueError: größer"


async def ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_scrape_reads_all_figures() -> None:
    metrics = Metrics()
    metrics.call_ended("rollplane.api.v1.ObjectService", "Get", "OK", 0.003)
    metrics.committed(200, 0.004)
    metrics.gauge("store_up", "1 while the store answers.", lambda: True)
    async with serve_metrics(metrics.registry, "127.0.0.1", 0) as port:
        head, _, body = (await ask(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain")
    figures = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
    labels = 'method="Get",service="rollplane.api.v1.ObjectService"'
    assert figures[f'rollplane_calls_total{{code="OK",{labels}}}'] == "1.0"
    assert figures[f'rollplane_call_seconds_bucket{{le="0.005",{labels}}}'] == "1.0"
    assert figures["rollplane_commit_items_sum"] == "200.0"
    assert figures["rollplane_store_up"] == "1.0"


@pytest.mark.parametrize(
    "request_bytes", [b"GET / HTTP/1.1\r\n\r\n", b"POST /metrics HTTP/1.1\r\n\r\n", b"\x00\r\n\r\n"]
)
async def test_anything_else_is_not_found(request_bytes: bytes) -> None:
    async with serve_metrics(Metrics().registry, "127.0.0.1", 0) as port:
        assert (await ask(port, request_bytes)).startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("request_bytes", [b"", b"GET /metrics", b"x" * 100_000])
async def test_half_a_request_harms_nothing(request_bytes: bytes) -> None:
    async with serve_metrics(Metrics().registry, "127.0.0.1", 0) as port:
        with suppress(ConnectionError):  # it may hang up while we are still sending
            assert await ask(port, request_bytes) == b""
        assert (await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200")
