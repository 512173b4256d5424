"""GET: one object, or a collection, listed or watched."""

from __future__ import annotations

from rollplane_gateway.calls import Call
from rollplane_gateway.replies import Answer
from rollplane_gateway.verbs.answers import object_reply, page_reply
from rollplane_gateway.verbs.listing import listed
from rollplane_gateway.verbs.watch import is_watch, watch
from rollplane_machinery.api import ListQuery


async def get(call: Call) -> Answer:
    """Answer with the object as stored now, or with what happens to it where the path is that of a watch."""
    if is_watch(call):
        return watch(call)
    if version := call.request.query.version():
        await _wait_for(call, version)
    return object_reply(call, await call.backend.api.get(call.target.key))


async def _wait_for(call: Call, version: int) -> None:
    """Block until the plane has reached ``version``; raises TimedOutError when that is not soon."""
    await call.backend.api.list(ListQuery(call.target.kind, call.target.namespace, limit=1, min_revision=version))


async def read_collection(call: Call) -> Answer:
    """List the collection, or watch it where ``watch`` says so."""
    return watch(call) if is_watch(call) else await page_reply(call, await listed(call))
