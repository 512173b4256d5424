"""What is wrong with a JSON value, and where: every decoder reports here instead of stopping at the first fault."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rollplane_machinery.errors import BadRequestError, Cause, CauseReason

Json = Any
"""A JSON value: None, bool, int, float, str, list of them, or dict from str to them."""

Path = tuple["Path | None", str | int]
"""A place in a JSON value: the place of its parent, and the member's name or index. None is the root.

Linked, so that descending costs one small tuple and nothing is formatted unless something is wrong.
"""

MAX_NAMED = 20


def unfold(path: Path | None) -> tuple[str | int, ...]:
    """Return the steps from the root down to ``path``."""
    steps: list[str | int] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return tuple(reversed(steps))


def render(steps: Sequence[str | int]) -> str:
    """Return ``spec.containers[0].image`` for its steps; names with dots in them are put in brackets, but the first."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif not text:
            text = step
        else:
            text += f"[{step}]" if "." in step or "[" in step else f".{step}"
    return text


def type_name(value: Json) -> str:
    """Return what JSON calls the type of ``value``."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object" if isinstance(value, dict) else type(value).__name__


def describe(value: Json) -> str:
    """Return type and, for a scalar, value (cut at 40 characters): ``string "3"``."""
    name = type_name(value)
    if name in ("object", "array", "null"):
        return name
    text = f'"{value}"' if isinstance(value, str) else json.dumps(value)
    return f"{name} {text if len(text) <= 40 else text[:39] + '…'}"


def printable(text: str) -> str:
    """Return ``text`` with what no UTF-8 can carry (a lone surrogate out of JSON) written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault, at ``steps`` from the root of its document."""

    steps: tuple[str | int, ...]
    reason: CauseReason
    message: str

    @property
    def cause(self) -> Cause:
        return Cause(self.reason, printable(render(self.steps)), printable(self.message))


@dataclass(slots=True)
class Report:
    """Collects the problems of one value; with ``strict`` off, unknown and duplicate fields are only warnings."""

    strict: bool = True
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def unknown(self, path: Path | None, name: str) -> None:
        """Note a member that no field bears."""
        self._lenient(Problem((*unfold(path), name), CauseReason.UNKNOWN_FIELD, "unknown field"))

    def duplicate(self, steps: tuple[str | int, ...]) -> None:
        """Note a member that is there twice."""
        self._lenient(Problem(steps, CauseReason.DUPLICATE, "duplicate field"))

    def mismatch(self, path: Path | None, expected: str, value: Json) -> None:
        """Note a value of the wrong type or form."""
        self.invalid(path, f"expected {expected}, got {describe(value)}")

    def invalid(self, path: Path | None, message: str) -> None:
        """Note a value that cannot be read."""
        self.errors.append(Problem(unfold(path), CauseReason.INVALID, message))

    def _lenient(self, problem: Problem) -> None:
        (self.errors if self.strict else self.warnings).append(problem)

    def error(self, subject: str) -> BadRequestError:
        """Return one error that has all errors as causes."""
        causes = [problem.cause for problem in self.errors]
        return BadRequestError(f"{subject}: {summary([str(cause) for cause in causes])}", causes=causes)


def summary(sentences: Sequence[str]) -> str:
    """Return the sentences joined, only counting those beyond the first twenty."""
    text = "; ".join(sentences[:MAX_NAMED])
    return text if len(sentences) <= MAX_NAMED else f"{text}; and {len(sentences) - MAX_NAMED} more"
