"""One rule of a schema: what it says, and whether it can be said of the values it stands at.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/cel/compilation.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cel_expr_python.cel import Type
from google.protobuf.descriptor_pool import DescriptorPool

from rollplane_machinery.structural.cel.environment import HAS_OLD, OLD_SELF, SELF, checker, program

_OPTIONAL = f"cel.bind({OLD_SELF}, {HAS_OLD} ? optional.of({OLD_SELF}) : optional.none(),\n{{}}\n)"
_FRAME = re.compile(r"^INVALID_ARGUMENT: |(?: \[INVALID_ARGUMENT\])$")
_STRUCT = re.compile(r"(undefined field '[^']*') not found in struct '[^']*'")
_LINE = re.compile(r"<input>:(\d+):")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the document has it: what is left out is empty."""

    rule: str
    message: str = ""
    message_expression: str = ""
    reason: str = ""
    field_path: str = ""
    is_optional: bool = False

    @property
    def shown(self) -> dict[str, str | bool | None]:
        """The rule as it is told in what is wrong with it."""
        return {
            "Rule": self.rule,
            "Message": self.message,
            "MessageExpression": self.message_expression,
            "Reason": self.reason or None,
            "FieldPath": self.field_path,
            "OptionalOldSelf": self.is_optional or None,
        }

    @property
    def program(self) -> str:
        """The expression to evaluate."""
        return self._bound(self.rule)

    @property
    def message_program(self) -> str:
        """The expression that tells what is wrong."""
        return self._bound(self.message_expression)

    def _bound(self, expression: str) -> str:
        """``oldSelf`` is optional where there may be none; no such value crosses into CEL, so it is made there."""
        return _OPTIONAL.format(expression) if self.is_optional else expression


def rule_of(document: Mapping[str, Any]) -> Rule:
    """Return the rule in ``document``."""
    return Rule(
        rule=document.get("rule") or "",
        message=document.get("message") or "",
        message_expression=document.get("messageExpression") or "",
        reason=document.get("reason") or "",
        field_path=document.get("fieldPath") or "",
        is_optional=document.get("optionalOldSelf") is True,
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a rule: what is wrong with it, and with its message; whether it looks at the old value."""

    error: str = ""
    message_error: str = ""
    uses_old: bool = False


class Checker:
    """Checks rules on values of ``kinds``, whose messages are in ``pool``.

    To set up where rules are checked takes longer than to check one: all kinds share it, as variables of which one is
    bound to ``self``, on a line of its own before the rule.
    """

    def __init__(self, pool: DescriptorPool, kinds: Sequence[Type]) -> None:
        self._environment = checker(pool, {f"value{index}": kind for index, kind in enumerate(kinds)})

    def check(self, rule: Rule, kind: int) -> Checked:
        """Return what is wrong with ``rule`` on values of the kind with the index ``kind``."""
        old = f"optional.of(value{kind})" if rule.is_optional else f"value{kind}"
        error = self._wrong(rule.rule, kind, old, "compilation failed", Type.BOOL)
        if error:
            return Checked(error)
        return Checked(message_error=self._message(rule, kind, old), uses_old=bool(self._wrong(rule.rule, kind)))

    def _message(self, rule: Rule, kind: int, old: str) -> str:
        what = "messageExpression compilation failed"
        return self._wrong(rule.message_expression, kind, old, what, Type.STRING) if rule.message_expression else ""

    def _wrong(self, text: str, kind: int, old: str = "", what: str = "", wanted: Type = Type.BOOL) -> str:
        """What is wrong with the expression ``text``; without ``old`` there is no ``oldSelf``."""
        if error := _unparsed(text):
            return f"{what}: {_told(error, shift=0)}"
        inner = f"cel.bind({OLD_SELF}, {old},\n{text}\n)" if old else text
        try:
            found = self._environment.compile(f"cel.bind({SELF}, value{kind}, {inner})").return_type()
        except RuntimeError as error:
            return f"{what}: {_told(str(error), shift=1)}"
        return "" if found == wanted else _RESULTS[wanted.name()]


_RESULTS = {
    Type.BOOL.name(): "cel expression must evaluate to a bool",
    Type.STRING.name(): "messageExpression must evaluate to a string",
}


def _unparsed(text: str) -> str:
    """What keeps ``text``, taken alone, from being an expression."""
    try:
        program(text)
    except RuntimeError as error:
        return str(error)
    return ""


def _told(error: str, shift: int) -> str:
    """Return what the checker says as Kubernetes' does, which sees no lines before the rule; ``shift`` counts them."""
    text = _STRUCT.sub(r"\1", _FRAME.sub("", error))
    return _LINE.sub(lambda match: f"<input>:{int(match[1]) - shift}:", text)
