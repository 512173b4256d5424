"""GET: one object, or a collection, listed or watched."""

from __future__ import annotations

from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import negotiate
from rollplane_gateway.plain import ListHead, render_list
from rollplane_gateway.replies import Answer, Reply
from rollplane_gateway.statuses import not_allowed
from rollplane_gateway.verbs.answers import object_reply
from rollplane_machinery.api import ListQuery


async def get(call: Call) -> Answer:
    """Answer with the object as stored now."""
    return object_reply(call, await call.backend.api.get(call.target.key))


async def read_collection(call: Call) -> Answer:
    """List the collection, or watch it where ``watch`` says so."""
    if call.target.is_watch or call.request.query.flag("watch"):
        raise not_allowed()
    return await _listed(call)


async def _listed(call: Call) -> Reply:
    query = call.request.query
    page = await call.backend.api.list(
        ListQuery(
            call.target.kind,
            call.target.namespace,
            query.text("labelSelector"),
            query.text("fieldSelector"),
            query.number("limit") or 0,
            query.text("continue"),
        )
    )
    form = negotiate(call.request.accept).form
    head = ListHead(
        call.target.api_version,
        call.target.resource.type.name,
        page.revision,
        page.continue_token,
        page.remaining_item_count or None,
    )
    return Reply(render_list(head, page.objects, form), form.media_type)
