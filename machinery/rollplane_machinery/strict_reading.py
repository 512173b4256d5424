"""Data from YAML or a command line, read strictly: every problem is collected with the field that it concerns.

What is read has its shape beside its reader, so that a JSON Schema of it says what the reader takes.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from rollplane_machinery.errors import Cause, CauseReason, InvalidError

E = TypeVar("E", bound=StrEnum)

MOST_SECONDS = 1e9
MOST = 2**53

Json = Mapping[str, Any]
"""A JSON Schema, of draft 2020-12."""
TEXT: Json = {"type": "string"}
FLAG: Json = {"type": "boolean"}


Read = Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a mapping: ``read`` takes its value and its path, ``shape`` says what it takes."""

    read: Read
    shape: Json


Fields = Mapping[str, Field]


def shape_of(fields: Fields, *required: str) -> Json:
    """Return the shape of a mapping of ``fields`` and no others."""
    shapes = {name: field.shape for name, field in fields.items()}
    shape = {"type": "object", "properties": shapes, "additionalProperties": False}
    return shape | {"required": list(required)} if required else shape


def list_of(shape: Json, least: int = 0) -> Json:
    """Return the shape of a list of such values."""
    return {"type": "array", "items": shape} | ({"minItems": least} if least else {})


def one_or_more(shape: Json, least: int = 0) -> Json:
    """Return the shape of one such value, or of a list of them."""
    return {"anyOf": [shape, list_of(shape, least)]}


def map_of(shape: Json) -> Json:
    """Return the shape of a mapping whose keys are free."""
    return {"type": "object", "additionalProperties": shape}


def one_of(words: Sequence[str]) -> Json:
    """Return the shape of a text that is one of ``words``."""
    return {"enum": list(words)}


def meant(word: str, known: Iterable[str]) -> str:
    """Return ``, did you mean web?``, the closest of those ``known`` to what somebody wrote; "" when none is close."""
    import difflib  # only mistakes need it

    near = difflib.get_close_matches(word, known, 1)
    return f", did you mean {near[0]}?" if near else ""


class StrictReader:
    """Collects every problem of a document, so that all are told at once."""

    def __init__(self) -> None:
        self.causes: list[Cause] = []

    def refuse(self, path: str, message: str) -> None:
        """Take note that the field at ``path`` is wrong."""
        self.causes.append(Cause(CauseReason.INVALID, path, message))

    def raise_for(self, source: str) -> None:
        """Raise InvalidError, naming ``source`` and every field that is wrong, unless all was well."""
        if self.causes:
            details = "; ".join(str(cause) for cause in self.causes)
            raise InvalidError(f"{source}: {details}", causes=self.causes)

    def mapping(self, data: object, path: str, fields: Mapping[str, Field | Read]) -> dict[str, Any]:
        """Return the fields of ``data``, each read by its reader; unknown ones are refused.

        A reader without a shape is enough where no JSON Schema is published.
        """
        if not isinstance(data, Mapping):
            self.refuse(path, f"must be a mapping, is {type(data).__name__}")
            return {}
        for key in data:
            if key not in fields:
                self._refuse_unknown(f"{path}.{key}".lstrip("."), str(key).rpartition(".")[2], list(fields))
        return {
            key: (field.read if isinstance(field, Field) else field)(data[key], f"{path}.{key}".lstrip("."))
            for key, field in fields.items()
            if data.get(key) is not None
        }

    def _refuse_unknown(self, path: str, name: str, known: list[str]) -> None:
        told = f"unknown field{meant(name, known) or ';'} known are {', '.join(known)}"
        self.causes.append(Cause(CauseReason.UNKNOWN_FIELD, path, told))

    # Fields, by what they hold.

    def a_text(self) -> Field:
        return Field(self.text, TEXT)

    def a_flag(self) -> Field:
        return Field(self.flag, FLAG)

    def some_texts(self) -> Field:
        return Field(self.texts, one_or_more(TEXT))

    def a_number(self, high: float = MOST_SECONDS) -> Field:
        shape = {"type": "number", "minimum": 0, "maximum": high}
        return Field(partial(self.number, high=high), shape)

    def an_integer(self, low: int = 0, high: int = MOST) -> Field:
        shape = {"type": "integer", "minimum": low, "maximum": high}
        return Field(partial(self.integer, low=low, high=high), shape)

    def a_word(self, words: type[E], default: E) -> Field:
        return Field(partial(self.word, words=words, default=default), one_of([*words]))

    # Their readers.

    def number(self, data: object, path: str, *, high: float = MOST_SECONDS) -> float:
        """Read a number from 0 on."""
        if isinstance(data, bool) or not isinstance(data, int | float) or not 0 <= data <= high:
            self.refuse(path, f"must be a number from 0 to {high:g}; is {reprlib.repr(data)}")
            return 0.0
        return float(data)

    def integer(self, data: object, path: str, *, low: int = 0, high: int = MOST) -> int:
        """Read a whole number."""
        if isinstance(data, bool) or not isinstance(data, int) or not low <= data <= high:
            to = "on" if high == MOST else f"to {high}"
            self.refuse(path, f"must be a whole number from {low} {to}; is {reprlib.repr(data)}")
            return low
        return data

    def text(self, data: object, path: str) -> str:
        """Read a text."""
        if not isinstance(data, str):
            self.refuse(path, f"must be text, is {reprlib.repr(data)}")
            return ""
        return data

    def flag(self, data: object, path: str) -> bool:
        """Read true or false."""
        if not isinstance(data, bool):
            self.refuse(path, f"must be true or false, is {reprlib.repr(data)}")
        return data is True

    def texts(self, data: object, path: str) -> tuple[str, ...]:
        """Read one text or a list of them."""
        items = data if isinstance(data, list) else [data]
        return tuple(self.text(item, path) for item in items)

    def labels(self, data: object, path: str) -> dict[str, str]:
        """Read a mapping of text to text."""
        if not isinstance(data, Mapping):
            self.refuse(path, "must be a mapping of text to text")
            return {}
        return {str(key): self.text(value, f"{path}.{key}") for key, value in data.items()}

    def word(self, data: object, path: str, words: type[E], default: E) -> E:
        """Read one of ``words``."""
        try:
            return words(str(data))
        except ValueError:
            self.refuse(path, f"must be one of {', '.join(words)}; is {reprlib.repr(data)}")
            return default
