"""Data from YAML or a command line, read strictly: every problem is collected with the field that it concerns."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from rollplane_machinery.errors import Cause, CauseReason, InvalidError

E = TypeVar("E", bound=StrEnum)

MOST_SECONDS = 1e9
MOST = 2**53


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

    def mapping(self, data: object, path: str, fields: Mapping[str, Callable[[Any, str], Any]]) -> dict[str, Any]:
        """Return the fields of ``data``, each read by its reader; unknown ones are refused."""
        if not isinstance(data, Mapping):
            self.refuse(path, f"must be a mapping, is {type(data).__name__}")
            return {}
        for key in data:
            if key not in fields:
                self._refuse_unknown(f"{path}.{key}".lstrip("."), str(key).rpartition(".")[2], list(fields))
        return {
            key: read(data[key], f"{path}.{key}".lstrip("."))
            for key, read in fields.items()
            if data.get(key) is not None
        }

    def _refuse_unknown(self, path: str, name: str, known: list[str]) -> None:
        import difflib  # only mistakes need it

        near = difflib.get_close_matches(name, known, 1)
        meant = f", did you mean {near[0]}?" if near else ";"
        self.causes.append(Cause(CauseReason.UNKNOWN_FIELD, path, f"unknown field{meant} known are {', '.join(known)}"))

    def number(self, data: object, path: str, *, high: float = MOST_SECONDS) -> float:
        """Read a number from 0 on."""
        if isinstance(data, bool) or not isinstance(data, int | float) or not 0 <= data <= high:
            self.refuse(path, f"must be a number from 0 to {high:g}; is {reprlib.repr(data)}")
            return 0.0
        return float(data)

    def integer(self, data: object, path: str, *, low: int = 0, high: int = MOST) -> int:
        """Read a whole number."""
        if isinstance(data, bool) or not isinstance(data, int) or not low <= data <= high:
            self.refuse(path, f"must be a whole number from {low} to {high}; is {reprlib.repr(data)}")
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
