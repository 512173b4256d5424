"""Causes in Kubernetes' own sentences, which operators and their tests compare: ``Invalid value: 0: …``.

Source: k8s.io/apimachinery pkg/util/validation/field/errors.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal

from rollplane_machinery.errors import Cause, CauseReason

NOWHERE = "<nil>"
"""What Kubernetes calls the field of a cause that is of the whole object."""

_PLAIN_DIGITS = 6


def invalid(field: str, value: object, detail: str) -> Cause:
    """``field`` holds ``value``, which breaks a rule."""
    return _cause(CauseReason.INVALID, field, f"Invalid value: {shown(value)}", detail)


def invalid_unseen(field: str, detail: str) -> Cause:
    """``field`` holds something too large to show that breaks a rule."""
    return _cause(CauseReason.INVALID, field, "Invalid value", detail)


def type_invalid(field: str, value: object, detail: str) -> Cause:
    """``field`` holds a value of another type."""
    return _cause(CauseReason.TYPE_INVALID, field, f"Invalid value: {shown(value)}", detail)


def required(field: str, detail: str = "") -> Cause:
    """``field`` is missing."""
    return _cause(CauseReason.REQUIRED, field, "Required value", detail)


def forbidden(field: str, detail: str) -> Cause:
    """``field`` must not be there."""
    return _cause(CauseReason.FORBIDDEN, field, "Forbidden", detail)


def duplicate(field: str, value: object) -> Cause:
    """``value`` stands there a second time."""
    return _cause(CauseReason.DUPLICATE, field, f"Duplicate value: {shown(value)}", "")


def not_supported(field: str, value: object, supported: Iterable[str]) -> Cause:
    """``value`` is none of the words that ``field`` may hold."""
    words = ", ".join(map(_quoted, supported))
    return _cause(CauseReason.NOT_SUPPORTED, field, f"Unsupported value: {shown(value)}", f"supported values: {words}")


def too_long(field: str, limit: int) -> Cause:
    """The text at ``field`` has more than ``limit`` characters; Kubernetes calls them bytes."""
    return _cause(CauseReason.TOO_LONG, field, "Too long", f"may not be more than {_counted(limit, 'byte')}")


def too_many(field: str, count: int, limit: int) -> Cause:
    """``field`` has more than ``limit`` items."""
    return _cause(CauseReason.TOO_MANY, field, f"Too many: {count}", f"must have at most {_counted(limit, 'item')}")


def shown(value: object) -> str:
    """Return ``value`` as these sentences show it: JSON, text in quotes."""
    if isinstance(value, float):
        return go_float(value)
    return _quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def go_float(value: float) -> str:
    """Return ``value`` as Go's %v prints it: ``0.5``, ``3``, ``1e+06``."""
    sign, digits, point = Decimal(repr(value)).normalize().as_tuple()
    exponent = len(digits) + int(point) - 1
    if -4 <= exponent < _PLAIN_DIGITS or not value:
        return repr(value).removesuffix(".0")
    first, *rest = map(str, digits)
    return f"{'-' * sign}{first}{'.' * bool(rest)}{''.join(rest)}e{exponent:+03d}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _cause(reason: CauseReason, field: str, head: str, detail: str) -> Cause:
    return Cause(reason, field or NOWHERE, f"{head}: {detail}" if detail else head)
