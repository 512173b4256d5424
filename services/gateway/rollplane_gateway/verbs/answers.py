"""Objects and lists as answers in the form that was asked for."""

from __future__ import annotations

from http import HTTPStatus

from google.protobuf.message import Message

from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import OBJECT_FORMS, Wanted, negotiate
from rollplane_gateway.rendering import Form, ListHead, render_message
from rollplane_gateway.replies import Reply
from rollplane_gateway.tables import object_table, page_table
from rollplane_gateway.verbs.tabled import table_form
from rollplane_machinery.api import Page
from rollplane_machinery.codec.shaped import has_protobuf
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.served import ServedType

STORED_FORMS = frozenset(Form)
"""The forms of what is stored."""
_FORMS_OF_JSON = STORED_FORMS - {Form.PROTOBUF}


def forms_of(call: Call) -> frozenset[Form]:
    """Return the forms of the objects in question; what is kept as JSON may have no protobuf of Kubernetes' own."""
    target = call.target
    has_none = target.kind.is_stored_only and not has_protobuf(target.api_version, target.kind.name)
    return _FORMS_OF_JSON if has_none else STORED_FORMS


def object_reply(call: Call, encoded: Encoded, status: int = HTTPStatus.OK, warnings: tuple[str, ...] = ()) -> Reply:
    """Return a stored object as the client wants to see it."""
    wanted = negotiate(call.request.accept, forms_of(call))
    return Reply(_object_body(call, encoded, wanted), wanted.form.media_type, status, warnings=warnings)


def _object_body(call: Call, encoded: Encoded, wanted: Wanted) -> bytes:
    if wanted.form is Form.TABLE:
        return object_table(encoded, table_form(call, wanted), call.backend.clock.now())
    return call.backend.renderer.object(encoded, wanted.form, wanted.api_version(call.target.api_version))


async def page_reply(call: Call, page: Page) -> Reply:
    """Return a list of stored objects as the client wants to see it."""
    wanted = negotiate(call.request.accept, forms_of(call))
    return Reply(await _list_body(call, page, wanted), wanted.form.media_type)


async def _list_body(call: Call, page: Page, wanted: Wanted) -> bytes:
    if wanted.form is Form.TABLE:
        return await page_table(call.target.kind, page, table_form(call, wanted), call.backend.clock.now())
    head = ListHead(
        wanted.api_version(call.target.api_version),
        call.target.resource.type.name,
        page.revision,
        page.continue_token,
        page.remaining_item_count or None,
    )
    return await call.backend.renderer.list(call.target.kind, head, page.objects, wanted.form)


def message_reply(
    call: Call, message: Message, type_: ServedType, status: int = HTTPStatus.OK, warnings: tuple[str, ...] = ()
) -> Reply:
    """Return what is no stored object: a Scale, a Status, a review."""
    form = negotiate(call.request.accept, OBJECT_FORMS).form
    body = render_message(message, form, str(type_.group_version), type_.name)
    return Reply(body, form.media_type, status, warnings=warnings)
