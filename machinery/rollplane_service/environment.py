"""Settings of a process: a frozen dataclass, its fields read from ``ROLLPLANE_*`` variables, flags on top of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, TypeVar

PREFIX = "ROLLPLANE_"

S = TypeVar("S")


def read_settings(settings: type[S], environ: Mapping[str, str], given: Mapping[str, Any]) -> S:
    """Return ``settings`` with each field from its variable, ``ROLLPLANE_<FIELD>``, and ``given`` fields over them.

    The type of a field is that of its default. Raises ValueError naming the variable, or what the class itself says of
    values that make no sense together.
    """
    values = {
        field.name: _value(PREFIX + field.name.upper(), environ[PREFIX + field.name.upper()], type(field.default))
        for field in fields(settings)  # type: ignore[arg-type]  # every settings class is a dataclass
        if PREFIX + field.name.upper() in environ
    }
    return settings(**(values | dict(given)))


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


_READERS: Mapping[type, Callable[[str], Any]] = MappingProxyType({str: str, int: int, float: float, bool: _boolean})


def _value(name: str, text: str, value_type: type) -> Any:
    try:
        return _READERS[value_type](text)
    except (ValueError, KeyError):
        raise ValueError(f"{name} is {text!r}, want a {value_type.__name__}") from None
