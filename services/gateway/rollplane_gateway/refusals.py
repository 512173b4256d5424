"""Parameters that are refused, in Kubernetes' words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rollplane_machinery.errors import Cause, CauseReason, InvalidError
from rollplane_machinery.showing import cut

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "GET": "ListOptions",
        "POST": "CreateOptions",
        "PUT": "UpdateOptions",
        "PATCH": "PatchOptions",
        "DELETE": "DeleteOptions",
    }
)


def refused_options(method: str, causes: Sequence[Cause]) -> InvalidError:
    """Return what is told of the options of a request by ``method`` that cannot be."""
    told = str(causes[0]) if len(causes) == 1 else f"[{', '.join(map(str, causes))}]"
    kind = _KINDS.get(method, _KINDS["GET"])
    return InvalidError(f'{kind}.meta.k8s.io "" is invalid: {told}', causes=causes)


def invalid(field: str, value: object, why: str) -> Cause:
    """``field`` holds ``value``, which breaks a rule: ``why``."""
    shown = f'"{cut(value)}"' if isinstance(value, str) else value
    return Cause(CauseReason.INVALID, field, f"Invalid value: {shown}: {why}")


def unsupported(field: str, value: str, known: Sequence[str]) -> Cause:
    """``field`` holds a word that is none of ``known``."""
    words = ", ".join(f'"{word}"' for word in known)
    return Cause(CauseReason.NOT_SUPPORTED, field, f'Unsupported value: "{cut(value)}": supported values: {words}')


def forbidden(field: str, why: str) -> Cause:
    """``field`` may not be given: ``why``."""
    return Cause(CauseReason.FORBIDDEN, field, f"Forbidden: {why}")
