"""Read an object, change it, write it back on top of what was read; again when somebody else wrote in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from rollplane_machinery.api import Key, ObjectApi, Update, WriteOptions, WriteResult
from rollplane_machinery.errors import ConflictError
from rollplane_machinery.kinds import ApiObject, Encoded

M = TypeVar("M", bound=ApiObject)

TRIES = 10
"""A rollout in full swing writes the status of its Deployment many times a second: one conflict means nothing."""


class Turns:
    """Lets those who change one object go one after the other, in the order they came.

    Of any number that start at once each would else refuse all the others' versions but one.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: Key) -> asyncio.Lock:
        """Return the lock of an object, which lives as long as somebody holds it or waits for it."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock


async def read(objects: ObjectApi, key: Key) -> ApiObject:
    """Return the object as it is now, parsed; raises NotFoundError."""
    return (await objects.get(key)).parse()


async def edit(objects: ObjectApi, key: Key, change: Callable[[ApiObject], None], options: WriteOptions) -> WriteResult:
    """Apply ``change`` (which alters the message in place, or raises to refuse) and return the write's result.

    The resource_version that was read is the write's precondition. Raises ConflictError after ten lost races.
    """
    for _ in range(TRIES - 1):
        message = await read(objects, key)
        change(message)
        try:
            return await objects.write(Update(Encoded.of(message), options))
        except ConflictError:
            continue
    message = await read(objects, key)
    change(message)
    return await objects.write(Update(Encoded.of(message), options))
