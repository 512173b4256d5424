"""GET: one object, or a collection, listed or watched."""

from __future__ import annotations

from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import Wanted, negotiate
from rollplane_gateway.rendering import Form, ListHead
from rollplane_gateway.replies import Answer, Reply
from rollplane_gateway.tables import page_table
from rollplane_gateway.verbs.answers import STORED_FORMS, object_reply
from rollplane_gateway.verbs.listing import listed, version_number
from rollplane_gateway.verbs.tabled import table_form
from rollplane_gateway.verbs.watch import is_watch, watch
from rollplane_machinery.api import ListQuery, Page


async def get(call: Call) -> Answer:
    """Answer with the object as stored now, or with what happens to it where the path is that of a watch."""
    if is_watch(call):
        return watch(call)
    if version := version_number(call.request.query.text("resourceVersion")):
        await _wait_for(call, version)
    return object_reply(call, await call.backend.api.get(call.target.key))


async def _wait_for(call: Call, version: int) -> None:
    """Block until the plane has reached ``version``; raises TimedOutError when that is not soon."""
    await call.backend.api.list(ListQuery(call.target.kind, call.target.namespace, limit=1, min_revision=version))


async def read_collection(call: Call) -> Answer:
    """List the collection, or watch it where ``watch`` says so."""
    return watch(call) if is_watch(call) else await _listed(call)


async def _listed(call: Call) -> Reply:
    page = await listed(call)
    wanted = negotiate(call.request.accept, STORED_FORMS)
    return Reply(_list_body(call, page, wanted), wanted.form.media_type)


def _list_body(call: Call, page: Page, wanted: Wanted) -> bytes:
    if wanted.form is Form.TABLE:
        return page_table(call.target.kind, page, table_form(call, wanted), call.backend.clock.now())
    head = ListHead(
        wanted.api_version(call.target.api_version),
        call.target.resource.type.name,
        page.revision,
        page.continue_token,
        page.remaining_item_count or None,
    )
    return call.backend.renderer.list(call.target.kind, head, page.objects, wanted.form)
