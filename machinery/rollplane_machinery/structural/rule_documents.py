"""What a rule may look like, apart from what its expressions say.

Source: kubernetes/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rollplane_machinery.errors import Cause
from rollplane_machinery.structural.causes import invalid, not_supported, required
from rollplane_machinery.structural.faults import join
from rollplane_machinery.structural.rule_paths import field_path
from rollplane_machinery.structural.schema import Document, read

_RULES = "x-kubernetes-validations"
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_LINE_BREAK = re.compile(r"[\n\r]")


def check_rules(document: Document, path: str) -> Iterator[Cause]:
    """Yield what is wrong with how the rules of the schema at ``path`` are written."""
    for index, rule in enumerate(document.get(_RULES) or ()):
        field = join(path, f"{_RULES}[{index}]")
        yield from _rule(rule, field)
        if (where := rule.get("fieldPath")) and field_path(where, read(document)) is None:
            yield invalid(f"{field}.fieldPath", where, "must be a valid path")


def _rule(rule: Mapping[str, Any], field: str) -> Iterator[Cause]:
    yield from _texts(rule, field)
    expression = rule.get("messageExpression") or ""
    if expression and not expression.strip():
        yield required(f"{field}.messageExpression", "messageExpression must be non-empty if specified")
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        yield not_supported(f"{field}.reason", reason, _REASONS)
    where = rule.get("fieldPath") or ""
    if where and not where.strip():
        yield invalid(f"{field}.fieldPath", where, "must be non-empty if specified")
    if _LINE_BREAK.search(where):
        yield invalid(f"{field}.fieldPath", where, "must not contain line breaks")


def _texts(rule: Mapping[str, Any], field: str) -> Iterator[Cause]:
    text, said = (rule.get("rule") or "").strip(), rule.get("message") or ""
    message = said.strip()
    if not text:
        yield required(f"{field}.rule", "rule is not specified")
    elif said and not message:
        yield invalid(f"{field}.message", said, "must be non-empty if specified")
    elif _LINE_BREAK.search(message):
        yield invalid(f"{field}.message", said, "must not contain line breaks")
    elif _LINE_BREAK.search(text) and not message:
        yield required(f"{field}.message", "message must be specified if rule contains line breaks")
