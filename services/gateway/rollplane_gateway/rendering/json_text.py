"""JSON values as bytes, compact, as the codec's ``dumps`` writes them."""

from __future__ import annotations

import json
from typing import Any

# Raw JSON inside an object may hold numbers of any size and floats, which orjson refuses or spells otherwise.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_ASCII = json.JSONEncoder(separators=(",", ":"), check_circular=False)


def json_bytes(value: Any) -> bytes:
    """Return the JSON text of ``value`` in UTF-8; halves of surrogate pairs, which raw JSON may hold, stay escapes."""
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        return _ASCII.encode(value).encode()
