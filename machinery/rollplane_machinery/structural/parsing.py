"""From the text of a schema to what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollplane_machinery.errors import Cause, InvalidError
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.structural.cel.rule_set import RuleSet
from rollplane_machinery.structural.custom import Schema, schema_of
from rollplane_machinery.structural.default_rules import check_defaults
from rollplane_machinery.structural.openapi_rules import check_openapi, is_supported
from rollplane_machinery.structural.schema import read
from rollplane_machinery.structural.shape import SCHEMA
from rollplane_machinery.structural.structure import check_structure

_SCHEMAS = Schema(SCHEMA, has_rules=False)


def check_schema(document: Mapping[str, Any], path: str, release: Release = LATEST) -> list[Cause]:
    """Return what is wrong with ``document``, an ``openAPIV3Schema`` at ``path``; types of its members come first."""
    if wrong := _SCHEMAS.validate(dict(document), path=path):
        return wrong
    found = check_openapi(document, path)
    if not is_supported(document):
        return found
    root = read(document, release)
    found = [*(check_structure(root, path) or check_defaults(root, path)), *found]
    if found or not release.schema_rules:
        return found
    return RuleSet(root).check(path)


def parse_schema(document: Mapping[str, Any], path: str = "", release: Release = LATEST) -> Schema:
    """Return the schema that ``document`` is, an ``openAPIV3Schema`` that stands at ``path``.

    Raises InvalidError with a cause for everything that keeps it from being a structural schema.
    """
    if causes := check_schema(document, path, release):
        raise InvalidError("; ".join(map(str, causes)), causes=causes)
    return schema_of(document, release)
