"""Kinds that are kept as JSON: filled in by what Kubernetes' message of the kind looks like."""

from __future__ import annotations

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.codec.shaped import Shaped, read_shaped
from rollplane_machinery.errors import BadRequestError, InternalError
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, LIMIT_RANGE, PRIORITY_CLASS, kind_of
from rollplane_machinery.stored import document_of, put_document
from rollplane_rules.admission.limit_range import default_limit_range
from rollplane_rules.admission.priority import default_priority_class
from rollplane_rules.defaults.kept import DEFAULTERS


def default_stored(stored: StoredObject) -> None:
    """Fill in what Kubernetes does, in place; an object with values of wrong types, which validation refuses, stays."""
    shaped = _shaped(stored)
    if shaped is not None:
        if (defaulter := DEFAULTERS.get(stored.kind)) is not None:
            defaulter(shaped.message)
        shaped.put_into(stored)
    kind = kind_of(stored)
    if kind is LIMIT_RANGE:
        default_limit_range(stored)
    elif kind is PRIORITY_CLASS:
        default_priority_class(stored)
    elif kind is CUSTOM_RESOURCE_DEFINITION:
        default_definition(stored)


def default_definition(definition: StoredObject) -> None:
    """Fill in what a definition leaves out; in place. The code is loaded here: few planes have any."""
    from rollplane_machinery.structural.shape import completed

    put_document(definition, completed(document_of(definition)))


def _shaped(stored: StoredObject) -> Shaped | None:
    try:
        return read_shaped(stored)
    except (BadRequestError, InternalError):
        return None
