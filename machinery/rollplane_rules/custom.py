"""What a custom object may say: its schema, told by its definition, prunes, defaults and judges it.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/customresource_handler.go, pkg/registry/customresource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.errors import BadRequestError, Cause, CauseReason
from rollplane_machinery.field_validation import FieldValidation, field_sentence, strict_sentence
from rollplane_machinery.fields.values import ABSENT
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, ApiObject, CustomKind, Kind
from rollplane_machinery.patch.json_value import Json, JsonObject, expect_object
from rollplane_machinery.releases import Release
from rollplane_machinery.stored import document_of, put_document

if TYPE_CHECKING:
    from rollplane_machinery.structural.custom import Schema


def read_custom(kind: CustomKind, obj: ApiObject, validation: FieldValidation) -> tuple[str, ...]:
    """Take out of ``obj``, in place, what its schema does not know, and fill in its defaults.

    Returns a sentence for each field that was left out where ``validation`` is WARN. Raises BadRequestError where it is
    STRICT.
    """
    schema, document = kind.described.schema, document_of(_stored(obj))
    kept, told = _known(kind, schema, document, validation)
    defaulted = schema.default(kept)
    if defaulted is not document:
        put_document(_stored(obj), expect_object(defaulted, "a custom object"))
    return told


def read_definition(obj: ApiObject, validation: FieldValidation) -> tuple[str, ...]:
    """Take out of a CustomResourceDefinition, in place, what none has; returns and raises as ``read_custom`` does."""
    from rollplane_machinery.structural.shape import DEFINITION  # loaded late: few planes have any

    document = document_of(_stored(obj))
    kept, told = _known(CUSTOM_RESOURCE_DEFINITION, DEFINITION, document, validation)
    if kept is not document:
        put_document(_stored(obj), expect_object(kept, "a definition"))
    return told


def _known(
    kind: Kind, schema: Schema, document: JsonObject, validation: FieldValidation
) -> tuple[Json, tuple[str, ...]]:
    kept, dropped = schema.prune(document)
    left_out = [Cause(CauseReason.UNKNOWN_FIELD, path, "unknown field") for path in dropped]
    if left_out and validation is FieldValidation.STRICT:
        what = f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}'
        raise BadRequestError(f"{what}: {strict_sentence(left_out)}", resource=kind.resource)
    return kept, tuple(map(field_sentence, left_out)) if validation is FieldValidation.WARN else ()


def check_custom(kind: CustomKind, new: ApiObject, old: ApiObject | None = None) -> list[Cause]:
    """Return what is wrong with ``new`` by its schema; what did not change since ``old`` is not held against it."""
    before = ABSENT if old is None else document_of(_stored(old))
    return kind.described.schema.validate(document_of(_stored(new)), before)


def check_definition(new: ApiObject, old: ApiObject | None, release: Release) -> list[Cause]:
    """Return what is wrong with a CustomResourceDefinition, both in itself and as what ``old`` becomes.

    The code is loaded here: few planes have any.
    """
    from rollplane_machinery.structural.definition_rules import validate_definition

    before = None if old is None else document_of(_stored(old))
    return validate_definition(document_of(_stored(new)), before, release)


def _stored(obj: ApiObject) -> StoredObject:
    if not isinstance(obj, StoredObject):
        raise TypeError(f"a {type(obj).__name__} is no custom object")
    return obj
