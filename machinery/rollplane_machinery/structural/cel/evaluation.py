"""Rules on the values they stand at.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/cel/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cel_expr_python import cel
from cel_expr_python.cel import Type

from rollplane_machinery.errors import Cause
from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.structural.causes import duplicate, forbidden, invalid, invalid_unseen, required
from rollplane_machinery.structural.cel.environment import EVALUATOR, HAS_OLD, OLD_SELF, SELF, program
from rollplane_machinery.structural.cel.rules import Rule
from rollplane_machinery.structural.cel.values import adapted
from rollplane_machinery.structural.faults import join
from rollplane_machinery.structural.schema import Structural

_OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
_BUDGET = "Iteration budget exceeded"
_LONGEST_MESSAGE = 5 * 1024
_AS_GO = (
    (re.compile(r'^NOT_FOUND: Key not found in map : "?(.*?)"?$'), r"no such key: \1"),
    (re.compile(r"^INVALID_ARGUMENT: Applying SELECT to non-message type$"), "no such overload"),
    (re.compile(r"^INVALID_ARGUMENT: divide by zero$"), "division by zero"),
    (re.compile(r"^INVALID_ARGUMENT: modulus by zero$"), "modulus by zero"),
    (re.compile(r"^UNKNOWN: Index error: index=(-?\d+) .*$"), r"index out of bounds: \1"),
    (re.compile(r"^UNKNOWN: No matching overloads found : .*$"), "no such overload"),
    (re.compile(r"^[A-Z_]+: "), ""),
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule that was checked: where its causes stand below the value, and whether it needs an old value."""

    rule: Rule
    uses_old: bool
    field: str


class OutOfBudgetError(Exception):
    """A rule took more steps than one may; ``cause`` says so, and nothing more is looked at."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(str(cause))
        self.cause = cause


def evaluated(
    node: Structural, rules: Sequence[Compiled], value: Json, old: Json, path: str
) -> Iterator[tuple[Cause, bool]]:
    """Yield a cause for each of ``rules`` that ``value`` at ``path`` breaks, and whether it is of the value alone.

    ``old`` is what stood in its place before, None for nothing. Raises OutOfBudgetError.
    """
    kind = str(node.document.get("type") or "")
    seen = {SELF: adapted(value, node), OLD_SELF: None if old is None else adapted(old, node), HAS_OLD: old is not None}
    activation = EVALUATOR.Activation(seen)
    for compiled in rules:
        if not compiled.uses_old or old is not None or compiled.rule.is_optional:
            for cause in _broken(compiled, activation, value, kind, path):
                yield cause, not compiled.uses_old


def _broken(compiled: Compiled, activation: cel.Activation, value: Json, kind: str, path: str) -> Iterator[Cause]:
    rule = compiled.rule
    try:
        result = program(rule.program).eval(activation)
    except RuntimeError as error:
        if _BUDGET in str(error):
            raise OutOfBudgetError(invalid(path, kind, _OUT_OF_BUDGET)) from error
        yield invalid(path, kind, _failed(str(error), rule))
        return
    if result.type() == Type.ERROR:
        yield invalid(path, kind, _failed(str(result.value()), rule))
    elif result.value() is not True:
        field = join(path, compiled.field)
        yield _cause(field, value, _message(rule, activation), rule.reason)


def _failed(error: str, rule: Rule) -> str:
    said = rule.message.strip() or rule.rule.strip()
    told = _as_go(error)
    if told == "no such overload":
        sentence = "call arguments did not match a supported operator, function or macro signature for rule"
        return f"'{told}': {sentence}: {said}"
    return f"{told} evaluating rule: {said}"


def _as_go(error: str) -> str:
    for pattern, told in _AS_GO:
        if pattern.search(error):
            return pattern.sub(told, error)
    return error


def _message(rule: Rule, activation: cel.Activation) -> str:
    if rule.message_expression and (told := _told(rule, activation)):
        return told
    return rule.message.strip() or f"failed rule: {rule.rule.strip()}"


def _told(rule: Rule, activation: cel.Activation) -> str:
    """What the rule's own expression says, nothing where it fails or says what no message can."""
    try:
        result = program(rule.message_program).eval(activation)
    except RuntimeError:
        return ""
    text = str(result.value()).strip() if result.type() == Type.STRING else ""
    return text if len(text.encode()) <= _LONGEST_MESSAGE and "\n" not in text else ""


def _cause(field: str, value: Json, detail: str, reason: str) -> Cause:
    if reason == "FieldValueForbidden":
        return forbidden(field, detail)
    if reason == "FieldValueRequired":
        return required(field, detail)
    is_scalar = not isinstance(value, dict | list)
    if reason == "FieldValueDuplicate":
        return duplicate(field, value if is_scalar else None)
    return invalid(field, value, detail) if is_scalar else invalid_unseen(field, detail)
