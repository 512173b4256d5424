"""Messages of known types out of encoded objects."""

from __future__ import annotations

from typing import TypeVar

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import TYPED_KINDS, ApiObject, Encoded, Kind

M = TypeVar("M", bound=ApiObject)


def kind_of(message_type: type[M]) -> Kind:
    """Return the kind whose objects are ``message_type``; raises BadRequestError when there is none."""
    for kind in TYPED_KINDS:
        if kind.message is message_type:
            return kind
    raise BadRequestError(f"{message_type.__name__} is no kind of object")


def parse(message_type: type[M], encoded: Encoded) -> M:
    """Return the message in ``encoded``; raises BadRequestError when it is of another kind or cannot be read."""
    message = encoded.parse()
    if not isinstance(message, message_type):
        raise BadRequestError(f"want a {message_type.__name__}, not a {encoded.kind.name}")
    return message
