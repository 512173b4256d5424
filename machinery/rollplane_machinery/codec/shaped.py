"""Objects that are kept as JSON as Kubernetes' messages of their kinds: to fill in, as protobuf, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf.message_factory import GetMessageClass

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.codec.objects import message_from_json, message_to_json, to_json
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.shapes.shapes import shape_of


@dataclass(frozen=True, slots=True)
class Shaped:
    """An object as Kubernetes' message of its kind; what is changed in ``message`` is ``put_into`` what is kept."""

    message: Any

    def put_into(self, stored: StoredObject) -> None:
        """Have ``stored`` say what the message says; of the metadata only labels are added."""
        document = message_to_json(self.message)
        document.pop("metadata", None)
        told = message_from_json(StoredObject, document, strict=False)
        for name in ("spec", "status", "members"):
            stored.ClearField(name)
        stored.MergeFrom(told)
        stored.metadata.labels.update(self.message.metadata.labels)


def read_shaped(obj: StoredObject) -> Shaped | None:
    """Return ``obj`` as Kubernetes' message of its kind, None where nothing is known of that.

    What the message does not know is left out. Raises BadRequestError for values of other types, InternalError for what
    is no JSON.
    """
    shape = shape_of(obj.api_version, obj.kind)
    if shape is None:
        return None
    document = {name: value for name, value in to_json(obj).items() if name not in ("apiVersion", "kind")}
    return Shaped(message_from_json(GetMessageClass(shape), document, strict=False))


def has_protobuf(api_version: str, kind: str) -> bool:
    """Whether it is known what Kubernetes' message of that kind looks like."""
    return shape_of(api_version, kind) is not None


def from_protobuf(raw: bytes, api_version: str, kind: str) -> StoredObject:
    """Return the object in the message ``raw``; raises DecodeError when it is none, NotFoundError for another kind."""
    shape = shape_of(api_version, kind)
    if shape is None:
        raise _unknown(api_version, kind)
    typed = GetMessageClass(shape).FromString(raw)
    return message_from_json(StoredObject, {"apiVersion": api_version, "kind": kind, **message_to_json(typed)})


def to_protobuf(obj: StoredObject) -> bytes:
    """Return ``obj`` as Kubernetes' message of its kind, without what that does not know.

    Raises NotFoundError for a kind of which that is not known, BadRequestError for values of other types.
    """
    shaped = read_shaped(obj)
    if shaped is None:
        raise _unknown(obj.api_version, obj.kind)
    message: bytes = shaped.message.SerializeToString(deterministic=True)
    return message


def _unknown(api_version: str, kind: str) -> NotFoundError:
    return NotFoundError(f"nothing is known of the protobuf of {kind} in {api_version}")
