"""What one version of a CustomResourceDefinition must be.

Source: kubernetes/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rollplane_machinery.errors import Cause
from rollplane_machinery.names import check_dns1035_label
from rollplane_machinery.releases import Release
from rollplane_machinery.structural.causes import duplicate, forbidden, invalid, required, too_many
from rollplane_machinery.structural.parsing import check_schema
from rollplane_machinery.structural.schema import Document

_Object = Mapping[str, Any]

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_LONGEST_WARNING = 256
_MOST_SELECTABLE = 8
_SELECTABLE_TYPES = ("string", "boolean", "integer")
_TOLD_AT_ROOT = (
    "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern "
    "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields "
    "XValidations"
)
_AT_ROOT = frozenset(name[0].lower() + name[1:] for name in _TOLD_AT_ROOT.split()) | {
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
}


def check_version(version: _Object, path: str, release: Release) -> Iterator[Cause]:
    """Yield what is wrong with the version at ``path``."""
    name = version.get("name") or ""
    if sentences := check_dns1035_label(name):
        yield invalid(f"{path}.name", name, ",".join(sentences))
    yield from _warning(version, f"{path}.deprecationWarning")
    document = (version.get("schema") or {}).get("openAPIV3Schema")
    field = f"{path}.schema.openAPIV3Schema"
    subresources: _Object = version.get("subresources") or {}
    if document is None:
        yield required(field)
    else:
        yield from _root(document, field, subresources.get("status") is not None)
        yield from check_schema(document, field, release)
        yield from _selectable(version.get("selectableFields") or (), document, f"{path}.selectableFields")
    yield from _scale(subresources.get("scale"), f"{path}.subresources.scale")
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        yield from _column(column, f"{path}.additionalPrinterColumns[{index}]")


def _warning(version: _Object, field: str) -> Iterator[Cause]:
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    if version.get("deprecated") is not True:
        yield invalid(field, warning, "can only be set for deprecated versions")
        return
    if len(warning) > _LONGEST_WARNING:
        yield invalid(field, warning, f"must be <= {_LONGEST_WARNING} characters long")
    if not warning:
        yield invalid(field, warning, "must not be an empty string")
    if not warning.isprintable():
        at = next(index for index, character in enumerate(warning) if not character.isprintable())
        sentence = f"must only contain printable UTF-8 characters; non-printable character found at index {at}"
        yield invalid(field, warning, sentence)


def _root(document: Document, field: str, has_status: bool) -> Iterator[Cause]:
    if document.get("nullable") is True:
        yield forbidden(f"{field}.nullable", "nullable cannot be true at the root")
    if not has_status:
        return
    kind = document.get("type") or ""
    if kind not in ("", "object"):
        sentence = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield invalid(f"{field}.type", kind, sentence)
    if any(_is_set(value) and name not in _AT_ROOT for name, value in document.items()):
        allowed = f"only [{_TOLD_AT_ROOT}] fields are allowed at the root of the schema"
        sentence = f"{allowed} if the status subresource is enabled"
        yield invalid(field, dict(document), sentence)


def _is_set(value: Any) -> bool:
    return value not in (None, "", [], {}) and value is not False


def _scale(scale: _Object | None, path: str) -> Iterator[Cause]:
    if scale is None:
        return
    for name, place in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        field, text = f"{path}.{name}", scale.get(name) or ""
        if not text:
            yield required(field)
        else:
            yield from _under(field, text, (place,), f"should be a json path under {place[:-1]}")
    if text := scale.get("labelSelectorPath"):
        places = (".spec.", ".status.")
        yield from _under(
            f"{path}.labelSelectorPath", text, places, "should be a json path under either .spec or .status"
        )


def _under(field: str, text: str, places: tuple[str, ...], sentence: str) -> Iterator[Cause]:
    if not text.startswith("."):
        yield invalid(field, text, "must be a simple json path starting with .")
    elif not text.startswith(places):
        yield invalid(field, text, sentence)


def _column(column: _Object, path: str) -> Iterator[Cause]:
    if not column.get("name"):
        yield required(f"{path}.name")
    kind, sentence = column.get("type") or "", f"must be one of {','.join(_COLUMN_TYPES)}"
    if not kind:
        yield required(f"{path}.type", sentence)
    elif kind not in _COLUMN_TYPES:
        yield invalid(f"{path}.type", kind, sentence)
    if (named := column.get("format")) and named not in _COLUMN_FORMATS:
        yield invalid(f"{path}.format", named, f"must be one of {','.join(_COLUMN_FORMATS)}")
    text = column.get("jsonPath") or ""
    if not text:
        yield required(f"{path}.JSONPath")
    elif not text.startswith("."):
        yield invalid(f"{path}.JSONPath", text, "must be a simple json path starting with .")


def _selectable(fields: Sequence[_Object], document: Document, path: str) -> Iterator[Cause]:
    seen: list[str] = []
    for index, each in enumerate(fields):
        field, text = f"{path}[{index}].jsonPath", each.get("jsonPath") or ""
        if not text:
            yield required(field)
            continue
        known = _at(document, text)
        if known is None:
            yield invalid(field, text, "is an invalid path: does not refer to a valid field")
            continue
        if text.startswith(".metadata"):
            yield invalid(field, text, "must not point to fields in metadata")
        if known.get("type") not in _SELECTABLE_TYPES:
            sentence = (
                "must point to a field of type string, boolean or integer. "
                "Enum string fields and strings with formats are allowed."
            )
            yield invalid(field, text, sentence)
        if text in seen:
            yield duplicate(field, text)
        seen.append(text)
    if (count := len(set(seen))) > _MOST_SELECTABLE:
        yield too_many(path, count, _MOST_SELECTABLE)


def _at(document: Document, text: str) -> Document | None:
    """The schema of the field at the path ``text``."""
    if not text.startswith("."):
        return None
    known: Document | None = document
    for name in text[1:].split("."):
        known = ((known or {}).get("properties") or {}).get(name)
    return known
