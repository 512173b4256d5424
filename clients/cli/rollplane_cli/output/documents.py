"""Objects as YAML, JSON or names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rollplane_machinery.kinds import ApiObject

INDENT = 4
"""As kubectl indents JSON."""


def document(message: ApiObject) -> dict[str, Any]:
    """Return an object as JSON, without the record of who manages which field, which nobody wants to read."""
    from rollplane_machinery.codec import to_json  # tables do without

    data = to_json(message)
    data["metadata"].pop("managedFields", None)
    return data


def list_document(messages: Sequence[ApiObject]) -> dict[str, Any]:
    """Return several objects as one ``List``."""
    return {
        "apiVersion": "v1",
        "items": [document(message) for message in messages],
        "kind": "List",
        "metadata": {"resourceVersion": ""},
    }


def render(data: dict[str, Any], form: str) -> str:
    """Return ``data`` as ``yaml`` or ``json`` text, ending in a line break."""
    if form == "yaml":
        from rollplane_machinery.codec import dump_yaml

        return dump_yaml(data)
    return json.dumps(data, ensure_ascii=False, indent=INDENT, sort_keys=True) + "\n"
