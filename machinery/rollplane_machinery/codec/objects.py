"""Objects and their parts to Kubernetes JSON values and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from google.protobuf.message import Message

from rollplane_machinery.codec.legacy import LEGACY_KINDS, upgrade
from rollplane_machinery.codec.legacy_defaults import apply_legacy_defaults
from rollplane_machinery.codec.printing import printer_of
from rollplane_machinery.codec.problems import Json, Path, Problem, Report
from rollplane_machinery.codec.reading import reader_of
from rollplane_machinery.codec.sent import Steps
from rollplane_machinery.dresses import dress_of
from rollplane_machinery.errors import Cause, CauseReason
from rollplane_machinery.kinds import BY_API_VERSION_KIND, ApiObject, Kind, kind_of

_M = TypeVar("_M", bound=Message)

KindsByType = Mapping[tuple[str, str], Kind]
"""Kinds by what their objects say: apiVersion and kind."""
_NONE: KindsByType = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Decoded:
    """An object, and the unknown or duplicate fields that were left out of it."""

    object: ApiObject
    warnings: tuple[Cause, ...] = ()


def to_json(message: Message) -> dict[str, Json]:
    """Return the JSON value of an object, with ``apiVersion`` and ``kind``.

    Lists, Scale, Status and the like have the two as well; a part goes without. Members are in the order in which
    kube-apiserver writes them. Raises InternalError when raw JSON inside is none.
    """
    return printer_of(message.DESCRIPTOR).print_typed(message)


def to_json_in(obj: ApiObject, api_version: str) -> dict[str, Json]:
    """Return the JSON value of ``obj`` as ``api_version`` shows it; in its storage version where there is no dress."""
    dress = dress_of(kind_of(obj), api_version)
    return to_json(obj) if dress is None else {**to_json(dress.put_on(obj)), "apiVersion": api_version}


def message_to_json(message: Message) -> dict[str, Json]:
    """Return the JSON value of a part (a PodTemplateSpec, say), without apiVersion and kind."""
    return printer_of(message.DESCRIPTOR).print(message)


def dumps(message: Message, *, indent: int | None = None) -> str:
    """Return the JSON text of an object: compact as a server sends it, or indented with names sorted.

    ``indent=4`` is what kubectl's ``-o json`` looks like.
    """
    if indent is None:
        return json.dumps(to_json(message), ensure_ascii=False, separators=(",", ":"))
    return json.dumps(to_json(message), ensure_ascii=False, indent=indent, sort_keys=True)


def from_json(data: Json, *, strict: bool = True) -> ApiObject:
    """Return the object that ``data``, a JSON value of plain dicts and lists, describes, in its storage version.

    An object of an older version is converted and given the defaults of that version; nothing else is defaulted.
    Raises BadRequestError with one cause per problem: an unknown kind, wrong types and, if ``strict``, unknown fields.
    """
    return decode(data, strict=strict).object


def decode(data: Json, *, strict: bool = True) -> Decoded:
    """As ``from_json``, but also return what was left out when not ``strict`` (Kubernetes' field validation Warn)."""
    report = Report(strict)
    decoded = read_object(data, report)
    if decoded is None:
        raise report.error("the object cannot be read")
    return Decoded(decoded, tuple(problem.cause for problem in report.warnings))


def read_object(data: Json, report: Report, customs: KindsByType = _NONE) -> ApiObject | None:
    """Return the object in ``data``; None when it has errors, which are then in ``report``.

    It may be of one of the ``customs`` too, which are found by apiVersion and kind.
    """
    known = len(report.errors)
    if not isinstance(data, dict):
        report.mismatch(None, "object", data)
        return None
    kind = _kind_of(data, report, customs)
    if kind is None:
        return None
    api_version = data["apiVersion"]
    dress = dress_of(kind, api_version)
    if dress is not None:
        shown = dress.message()
        reader_of(shown.DESCRIPTOR).read(shown, data, None, report)
        return None if len(report.errors) > known else dress.take_off(shown)
    message = kind.new()
    if api_version != kind.api_version:
        data = upgrade(data, api_version, kind, report)
    reader_of(message.DESCRIPTOR).read(message, data, None, report)
    if len(report.errors) > known:
        return None
    if api_version != kind.api_version:
        apply_legacy_defaults(message, api_version)
    return message


@dataclass(frozen=True, slots=True)
class Understood:
    """A message and what of its JSON was not understood: ``errors`` are fatal, ``left_out`` unknown or given twice."""

    message: Message
    errors: tuple[Cause, ...]
    left_out: tuple[Cause, ...]


def understand(message_type: type[Message], data: dict[str, Json], duplicates: Sequence[Steps] = ()) -> Understood:
    """Return what ``data``, which says its ``apiVersion`` and ``kind``, says of a message of ``message_type``.

    ``duplicates`` are the ways to members that were given twice. An object of an older version is converted.
    """
    report = Report(strict=False)
    message: Message | None
    if (key := (data["apiVersion"], data["kind"])) in BY_API_VERSION_KIND or key in LEGACY_KINDS:
        message = read_object(data, report)
    else:
        message = message_type()
        reader_of(message.DESCRIPTOR).read(message, data, None, report)
    for steps in duplicates:
        report.duplicate(steps)
    errors, left_out = (tuple(problem.cause for problem in found) for found in (report.errors, report.warnings))
    return Understood(message or message_type(), errors, left_out)


def message_from_json(message_type: type[_M], data: Json, path: str = "", *, strict: bool = True) -> _M:
    """Return the part of ``message_type`` in ``data``; ``path`` says where it stands, for the errors.

    Raises BadRequestError with one cause per problem.
    """
    return _message_read(message_type, data, (None, path) if path else None, Report(strict))


def message_and_left_out(
    message_type: type[_M], data: Json, duplicates: Sequence[Steps], *, strict: bool
) -> tuple[_M, tuple[Cause, ...]]:
    """As ``message_from_json``, but also return what was left out when not ``strict``.

    ``duplicates`` are the ways to members that were given twice.
    """
    report = Report(strict)
    for steps in duplicates:
        report.duplicate(steps)
    message = _message_read(message_type, data, None, report)
    return message, tuple(problem.cause for problem in report.warnings)


def _message_read(message_type: type[_M], data: Json, path: Path | None, report: Report) -> _M:
    message = message_type()
    reader_of(message.DESCRIPTOR).read(message, data, path, report)
    if report.errors:
        raise report.error(f"the {message.DESCRIPTOR.name} cannot be read")
    return message


def _kind_of(data: dict[str, Json], report: Report, customs: KindsByType) -> Kind | None:
    api_version, name = data.get("apiVersion"), data.get("kind")
    for field, value in (("apiVersion", api_version), ("kind", name)):
        if value is None or value == "":
            report.errors.append(Problem((field,), CauseReason.REQUIRED, "is missing"))
        elif not isinstance(value, str):
            report.mismatch((None, field), "string", value)
    if not isinstance(api_version, str) or not isinstance(name, str) or not api_version or not name:
        return None
    key = (api_version, name)
    kind = BY_API_VERSION_KIND.get(key) or LEGACY_KINDS.get(key) or customs.get(key)
    if kind is None:
        message = f'no matches for kind "{name}" in version "{api_version}"'
        report.errors.append(Problem(("kind",), CauseReason.NOT_SUPPORTED, message))
    return kind
