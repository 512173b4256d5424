"""One apiserver as an operator runs it: the ready line, the metrics port, SIGTERM, and starts that fail clearly."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import grpc
import pytest

from rollplane.api import v1 as pb
from rollplane_machinery.errors import UnavailableError
from tests.apiserver.rpc.process import running, spawn
from tests.apiserver.rpc.serving import error_of


async def test_it_serves_counts_and_drains() -> None:
    async with running() as server, grpc.aio.insecure_channel(server.address) as channel:
        get: Any = channel.unary_unary("/rollplane.api.v1.ObjectService/Get")
        request = pb.GetRequest(key=pb.ObjectKey(resource="namespaces", name="default"))
        answer = pb.GetResponse.FromString(await get(request.SerializeToString(), timeout=10))
        assert answer.revision > 0
        watch_of: Any = channel.unary_stream("/rollplane.api.v1.ObjectService/Watch")
        query = pb.WatchRequest(filters=[pb.WatchFilter(resource="namespaces")], send_initial_state=True)
        watch = aiter(watch_of(query.SerializeToString()))
        first = pb.WatchResponse.FromString(await anext(watch))
        assert len(first.events) == 4

        host, port = server.metrics.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
        body = (await reader.read()).decode().partition("\r\n\r\n")[2]
        writer.close()
        await writer.wait_closed()
        assert 'rollplane_calls_total{code="OK",method="Get",service="rollplane.api.v1.ObjectService"} 1.0' in body
        assert "rollplane_streams_open 1.0" in body
        assert "rollplane_store_up 1.0" in body
        figures = dict(line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))
        assert float(figures["rollplane_ring_bytes"]) > 1000
        assert float(figures["rollplane_cache_revision"]) >= answer.revision
        assert "rollplane_commit_items_sum 6.0" in body, "namespaces and PriorityClasses"

        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            _ = [message async for message in watch]
        error = error_of(caught.value)
        assert isinstance(error, UnavailableError)
        assert error.retry_after_seconds
        code, lines = await server.ended()
        assert code == 0
        assert [line["message"] for line in lines][-2:] == ["draining", "stopped"]
        assert {line["level"] for line in lines} == {"info"}


async def _refused(*arguments: str) -> tuple[int, str]:
    process = await spawn(*arguments)
    async with asyncio.timeout(20):
        _, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, err.decode()


async def test_a_public_address_is_refused() -> None:
    code, err = await _refused("--redis", "memory://", "--listen", "0.0.0.0:0")
    assert code == 2
    assert "refusing to listen on 0.0.0.0:0" in err
    assert "--insecure-bind" in err


async def test_a_taken_port_is_told_in_one_line() -> None:
    async with running() as server:
        code, err = await _refused("--redis", "memory://", "--listen", server.address, "--metrics-listen", "")
    assert code == 1
    assert f"rollplane_apiserver: cannot listen on {server.address}" in err
    assert "Traceback" not in err


async def test_a_store_that_makes_no_sense_is_told_in_one_line() -> None:
    code, err = await _refused("--redis", "postgres://x", "--listen", "127.0.0.1:0", "--metrics-listen", "")
    assert code == 1
    assert "postgres://x" in err
    assert "Traceback" not in err


async def test_it_waits_for_its_store_and_can_be_told_to_stop() -> None:
    process = await spawn("--redis", "redis://127.0.0.1:1/0", "--listen", "127.0.0.1:0", "--metrics-listen", "")
    assert process.stderr is not None
    async with asyncio.timeout(20):
        line = await process.stderr.readline()
        assert b"store" in line
        process.send_signal(signal.SIGTERM)
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert out == b""
