"""Where rules are checked and where they are evaluated.

They are checked against the types of a schema, which finds what does not go together before any object is there; and
evaluated on plain JSON, where what is an object or a map is told by the value.
"""

from __future__ import annotations

from functools import lru_cache

from cel_expr_python import cel
from cel_expr_python.cel import FunctionDecl, Overload, Type
from cel_expr_python.ext.ext_bindings import ExtBindings
from cel_expr_python.ext.ext_encoders import ExtEncoders
from cel_expr_python.ext.ext_math import ExtMath
from cel_expr_python.ext.ext_optional import ExtOptional
from cel_expr_python.ext.ext_strings import ExtStrings
from google.protobuf.descriptor_pool import DescriptorPool

from rollplane_machinery.structural.cel import lists, named_formats, network, quantities, texts, versions
from rollplane_machinery.structural.cel.functions import declarations
from rollplane_machinery.structural.cel.messages import POOL

SELF, OLD_SELF = "self", "oldSelf"
HAS_OLD = "hasOldSelf"
_REMEMBERED = 8192
_FUNCTIONS = (
    *lists.FUNCTIONS,
    *named_formats.FUNCTIONS,
    *network.FUNCTIONS,
    *quantities.FUNCTIONS,
    *texts.FUNCTIONS,
    *versions.FUNCTIONS,
)
_NUMBERS = {"int": Type.INT, "uint": Type.UINT, "double": Type.DOUBLE}
_ORDERS = {"_<_": "less", "_<=_": "less_equals", "_>_": "greater", "_>=_": "greater_equals"}


def _extensions(name: str, functions: list[FunctionDecl]) -> list[cel.CelExtensionBase]:
    return [
        ExtStrings(),
        ExtOptional(),
        ExtMath(),
        ExtEncoders(),
        ExtBindings(),
        cel.CelExtension(name, functions),
    ]


def _mixed_orders() -> list[FunctionDecl]:
    """Numbers of two types in order, which the evaluator knows and the checker does not by itself."""
    pairs = [(left, right) for left in _NUMBERS for right in _NUMBERS if left != right]
    return [
        FunctionDecl(
            sign,
            [
                Overload(f"{word}_{left}_{right}", Type.BOOL, [_NUMBERS[left], _NUMBERS[right]], False)
                for left, right in pairs
            ],
        )
        for sign, word in _ORDERS.items()
    ]


def checker(pool: DescriptorPool, variables: dict[str, Type]) -> cel.Env:
    """Return where rules on ``variables`` are checked, whose types are in ``pool``."""
    functions = [*declarations(_FUNCTIONS, checked=True), *_mixed_orders()]
    return cel.NewEnv(descriptor_pool=pool, variables=variables, extensions=_extensions("checked", functions))


def _evaluator() -> cel.Env:
    variables = dict.fromkeys((SELF, OLD_SELF, HAS_OLD), Type.DYN)
    functions = declarations(_FUNCTIONS, checked=False)
    return cel.NewEnv(descriptor_pool=POOL, variables=variables, extensions=_extensions("evaluated", functions))


EVALUATOR = _evaluator()


@lru_cache(_REMEMBERED)
def program(expression: str) -> cel.Expression:
    """Return ``expression``, which was checked, as a program; raises RuntimeError where it does not even parse."""
    return EVALUATOR.compile(expression, True)
