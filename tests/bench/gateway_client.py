"""The reading side of the gateway's benchmark: ``list URL ACCEPT TIMES`` or ``watch URL ACCEPT COUNT [SELECTOR …]``."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import uvloop

PODS = "/api/v1/pods"
LAST = "the-last-of-them"


def main(arguments: Sequence[str]) -> None:
    """Do as told, and print a line when the watches are open and when the last event was seen, or a line a list."""
    what, url, accept, number, *selectors = arguments
    address = urlsplit(url)
    uvloop.run(
        {"list": _lists, "watch": _watches}[what](
            address.hostname or "", address.port or 0, accept, int(number), selectors or [""]
        )
    )


async def _lists(host: str, port: int, accept: str, times: int, _selectors: Sequence[str]) -> None:
    size = 0
    for _ in range(times):
        reading = _Reading(f"GET {PODS} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n")
        started = time.perf_counter()
        await asyncio.get_running_loop().create_connection(lambda: reading, host, port)  # noqa: B023 - called at once
        await reading.closed
        print(time.perf_counter() - started, flush=True)
        size = reading.size
    print(size, flush=True)


async def _watches(host: str, port: int, accept: str, count: int, selectors: Sequence[str]) -> None:
    readings: list[_Reading] = []
    for selector in itertools.islice(itertools.cycle(selectors), count):
        path = f"{PODS}?watch=1&resourceVersionMatch=NotOlderThan&sendInitialEvents=false&{selector}"
        reading = _Reading(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n")
        await asyncio.get_running_loop().create_connection(lambda: reading, host, port)  # noqa: B023 - called at once
        await reading.answered
        readings.append(reading)
    print("open", flush=True)
    await asyncio.gather(*(reading.seen_last for reading in readings))
    print(sum(reading.size for reading in readings), flush=True)


class _Reading(asyncio.Protocol):
    """One request, whose answer is counted in bytes and searched for the last pod's name."""

    def __init__(self, request: str) -> None:
        loop = asyncio.get_running_loop()
        self.answered: asyncio.Future[None] = loop.create_future()
        self.seen_last: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.size = 0
        self._request = request.encode()
        self._last = LAST.encode()
        self._tail = b""

    def connection_made(self, transport: Any) -> None:
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.answered.done():
            if b" 200 " not in data[:20]:
                raise RuntimeError(data.decode())
            self.answered.set_result(None)
        self.size += len(data)
        if (self._last in data or self._last in self._tail + data[:32]) and not self.seen_last.done():
            self.seen_last.set_result(None)
        self._tail = data[-32:]

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)


if __name__ == "__main__":
    main(sys.argv[1:])
