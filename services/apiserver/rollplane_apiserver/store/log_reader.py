"""Following the log on a connection of its own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence

from rollplane_apiserver.store import scripts
from rollplane_apiserver.store.checks import check_position
from rollplane_apiserver.store.interface import BATCH_BYTES, BATCH_CHANGES, Change, Jump, LogBatch
from rollplane_apiserver.store.layout import Keys, jump, log_entry
from rollplane_apiserver.store.link import Link, Reply, pack

BLOCK_SECONDS = 0.8  # an idle batch each second is promised, and Redis looks for ended waits each 100 ms
FRESH_SECONDS = 0.25
"""How long after the end of the log was read only a little can be behind it."""
SCRIPT = scripts.load("read_log")


async def open_log(link: Link, keys: Keys, after: int) -> AsyncGenerator[LogBatch, None]:
    """Return the batches behind ``after``; raises ExpiredError when the log cannot be followed from there.

    Opens the link, which must be for this reader alone.
    """
    await link.open()
    spans, bounds = await link.call_all(pack(b"LRANGE", keys.runs, b"0", b"-1"), _bounds_command(keys))
    _check(after, bounds, [jump(span) for span in spans])
    return _batches(link, keys, after)


async def read_log(link: Link, keys: Keys, after: int) -> LogBatch:
    """Return what follows ``after``, without waiting for it; raises ExpiredError as ``open_log`` does."""
    role, entries, spans, bounds = await link.call_all(
        pack(b"ROLE"), _read_command(keys, after), pack(b"LRANGE", keys.runs, b"0", b"-1"), _bounds_command(keys)
    )
    await link.check_master(role)
    _check(after, bounds, [jump(span) for span in spans])
    return _batch([log_entry(entry_id, fields) for entry_id, fields in entries], after)


async def _batches(link: Link, keys: Keys, position: int) -> AsyncGenerator[LogBatch, None]:
    loop = asyncio.get_running_loop()
    fresh_until = -math.inf
    while True:
        # A script bounds the bytes, at four times the cost of a plain read. Whoever was at the end a moment ago needs
        # none: there is only what was committed since.
        is_fresh = loop.time() < fresh_until
        read = _follow_commands(keys, position) if is_fresh else _catch_up_commands(keys, position)
        # The others are carried out after the first has ended its wait, one after another. So if at last nothing behind
        # the position has been trimmed, neither had it been when the entries were read.
        *_, found, bounds, role = await link.call_all(
            *read, _bounds_command(keys), pack(b"ROLE"), patience_seconds=BLOCK_SECONDS
        )
        await link.check_master(role)
        entries = [log_entry(entry_id, fields) for entry_id, fields in (_of_stream(found) if is_fresh else found)]
        _check(position, bounds, [entry for entry in entries if isinstance(entry, Jump)])
        batch = _batch(entries, position)
        position = batch.revision
        fresh_until = loop.time() + FRESH_SECONDS if position == int(bounds[1] or 0) else -math.inf
        yield batch


def _of_stream(found: Reply) -> Reply:
    """Return the entries in what XREAD found in our stream; it answers nothing when its wait was in vain."""
    return found[0][1] if found else ()


def _batch(entries: Sequence[Change | Jump], position: int) -> LogBatch:
    return LogBatch([entry for entry in entries if isinstance(entry, Change)], _last_revision(entries, position))


def _follow_commands(keys: Keys, position: int) -> Sequence[bytes]:
    """Wait for what follows, and read it."""
    return (_wait_command(keys, position, BATCH_CHANGES),)


def _catch_up_commands(keys: Keys, position: int) -> Sequence[bytes]:
    """Wait until something follows, and read as many bytes of it as make a batch."""
    return _wait_command(keys, position, 1), _read_command(keys, position)


def _wait_command(keys: Keys, position: int, most: int) -> bytes:
    block, count = b"%d" % (BLOCK_SECONDS * 1000), b"%d" % most
    return pack(b"XREAD", b"BLOCK", block, b"COUNT", count, b"STREAMS", keys.log, b"%d-0" % position)


def _read_command(keys: Keys, position: int) -> bytes:
    bounds = (b"%d" % BATCH_CHANGES, b"%d" % BATCH_BYTES)
    return pack(b"EVALSHA", SCRIPT.sha, b"1", keys.log, b"%d" % position, *bounds)


def _bounds_command(keys: Keys) -> bytes:
    return pack(b"HMGET", keys.meta, b"oldest", b"revision")


def _check(position: int, bounds: Reply, jumps: Sequence[Jump]) -> None:
    # An emptied cell has no bounds: then every position but 0 is one that was never given out.
    oldest, revision = (int(bound or 0) for bound in bounds)
    check_position(position, oldest=oldest, revision=revision, jumps=jumps)


def _last_revision(entries: Sequence[Change | Jump], position: int) -> int:
    if not entries:
        return position
    last = entries[-1]
    return last.to + 1 if isinstance(last, Jump) else last.revision
