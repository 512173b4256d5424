"""The type that an object bears in an answer, and how its members follow from what is stored."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from rollplane.stored.v1 import StoredObject
from rollplane_gateway.rendering.forms import Form
from rollplane_gateway.rendering.json_text import json_bytes
from rollplane_machinery import codec
from rollplane_machinery.codec.shaped import to_protobuf
from rollplane_machinery.dresses import Dress
from rollplane_machinery.kinds import Encoded

PARTIAL_KIND = "PartialObjectMetadata"
"""Metadata alone bear a type of their own, whatever they belong to."""


@lru_cache(maxsize=1024)
def type_members(form: Form, api_version: str, kind: str, of_list: str = "") -> bytes:
    """Return the members ``kind`` and ``apiVersion`` in JSON; ``of_list`` is "List" for those of a list."""
    return json_bytes({"kind": kind_in(form, kind) + of_list, "apiVersion": api_version})[1:-1]


def kind_in(form: Form, kind: str) -> str:
    """Return the kind as told in ``form``."""
    return PARTIAL_KIND if form.is_partial else kind


def dressed_text(dress: Dress) -> Callable[[Encoded], bytes]:
    """Return what gives the members of an object in another version than the stored one."""
    return lambda encoded: json_bytes(codec.message_to_json(dress.put_on(encoded.parse())))[1:-1]


def dressed_message(dress: Dress, encoded: Encoded) -> bytes:
    """Return the message of an object in another version than the stored one."""
    return dress.put_on(encoded.parse()).SerializeToString(deterministic=True)


def shaped_message(dress: Dress | None, encoded: Encoded) -> bytes:
    """Return the message of an object that is kept as JSON."""
    stored = encoded.read_as(StoredObject)
    shown = stored if dress is None else dress.put_on(stored)
    if not isinstance(shown, StoredObject):
        raise TypeError(f"{encoded.kind.resource} is shown as {type(shown).__name__}")
    return to_protobuf(shown)
