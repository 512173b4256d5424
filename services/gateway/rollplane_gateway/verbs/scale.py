"""The scale of whatever has replicas: ``autoscaling/v1 Scale``."""

from __future__ import annotations

from rollplane.autoscaling.v1 import Scale
from rollplane.meta.v1 import PartialObjectMetadata
from rollplane_gateway.bodies import read_body
from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import negotiate
from rollplane_gateway.options import write_options
from rollplane_gateway.rendering import Form, render_message
from rollplane_gateway.replies import Answer, Reply
from rollplane_gateway.tables import scale_table
from rollplane_gateway.verbs.answers import STORED_FORMS, message_reply
from rollplane_gateway.verbs.patch import patched
from rollplane_gateway.verbs.tabled import table_form
from rollplane_gateway.verbs.writing import check_name, place_in_namespace, written
from rollplane_machinery import api as asked
from rollplane_machinery.api import Preconditions
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.served import GroupVersion, ServedType
from rollplane_rules.registry.scale import scale_of

TYPE = ServedType(GroupVersion("autoscaling", "v1"), "Scale", Scale)


async def get_scale(call: Call) -> Answer:
    """Answer with the scale of the object as stored now."""
    return _answer(call, await call.backend.api.get(call.target.key))


async def replace_scale(call: Call) -> Answer:
    """Set the replicas; a resource version or uid in the scale is a precondition."""
    body = read_body(call.request, TYPE).expect(Scale)
    scale = body.message
    place_in_namespace(call, scale.metadata)
    check_name(call, scale.metadata)
    preconditions = Preconditions(scale.metadata.uid or None, scale.metadata.resource_version or None)
    request = asked.Scale(
        call.target.key, scale.spec.replicas, preconditions=preconditions, options=write_options(call)
    )
    return _answer(call, written(await call.backend.api.scale(request)), body.warnings)


async def patch_scale(call: Call) -> Answer:
    """Change the scale by a document."""
    result = await patched(call)
    return _answer(call, written(result), result.warnings)


def _answer(call: Call, encoded: Encoded, warnings: tuple[str, ...] = ()) -> Answer:
    scale = scale_of(call.target.kind, encoded.parse())
    wanted = negotiate(call.request.accept, STORED_FORMS)
    if wanted.form is not Form.TABLE:
        return message_reply(call, scale, TYPE, warnings=warnings)
    form = table_form(call, wanted)
    metadata = PartialObjectMetadata(metadata=scale.metadata)
    beside = render_message(metadata, Form.JSON, form.api_version, "PartialObjectMetadata")
    return Reply(scale_table(scale, form, call.backend.clock.now(), beside), wanted.form.media_type, warnings=warnings)
