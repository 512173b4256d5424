"""DELETE of an object, or of what selectors match in a collection."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from rollplane.meta.v1 import DeleteOptions, Status, StatusDetails
from rollplane_gateway.bodies import read_body
from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import negotiate
from rollplane_gateway.options import check_dry_run, write_options
from rollplane_gateway.refusals import invalid, refused_options, unsupported
from rollplane_gateway.replies import Answer
from rollplane_gateway.statuses import status_reply
from rollplane_gateway.verbs.answers import object_reply, page_reply
from rollplane_gateway.verbs.listing import listed
from rollplane_machinery import kinds
from rollplane_machinery.api import Delete, Preconditions, Propagation, WriteResult
from rollplane_machinery.errors import (
    ConflictError,
    NotFoundError,
    RollplaneError,
)
from rollplane_machinery.kinds import Encoded, Key, metadata_of
from rollplane_machinery.served import GroupVersion, ServedType

_TOLD_WHOLE = frozenset({kinds.POD, kinds.PERSISTENT_VOLUME_CLAIM, kinds.SERVICE, kinds.SERVICE_ACCOUNT})
"""Kinds of which a deletion is answered with the object that was, as upstream's ReturnDeletedObject has it."""

_BATCH = 500
"""How many deletions go in one batch."""
_META = GroupVersion("meta.k8s.io", "v1")
_OPTIONS = ServedType(GroupVersion("", "v1"), "DeleteOptions", DeleteOptions)


async def delete(call: Call) -> Answer:
    """Remove the object.

    Answered with a Status that names its uid; with the object while something holds it, and for some kinds anyway.
    """
    options = delete_options(call)
    result = await call.backend.api.write(_write(call, call.target.key, options))
    if result.object is None or (result.removed and call.target.kind not in _TOLD_WHOLE):
        return _gone(call, result.object)
    waits = not result.removed and options.HasField("orphan_dependents") and not options.orphan_dependents
    return object_reply(call, result.object, HTTPStatus.ACCEPTED if waits else HTTPStatus.OK)


async def delete_collection(call: Call) -> Answer:
    """Remove what a list would show; answered with that list, less what was gone or replaced meanwhile.

    Everything is tried; then the first failure is raised, if there was one.
    """
    options = delete_options(call)
    page = await listed(call)
    gone: list[Encoded] = []
    failures: list[RollplaneError] = []
    # Without preconditions of the client's own a conflict says that another object bears the name by now.
    passed = NotFoundError if options.HasField("preconditions") else (NotFoundError, ConflictError)
    for at in range(0, len(page.objects), _BATCH):
        some = page.objects[at : at + _BATCH]
        results = await call.backend.api.batch([_deletion(call, found, options) for found in some])
        for found, result in zip(some, results, strict=True):
            if isinstance(result, WriteResult):
                gone.append(found)
            elif not isinstance(result, passed):
                failures.append(result)
    if failures:
        raise failures[0]
    return await page_reply(call, replace(page, objects=gone))


def _deletion(call: Call, found: Encoded, options: DeleteOptions) -> Delete:
    """Return the deletion of just what was listed, under a token of its own."""
    write = _write(call, found.key, options)
    preconditions = replace(write.preconditions, uid=write.preconditions.uid or metadata_of(found.value).uid)
    return replace(write, preconditions=preconditions, options=replace(write.options, omit_object=True))


def _write(call: Call, key: Key, options: DeleteOptions) -> Delete:
    return Delete(
        key,
        options.grace_period_seconds if options.HasField("grace_period_seconds") else None,
        propagation_of(options),
        Preconditions(options.preconditions.uid or None, options.preconditions.resource_version or None),
        write_options(call, dry_run=bool(options.dry_run)),
    )


def delete_options(call: Call) -> DeleteOptions:
    """Return what the body says, and where it says nothing the parameters of the same names."""
    options = DeleteOptions()
    if call.request.body.strip():
        # Typed clients say the version of what they delete, which knows these options as well.
        also = (_META, call.target.resource.group_version)
        options = read_body(call.request, _OPTIONS, also).expect(DeleteOptions).message
    query = call.request.query
    seconds = query.number("gracePeriodSeconds")
    if seconds is not None and not options.HasField("grace_period_seconds"):
        options.grace_period_seconds = seconds
    if query.text("propagationPolicy") and not options.propagation_policy:
        options.propagation_policy = query.text("propagationPolicy")
    check_dry_run(options.dry_run)
    return options


def propagation_of(options: DeleteOptions) -> Propagation | None:
    """Return what becomes of dependents; raises InvalidError for a word that is none, or for both forms at once."""
    if options.HasField("orphan_dependents"):
        if options.propagation_policy:
            message = "orphanDependents and deletionPropagation cannot be both set"
            raise refused_options("DELETE", [invalid("propagationPolicy", options.propagation_policy, message)])
        return Propagation.ORPHAN if options.orphan_dependents else Propagation.BACKGROUND
    if not options.propagation_policy:
        return None
    try:
        return Propagation(options.propagation_policy)
    except ValueError:
        cause = unsupported("propagationPolicy", options.propagation_policy, [each.value for each in Propagation])
        raise refused_options("DELETE", [cause]) from None


def _gone(call: Call, last: Encoded | None) -> Answer:
    details = StatusDetails(
        name=call.target.name,
        group=call.target.resource.group_version.group or None,
        kind=call.target.resource.plural,
        uid=None if last is None else metadata_of(last.value).uid,
    )
    return _success(call, details)


def _success(call: Call, details: StatusDetails) -> Answer:
    status = Status(status="Success", details=details)
    return status_reply(status, negotiate(call.request.accept).form)
