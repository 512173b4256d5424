"""PUT of an object, or of its status."""

from __future__ import annotations

from rollplane_gateway.calls import Call
from rollplane_gateway.options import write_options
from rollplane_gateway.replies import Answer
from rollplane_gateway.verbs.answers import object_reply
from rollplane_gateway.verbs.writing import check_name, read_object, written
from rollplane_machinery.api import Update, UpdateStatus
from rollplane_machinery.kinds import Encoded


async def update(call: Call) -> Answer:
    """Replace all but the status."""
    obj, warnings = read_object(call)
    check_name(call, obj.metadata)
    result = await call.backend.api.write(Update(Encoded.of(obj), write_options(call)))
    return object_reply(call, written(result), warnings=warnings)


async def update_status(call: Call) -> Answer:
    """Replace the status."""
    obj, warnings = read_object(call)
    check_name(call, obj.metadata)
    result = await call.backend.api.write(UpdateStatus(Encoded.of(obj), write_options(call)))
    return object_reply(call, written(result), warnings=warnings)
