"""What all writes share: the object in a body, where the path puts it, and the object in an answer."""

from __future__ import annotations

from rollplane.meta.v1 import ObjectMeta
from rollplane_gateway.bodies import read_body
from rollplane_gateway.calls import Call
from rollplane_machinery.api import WriteResult
from rollplane_machinery.errors import BadRequestError, InternalError
from rollplane_machinery.kinds import ApiObject, Encoded


def read_object(call: Call) -> tuple[ApiObject, tuple[str, ...]]:
    """Return the object that was sent, in the namespace of the path, and the warnings on it."""
    body = read_body(call.request, call.target.resource.type)
    obj = body.message
    if not isinstance(obj, ApiObject):
        raise TypeError(f"{obj.DESCRIPTOR.full_name} is no stored kind")
    place_in_namespace(call, obj.metadata)
    return obj, body.warnings


def place_in_namespace(call: Call, metadata: ObjectMeta) -> None:
    """Put what has ``metadata`` where the path says; raises BadRequestError when it says otherwise itself."""
    wanted = call.target.namespace
    if wanted and metadata.namespace and metadata.namespace != wanted:
        raise BadRequestError("the namespace of the provided object does not match the namespace sent on the request")
    metadata.namespace = wanted


def check_place(call: Call, metadata: ObjectMeta, kind: str) -> None:
    """Raise BadRequestError unless a message of ``kind``, posted below an object, names that object's place."""
    place_in_namespace(call, metadata)
    if metadata.name != call.target.name:
        raise BadRequestError(f"name in URL does not match name in {kind} object")


def check_name(call: Call, metadata: ObjectMeta) -> None:
    """Raise BadRequestError unless ``metadata`` bears the name in the path."""
    name, wanted = metadata.name, call.target.name
    if not name:
        raise BadRequestError(
            f"the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
        )
    if name != wanted:
        raise BadRequestError(f"the name of the object ({name}) does not match the name on the URL ({wanted})")


def written(result: WriteResult) -> Encoded:
    """Return the object a write answered with; raises InternalError when it has none."""
    if result.object is None:
        raise InternalError("a write was answered without its object")
    return result.object
