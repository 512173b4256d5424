"""What an administrator, or an accident, does to a server behind the store's back."""

from __future__ import annotations

from rollplane_apiserver.store.dial import dialer
from rollplane_apiserver.store.layout import Keys
from rollplane_apiserver.store.link import Link, Reply


async def command(url: str, *arguments: bytes) -> Reply:
    """Send one command on a connection of its own."""
    link = Link(dialer(url, connect_timeout_seconds=2), _greet_nobody, timeout_seconds=5)
    await link.open()
    try:
        return await link.call(*arguments)
    finally:
        await link.close()


async def empty_cell(url: str, cell: str) -> None:
    """Remove all keys of a cell."""
    keys = Keys(cell)
    resources = await command(url, b"SMEMBERS", keys.resources)
    objects = [keys.objects(resource.decode()) for resource in resources]
    own = (keys.meta, keys.log, keys.fence, keys.runs, keys.resources, keys.segments, keys.tokens, keys.older_tokens)
    await command(url, b"DEL", *own, *objects)


async def _greet_nobody(_: Link) -> None:
    """Send nothing."""
