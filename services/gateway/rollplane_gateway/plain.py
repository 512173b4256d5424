"""The plainest rendering: every object is parsed and printed by the codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.message import Message

from rollplane.meta.v1 import ObjectMeta, PartialObjectMetadata, TypeMeta, Unknown
from rollplane_gateway.rendering.forms import Form
from rollplane_machinery.codec import dump_yaml, to_json
from rollplane_machinery.kinds import Encoded

PROTOBUF_PREFIX = b"k8s\0"


@dataclass(frozen=True, slots=True)
class ListHead:
    """What a list says of itself; ``kind`` is that of an item."""

    api_version: str
    kind: str
    resource_version: int
    continue_token: str = ""
    remaining_item_count: int | None = None


def render_object(encoded: Encoded, form: Form, api_version: str) -> bytes:
    """Return one object in ``form``, dressed as ``api_version``."""
    return _encoded(_printed(encoded, api_version), form)


def render_partial(metadata: ObjectMeta, api_version: str) -> bytes:
    """Return an object's metadata alone, in JSON, as a PartialObjectMetadata."""
    printed = to_json(PartialObjectMetadata(metadata=metadata))
    return orjson.dumps({"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": printed["metadata"]})


def render_list(head: ListHead, objects: Sequence[Encoded], form: Form) -> bytes:
    """Return a list in ``form``."""
    metadata: dict[str, Any] = {"resourceVersion": str(head.resource_version)}
    if head.continue_token:
        metadata["continue"] = head.continue_token
    if head.remaining_item_count is not None:
        metadata["remainingItemCount"] = head.remaining_item_count
    items = [_item(encoded, head.api_version) for encoded in objects]
    document = {"kind": f"{head.kind}List", "apiVersion": head.api_version, "metadata": metadata, "items": items}
    return _encoded(document, form)


def render_message(message: Message, form: Form, api_version: str, kind: str) -> bytes:
    """Return a message that is no stored object: a Scale, a Status."""
    if form.media_type.endswith("protobuf"):
        return envelope(message.SerializeToString(deterministic=True), api_version, kind)
    return _encoded({**to_json(message), "kind": kind, "apiVersion": api_version}, form)


def envelope(raw: bytes, api_version: str, kind: str) -> bytes:
    """Return a serialized message as the body of a REST answer in protobuf."""
    unknown = Unknown(type_meta=TypeMeta(api_version=api_version, kind=kind), raw=raw)
    return PROTOBUF_PREFIX + unknown.SerializeToString(deterministic=True)


def _printed(encoded: Encoded, api_version: str) -> dict[str, Any]:
    return {**to_json(encoded.parse()), "apiVersion": api_version}


def _item(encoded: Encoded, api_version: str) -> dict[str, Any]:
    """The items of a list do not say again what the list says."""
    printed = _printed(encoded, api_version)
    return {name: value for name, value in printed.items() if name not in ("apiVersion", "kind")}


def _encoded(document: dict[str, Any], form: Form) -> bytes:
    return dump_yaml(document).encode() if form is Form.YAML else orjson.dumps(document) + b"\n"
