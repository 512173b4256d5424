"""The forms in which an object, a list or a watch can be answered."""

from __future__ import annotations

from enum import Enum

_JSON = "application/json"
_PROTOBUF = "application/vnd.kubernetes.protobuf"
_YAML = "application/yaml"


class Form(Enum):
    """What an answer's bytes are; the client asks for it in Accept."""

    JSON = 1
    YAML = 2
    PROTOBUF = 3
    TABLE = 4
    PARTIAL_JSON = 5
    PARTIAL_PROTOBUF = 6

    @property
    def is_protobuf(self) -> bool:
        return self in (Form.PROTOBUF, Form.PARTIAL_PROTOBUF)

    @property
    def is_partial(self) -> bool:
        """Whether nothing but the metadata is wanted."""
        return self in (Form.PARTIAL_JSON, Form.PARTIAL_PROTOBUF)

    @property
    def media_type(self) -> str:
        """The Content-Type of one object or list."""
        if self is Form.YAML:
            return _YAML
        return _PROTOBUF if self.is_protobuf else _JSON

    @property
    def watch_media_type(self) -> str:
        """The Content-Type of a watch; there is none in YAML, which goes out as JSON."""
        return f"{_PROTOBUF};stream=watch" if self.is_protobuf else _JSON
