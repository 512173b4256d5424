"""Messages that are not stored (Status, Scale, the answers of reviews) as bytes, and what a list says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import Message

from rollplane.meta.v1 import ListMeta
from rollplane_gateway.rendering.envelope import wrapped
from rollplane_gateway.rendering.forms import Form
from rollplane_gateway.rendering.json_text import json_bytes
from rollplane_machinery import codec


def render_message(message: Message, form: Form, api_version: str, kind: str) -> bytes:
    """Return a message of the type ``api_version`` and ``kind``, in JSON unless ``form`` asks for YAML or protobuf."""
    if form.is_protobuf:
        return wrapped(api_version, kind, message.SerializeToString(deterministic=True))
    shown = {**codec.to_json(message), "kind": kind, "apiVersion": api_version}
    return codec.dump_yaml(shown).encode() if form is Form.YAML else json_bytes(shown) + b"\n"


@dataclass(frozen=True, slots=True)
class ListHead:
    """What a list says of itself; ``api_version`` is that of an item as answered, ``kind`` that of one as stored."""

    api_version: str
    kind: str
    resource_version: int
    continue_token: str = ""
    remaining_item_count: int | None = None

    @property
    def meta(self) -> ListMeta:
        """The list's metadata as a message."""
        meta = ListMeta(resource_version=str(self.resource_version), remaining_item_count=self.remaining_item_count)
        if self.continue_token:
            setattr(meta, "continue", self.continue_token)  # a word of Python's own
        return meta
