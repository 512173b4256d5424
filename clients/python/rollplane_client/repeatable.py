"""Which writes may be sent again when nobody knows whether the first sending was committed, and what a refusal of
the second sending means.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rollplane_client.identity import metadata_of, written_key
from rollplane_machinery.api import (
    Bind,
    Create,
    Delete,
    Evict,
    ListQuery,
    ObjectApi,
    Update,
    UpdateStatus,
    Write,
    WriteResult,
)
from rollplane_machinery.errors import AlreadyExistsError, ConflictError, NotFoundError, RollplaneError
from rollplane_machinery.metadata import controller_uid

Settle = Callable[[Write, RollplaneError], Awaitable[WriteResult | RollplaneError]]
"""Decides what a refusal means that a repeated write met: success (its first sending was committed) or the error."""


def is_repeatable(write: Write) -> bool:
    """Return whether sending ``write`` twice can never do what sending it once would not.

    A create needs a name of its own, an update a resource_version (a status a uid will do, for it replaces the whole
    status), a deletion or eviction a uid or a resource_version. A binding to one node is the same twice. A patch may
    append to a list, so it never is.
    """
    if isinstance(write, Create):
        return bool(written_key(write).name)
    if isinstance(write, Update):
        return bool(metadata_of(write.object.value).resource_version)
    if isinstance(write, UpdateStatus):
        metadata = metadata_of(write.object.value)
        return bool(metadata.resource_version or metadata.uid)
    if isinstance(write, Delete | Evict):
        return bool(write.preconditions.uid or write.preconditions.resource_version)
    return isinstance(write, Bind)


async def keep_refusal(write: Write, error: RollplaneError) -> WriteResult | RollplaneError:
    """Return ``error``: the caller finds out by itself what became of its write."""
    return error


def settle_by_owner(api: ObjectApi) -> Settle:
    """Return the controllers' rule, which looks at what is stored now.

    A create that finds its name taken has succeeded if the object there has the same controller as the one sent. A
    deletion or eviction by uid that finds nothing has succeeded; its revision is that of the store now, which no
    earlier write is above. An update that meets another version may have met its own first sending: it is answered
    with the version stored now, so that its key is not planned again before the cache has seen that one. Everything
    else stays refused. What reading raises is raised, and the write repeated.
    """

    async def settle(write: Write, error: RollplaneError) -> WriteResult | RollplaneError:
        if isinstance(write, Delete | Evict) and isinstance(error, NotFoundError):
            page = await api.list(ListQuery(write.key.kind, namespace=write.key.namespace, limit=1))
            return WriteResult(revision=page.revision, removed=True)
        if isinstance(write, Update | UpdateStatus) and isinstance(error, ConflictError):
            return await _stored_now(api, write, error)
        if isinstance(write, Create) and isinstance(error, AlreadyExistsError):
            return await _created_before(api, write, error)
        return error

    return settle


async def _stored_now(
    api: ObjectApi, write: Update | UpdateStatus, error: RollplaneError
) -> WriteResult | RollplaneError:
    try:
        stored = await api.get(written_key(write))
    except NotFoundError:
        return error
    return WriteResult(revision=int(metadata_of(stored.value).resource_version))


async def _created_before(api: ObjectApi, write: Create, error: RollplaneError) -> WriteResult | RollplaneError:
    ours = controller_uid(metadata_of(write.object.value))
    try:
        stored = await api.get(written_key(write))
    except NotFoundError:
        return error  # created, and deleted since: the caller looks again and decides anew
    if not ours or controller_uid(metadata_of(stored.value)) != ours:
        return error
    revision = int(metadata_of(stored.value).resource_version)
    return WriteResult(revision=revision, object=None if write.options.omit_object else stored)
