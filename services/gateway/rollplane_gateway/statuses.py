"""Whatever goes wrong, told as a Kubernetes Status."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus

from rollplane.meta.v1 import Status, StatusDetails
from rollplane_gateway.rendering import Form, render_message
from rollplane_gateway.replies import Reply
from rollplane_machinery.errors import InternalError, Reason, RollplaneError
from rollplane_machinery.kinds import BY_RESOURCE
from rollplane_machinery.served import Served
from rollplane_machinery.wire.status import encode_object_status

log = logging.getLogger(__name__)


class RefusedError(Exception):
    """What only HTTP knows is wrong: a media type, a method, a header."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message


def status_of(error: Exception, served: Served | None = None) -> Status:
    """Return what a client is told of ``error``, about what is ``served``; a defect is logged, and told as one."""
    if isinstance(error, RefusedError):
        return Status(
            status="Failure",
            message=error.message,
            reason=error.reason,
            details=StatusDetails(),
            code=error.code,
        )
    if not isinstance(error, RollplaneError):
        log.error("a request failed by a defect", exc_info=error)
        error = InternalError("Internal error occurred: recorded in the server's log")
    status = encode_object_status(error)
    if error.reason is Reason.INVALID and (name := _kind_name(error.resource, served)):
        status.details.kind = name
    return status


def _kind_name(resource: str, served: Served | None) -> str:
    if resource in BY_RESOURCE:
        return BY_RESOURCE[resource].name
    return "" if served is None else served.kind_names.get(resource, "")


def reply_of(error: Exception, form: Form = Form.JSON, served: Served | None = None) -> Reply:
    """Return ``error`` as an answer; with it, when to come again."""
    return status_reply(status_of(error, served), form)


def status_reply(status: Status, form: Form = Form.JSON, warnings: tuple[str, ...] = ()) -> Reply:
    """Return a Status as an answer, with its code and, where it says so, ``Retry-After``."""
    if form not in (Form.PROTOBUF, Form.YAML):
        form = Form.JSON
    seconds = status.details.retry_after_seconds
    headers = {"Retry-After": str(math.ceil(seconds))} if seconds else {}
    body = render_message(status, form, "v1", "Status")
    return Reply(body, form.media_type, status.code or HTTPStatus.OK, headers, warnings)


def error_form(accept: str) -> Form:
    """Return the form of an error: protobuf for who asks for it first, else JSON."""
    return Form.PROTOBUF if accept.startswith(Form.PROTOBUF.media_type) else Form.JSON


def not_served() -> RefusedError:
    """Nothing is served at the path."""
    return RefusedError(HTTPStatus.NOT_FOUND, Reason.NOT_FOUND, "the server could not find the requested resource")


def not_allowed() -> RefusedError:
    """The path is served, but not by this method."""
    message = "the server does not allow this method on the requested resource"
    return RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, Reason.UNSUPPORTED, message)
