"""POST to a pod's eviction or binding."""

from __future__ import annotations

from http import HTTPStatus

from rollplane.core.v1 import Binding
from rollplane.meta.v1 import DeleteOptions, Status
from rollplane.policy.v1 import Eviction
from rollplane_gateway.bodies import read_body
from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import negotiate
from rollplane_gateway.options import check_dry_run, write_options
from rollplane_gateway.replies import Answer
from rollplane_gateway.statuses import status_reply
from rollplane_gateway.verbs.writing import check_place
from rollplane_machinery.api import Bind, Evict, Preconditions, Write
from rollplane_machinery.served import POLICY, POLICY_BETA, GroupVersion, ServedType

_EVICTION = ServedType(POLICY, "Eviction", Eviction)
_BINDING = ServedType(GroupVersion("", "v1"), "Binding", Binding)


async def evict(call: Call) -> Answer:
    """Delete the pod unless a budget forbids it."""
    body = read_body(call.request, _EVICTION, [POLICY_BETA]).expect(Eviction)
    check_place(call, body.message.metadata, "Eviction")
    options = body.message.delete_options
    check_dry_run(options.dry_run)
    write = Evict(
        call.target.key,
        options.grace_period_seconds if options.HasField("grace_period_seconds") else None,
        _preconditions(options),
        write_options(call, dry_run=bool(options.dry_run)),
    )
    return await _done(call, write, body.warnings)


async def bind(call: Call) -> Answer:
    """Assign the pod to a node."""
    body = read_body(call.request, _BINDING).expect(Binding)
    metadata = body.message.metadata
    check_place(call, metadata, "Binding")
    preconditions = Preconditions(metadata.uid or None, metadata.resource_version or None)
    write = Bind(call.target.key, body.message.target.name, preconditions, write_options(call))
    return await _done(call, write, body.warnings)


async def _done(call: Call, write: Write, warnings: tuple[str, ...]) -> Answer:
    await call.backend.api.write(write)
    status = Status(status="Success", code=HTTPStatus.CREATED)
    return status_reply(status, negotiate(call.request.accept).form, warnings)


def _preconditions(options: DeleteOptions) -> Preconditions:
    return Preconditions(options.preconditions.uid or None, options.preconditions.resource_version or None)
