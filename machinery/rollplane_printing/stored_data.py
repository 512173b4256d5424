"""The JSON of objects that are kept as such, asked by paths; and what layouts are made of for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from rollplane.stored.v1 import StoredObject
from rollplane_printing.durations import age, duration_text
from rollplane_printing.table import AGE, NAME, Cell, Column, Layout, joined, or_none, text

Json = Any


class Data:
    """What an object says beside its metadata; what is not there, or is something else, is empty. ``now`` is when."""

    def __init__(self, obj: StoredObject, now: float) -> None:
        named = {"spec": obj.spec, "status": obj.status, **obj.members}
        self.annotations = obj.metadata.annotations
        self.now = now
        self._json = {name: json.loads(value.json) for name, value in named.items() if value.json}

    def at(self, path: str) -> Json:
        """Return what stands at ``path`` (``spec.claimRef.name``); None where nothing does."""
        return at(self._json, path)

    def text(self, path: str) -> str:
        """Return it as text: numbers in decimal, true or false."""
        return plain(self.at(path))

    def number(self, path: str) -> int:
        """Return it as a whole number, 0 where it is none."""
        value = self.at(path)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    def texts(self, path: str) -> list[str]:
        """Return the items of the list there, as texts."""
        value = self.at(path)
        return list(map(plain, value)) if isinstance(value, list) else []

    def objects(self, path: str) -> list[dict[str, Json]]:
        """Return the objects of the list there."""
        return objects(self.at(path))

    def seconds(self, path: str) -> float | None:
        """Return the time there in seconds since the epoch, None where there is none."""
        from rollplane_machinery.codec.time_text import parse_time  # few tables need the codec

        try:
            return float(parse_time(self.text(path))[0])
        except ValueError:
            return None

    def since(self, path: str) -> str:
        """Return how long ago the time there is, ``<none>`` where there is none."""
        then = self.seconds(path)
        return or_none("" if then is None else duration_text(self.now - then))


def at(value: Json, path: str) -> Json:
    """Return what stands at ``path`` below ``value``; None where nothing does."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def objects(value: Json) -> list[dict[str, Json]]:
    """Return the objects of a list; none where it is none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def plain(value: Json) -> str:
    """Return a scalar as text, anything else as nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def selector_text(selector: Json) -> str:
    """Return a label selector as kubectl writes it, ``<none>`` for one that is empty."""
    labels, terms = at(selector, "matchLabels"), objects(at(selector, "matchExpressions"))
    parts = [f"{name}={labels[name]}" for name in sorted(labels)] if isinstance(labels, dict) else []
    return joined([*parts, *map(_requirement, terms)])


def _requirement(term: dict[str, Json]) -> str:
    key, operator, values = plain(term.get("key")), plain(term.get("operator")), term.get("values") or []
    if operator in ("Exists", "DoesNotExist"):
        return key if operator == "Exists" else f"!{key}"
    return f"{key} {operator.lower()} ({','.join(sorted(map(plain, values)))})"


Cells = Callable[[Data], Sequence[Cell]]


def layout(columns: Sequence[Column], cells: Cells, *, behind: Sequence[Column] = ()) -> Layout:
    """Return a layout of ``columns`` between the name and the age, and ``behind`` it; ``cells`` are all of these."""

    def filled(obj: StoredObject, now: float) -> list[Cell]:
        data = Data(obj, now)
        told = list(cells(data))
        old = age(obj.metadata.creation_timestamp, now)
        return [obj.metadata.name, *told[: len(columns)], old, *told[len(columns) :]]

    return Layout((NAME, *columns, AGE, *behind), filled)


def titles(*names: str) -> tuple[Column, ...]:
    """Return columns of text."""
    return tuple(map(text, names))
