"""What becomes of fields nobody knows, and of those given twice: refused, told or passed over.

Source of the sentences: StrictDecodingError in k8s.io/apimachinery.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from rollplane_machinery.errors import Cause, CauseReason


class FieldValidation(StrEnum):
    """STRICT refuses them all at once, WARN leaves each out and says so, IGNORE only leaves it out."""

    STRICT = "Strict"
    WARN = "Warn"
    IGNORE = "Ignore"


STRICT_CAUSES = frozenset({CauseReason.UNKNOWN_FIELD, CauseReason.DUPLICATE})
"""What the codec says of such fields."""


def field_sentence(cause: Cause) -> str:
    """Return ``unknown field "spec.x"``, as real servers put it."""
    word = "duplicate" if cause.reason is CauseReason.DUPLICATE else "unknown"
    return f'{word} field "{cause.field}"'


def strict_sentence(causes: Iterable[Cause]) -> str:
    """Return all such fields in the one sentence they are refused with."""
    return f"strict decoding error: {', '.join(map(field_sentence, causes))}"
