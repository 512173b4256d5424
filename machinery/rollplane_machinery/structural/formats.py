"""Formats of texts and numbers that Kubernetes checks; others mean nothing.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/validation/formats.go.
"""

from __future__ import annotations

from typing import Any

from rollplane_machinery.fields.values import Value
from rollplane_machinery.releases import Release
from rollplane_machinery.structural.causes import shown, type_invalid
from rollplane_machinery.structural.faults import NONE, Check, Faults, fault
from rollplane_machinery.structural.grammars import FORMATS, NAME_FORMATS

_NUMBERS = {"integer": frozenset({"int32", "int64"}), "number": frozenset({"float", "double"})}


def known_format(kind: str, named: str, release: Release) -> str:
    """Return the format ``named`` where it means something for values of the type ``kind``, else nothing."""
    if kind in _NUMBERS:
        return named if named in _NUMBERS[kind] else ""
    return named if kind in ("", "string") and _is_known(_normal(named), release) else ""


def _is_known(normal: str, release: Release) -> bool:
    return normal in FORMATS and (release.name_formats or normal not in NAME_FORMATS)


def format_check(named: str) -> Check | None:
    """Return the check of texts of the format ``named``, None where it is no format of texts."""
    is_good = FORMATS.get(_normal(named))
    if is_good is None:
        return None

    def check(value: Any, _: Value) -> Faults:
        if is_good(value):
            return NONE
        return fault(
            lambda name, field: type_invalid(field, value, f"{name} in body must be of type {named}: {shown(value)}")
        )

    return check


def _normal(named: str) -> str:
    return named.replace("-", "")
