"""PUT of a namespace's finalizers: it goes when none is left, whatever is still in it."""

from __future__ import annotations

import orjson

from rollplane.core.v1 import Namespace
from rollplane_gateway.calls import Call
from rollplane_gateway.options import write_options
from rollplane_gateway.replies import Answer
from rollplane_gateway.verbs.answers import object_reply
from rollplane_gateway.verbs.writing import check_name, read_object, written
from rollplane_machinery.api import Patch, PatchType
from rollplane_machinery.errors import BadRequestError


async def finalize(call: Call) -> Answer:
    """Replace ``spec.finalizers``; the rest of the body is passed over, but for a resource version."""
    obj, warnings = read_object(call)
    check_name(call, obj.metadata)
    if not isinstance(obj, Namespace):
        raise BadRequestError("only a Namespace has finalizers in its spec")
    document: dict[str, object] = {"spec": {"finalizers": list(obj.spec.finalizers)}}
    if obj.metadata.resource_version:
        document["metadata"] = {"resourceVersion": obj.metadata.resource_version}
    patch = Patch(call.target.key, PatchType.MERGE, orjson.dumps(document), "finalize", write_options(call))
    return object_reply(call, written(await call.backend.api.write(patch)), warnings=warnings)
