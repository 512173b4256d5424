"""How functions of rules are declared: to the checker with all their types, to the evaluator by kinds of values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cel_expr_python.cel import FunctionDecl, Overload, Type

LIST = Type.List(Type.DYN)


@dataclass(frozen=True, slots=True)
class Function:
    """One function, or several of one name that take the same kinds of arguments.

    ``signatures`` are results and parameters as the checker is told; a member's first parameter stands before the dot.
    ``call`` raises ValueError with what is wrong with its arguments.
    """

    name: str
    call: Callable[..., Any]
    signatures: Sequence[tuple[Type, Sequence[Type]]]
    is_member: bool = True

    def checked(self) -> Iterable[Overload]:
        """Yield the overloads that rules are checked against."""
        for index, (result, parameters) in enumerate(self.signatures):
            yield self._overload(f"checked_{index}", result, parameters)

    def evaluated(self) -> Overload:
        """Return the overload that is called: lists are lists, whatever they hold."""
        _, parameters = self.signatures[0]
        kinds = [LIST if parameter.name().startswith("LIST") else parameter for parameter in parameters]
        return self._overload("evaluated", Type.DYN, kinds)

    def _overload(self, suffix: str, result: Type, parameters: Sequence[Type]) -> Overload:
        kinds = "_".join(parameter.name() for parameter in parameters)
        identity = f"{self.name}_{kinds}_{suffix}"
        return Overload(identity, result, list(parameters), self.is_member, self.call)


def function(name: str, call: Callable[..., Any], result: Type, *parameters: Type) -> Function:
    """Return a function that is called by its name alone."""
    return Function(name, call, [(result, parameters)], is_member=False)


def member(name: str, call: Callable[..., Any], result: Type, *parameters: Type) -> Function:
    """Return a function that is called on its first argument."""
    return Function(name, call, [(result, parameters)])


def declarations(functions: Sequence[Function], *, checked: bool) -> list[FunctionDecl]:
    """Return ``functions`` by name, for the checker or for the evaluator."""
    named: dict[str, list[Overload]] = {}
    for each in functions:
        named.setdefault(each.name, []).extend(each.checked() if checked else [each.evaluated()])
    return [FunctionDecl(name, overloads) for name, overloads in named.items()]
