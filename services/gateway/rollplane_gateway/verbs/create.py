"""POST to a collection."""

from __future__ import annotations

from http import HTTPStatus

from rollplane_gateway.calls import Call
from rollplane_gateway.options import write_options
from rollplane_gateway.replies import Answer
from rollplane_gateway.verbs.answers import object_reply
from rollplane_gateway.verbs.writing import read_object, written
from rollplane_machinery.api import Create
from rollplane_machinery.kinds import Encoded


async def create(call: Call) -> Answer:
    """Store a new object; 201 with what was stored."""
    obj, warnings = read_object(call)
    result = await call.backend.api.write(Create(Encoded.of(obj), write_options(call)))
    return object_reply(call, written(result), HTTPStatus.CREATED, (*warnings, *result.warnings))
