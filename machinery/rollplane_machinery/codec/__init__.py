"""The codec: objects as Kubernetes JSON and YAML, and back."""

from rollplane_machinery.codec.objects import (
    Decoded,
    decode,
    dumps,
    from_json,
    message_from_json,
    message_to_json,
    to_json,
)

__all__ = [
    "Decoded",
    "decode",
    "dumps",
    "from_json",
    "message_from_json",
    "message_to_json",
    "to_json",
]
