"""Patches applied to objects: message to JSON, patched, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.api import PatchType
from rollplane_machinery.codec import message_and_left_out, read_sent, to_json
from rollplane_machinery.codec.sent import Steps
from rollplane_machinery.errors import BadRequestError, UnsupportedError
from rollplane_machinery.field_validation import FieldValidation, field_sentence
from rollplane_machinery.patch.json_patch import json_patch
from rollplane_machinery.patch.json_value import Json, JsonObject, check_depth, expect_object
from rollplane_machinery.patch.merge_patch import merge_patch
from rollplane_machinery.patch.strategic import strategic_merge_patch
from rollplane_machinery.shapes.shapes import shape_of

_M = TypeVar("_M", bound=Message)


@dataclass(frozen=True, slots=True)
class Patched(Generic[_M]):
    """A patched message, and a sentence for each field that was left out of it because nobody knows it."""

    message: _M
    warnings: tuple[str, ...] = ()


def apply(message: _M, patch_type: PatchType, patch: bytes) -> _M:
    """Return a new message: ``message`` changed as ``patch`` says, strictly. Raises as ``patched`` does."""
    return patched(message, patch_type, patch).message


def patched(
    message: _M, patch_type: PatchType, patch: bytes, validation: FieldValidation = FieldValidation.STRICT
) -> Patched[_M]:
    """Return a new message: ``message`` changed as ``patch`` says. Nothing is defaulted.

    Raises BadRequestError for a patch that is malformed or an APPLY (which ``fields`` makes), changes apiVersion or
    kind, or leads to wrong types or, if ``validation`` is STRICT, to fields that are unknown or given twice (one cause
    for each, with its path); InvalidError when a path of a JSON patch is missing or a test in it fails;
    RequestTooLargeError for a JSON patch or a strategic merge patch beyond its limits.
    """
    algorithm = _ALGORITHMS.get(patch_type)
    if algorithm is None:
        raise BadRequestError(f"{patch_type.value} is no patch that can be made without knowing the owners of fields")
    if patch_type is PatchType.STRATEGIC_MERGE and isinstance(message, StoredObject) and message.HasField("custom"):
        raise UnsupportedError(f"nothing is known of {message.kind} by which a strategic merge patch could go")
    document: JsonObject = to_json(message)
    sent = read_sent(patch)
    check_depth(sent.value)
    changed = expect_object(algorithm(document, sent.value, _shape(message)), "the patched object")
    for name in ("apiVersion", "kind"):
        if changed.get(name) != document.get(name):
            raise BadRequestError(f"a patch cannot change {name}")
    found = _read(type(message), changed, sent.duplicates, validation)
    if isinstance(message, StoredObject) and isinstance(found.message, StoredObject) and message.HasField("custom"):
        found.message.custom.CopyFrom(message.custom)  # which no document shows
    return found


def _shape(message: Message) -> Descriptor:
    """Return what is known of ``message``: of an object that is kept as JSON, what Kubernetes' message looks like."""
    kept = shape_of(message.api_version, message.kind) if isinstance(message, StoredObject) else None
    return kept or cast("Descriptor", message.DESCRIPTOR)


def _read(
    type_: type[_M], changed: JsonObject, duplicates: Sequence[Steps], validation: FieldValidation
) -> Patched[_M]:
    is_strict = validation is FieldValidation.STRICT
    message, left_out = message_and_left_out(type_, changed, duplicates, strict=is_strict)
    return Patched(message, tuple(map(field_sentence, left_out)) if validation is FieldValidation.WARN else ())


def _strategic(document: JsonObject, patch: Json, descriptor: Descriptor) -> Json:
    return strategic_merge_patch(document, expect_object(patch, "a strategic merge patch"), descriptor)


def _merge(document: JsonObject, patch: Json, _descriptor: Descriptor) -> Json:
    return merge_patch(document, expect_object(patch, "a merge patch"))


def _operations(document: JsonObject, patch: Json, _descriptor: Descriptor) -> Json:
    patched = json_patch(document, patch)
    check_depth(patched)  # merging nests no deeper than its parts, but operations can add to what others added
    return patched


_ALGORITHMS: Mapping[PatchType, Callable[[JsonObject, Json, Descriptor], Json]] = MappingProxyType(
    {PatchType.JSON: _operations, PatchType.MERGE: _merge, PatchType.STRATEGIC_MERGE: _strategic}
)
