"""Reading and editing one object: what the rollout verbs need beside the Api."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol
from weakref import WeakValueDictionary

from rollplane_machinery.api import Key, ObjectApi, WriteOptions, WriteResult
from rollplane_machinery.kinds import ApiObject

Change = Callable[[ApiObject], None]
"""Alters a message in place; raises to refuse. It may be asked several times, about newer states."""


class EditingApi(ObjectApi, Protocol):
    """Objects, and a write that is computed from what is stored."""

    async def edit(self, key: Key, change: Change, options: WriteOptions, subresource: str = "") -> WriteResult:
        """Apply ``change`` to what is stored, again when somebody else wrote in between; raises as ``change`` does.

        Where fields are tracked, it is by way of ``subresource`` that they were written.
        """
        ...

    async def made_before(self, key: Key, options: WriteOptions) -> WriteResult | None:
        """Return what an earlier sending of a repeat came to; None when none was made, or ever will be."""
        ...


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
