"""Builds the JSON value of one document from a parser's events, and keeps the line of every member.

Bounded in depth, and in what aliases may repeat; nothing here recurses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollplane_machinery.codec.problems import Json

MAX_DEPTH = 200
MAX_REPEATED_VALUES = 100_000


class MalformedError(Exception):
    """The document cannot be made sense of from ``line`` on. Never leaves the codec."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: its value, and the lines (from 1) on which it and its members begin.

    ``lines`` has an entry for each list and object by its id. ``duplicates`` are the members given twice; the last one
    is in the value.
    """

    value: Json
    line: int
    lines: Mapping[int, Mapping[str | int, int]]
    duplicates: tuple[tuple[str | int, ...], ...]

    def line_of(self, steps: tuple[str | int, ...]) -> int:
        """Return the line of the member at ``steps``, or of its nearest ancestor that is in the text."""
        line, value = self.line, self.value
        for step in steps:
            line = self.lines.get(id(value), {}).get(step, line)
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                break
        return line


@dataclass(slots=True)
class _OpenList:
    """A list that is being filled; ``size`` counts the values before it."""

    value: list[Json]
    anchor: str | None
    size: int
    lines: dict[str | int, int] = field(default_factory=dict)
    wants_name: bool = False

    @property
    def step(self) -> int:
        return len(self.value) - 1

    def add(self, item: Json, line: int) -> None:
        self.lines[len(self.value)] = line
        self.value.append(item)

    def finish(self) -> None: ...


@dataclass(slots=True)
class _OpenObject:
    """An object that is being filled; ``wants_name`` unless the name of the next member waits for its value."""

    value: dict[str, Json]
    anchor: str | None
    size: int
    lines: dict[str | int, int] = field(default_factory=dict)
    step: str = ""
    wants_name: bool = True
    is_merge: bool = False
    merged: list[tuple[Json, int]] = field(default_factory=list)

    def name(self, name: str, line: int) -> None:
        self.lines[name] = line
        self.step, self.wants_name, self.is_merge = name, False, False

    def add(self, item: Json, line: int) -> None:
        self.wants_name = True
        if self.is_merge:
            self.merged.append((item, line))  # a list or an object, which is filled only now
        else:
            self.value[self.step] = item

    def finish(self) -> None:
        """Members written out win over merged ones, earlier merged ones over later."""
        for item, line in self.merged:
            for part in item if isinstance(item, list) else [item]:
                if not isinstance(part, dict):
                    raise MalformedError("<< can only merge objects", line)
                self.value.update({name: value for name, value in part.items() if name not in self.value})


class TreeBuilder:
    """Takes the events of one document in order, and gives the document.

    Every method raises MalformedError for what cannot be part of a JSON value.
    """

    def __init__(self) -> None:
        self._root = _OpenList([], None, 0)  # holds the one value of the document
        self._open: list[_OpenList | _OpenObject] = [self._root]
        self._top: _OpenList | _OpenObject = self._root
        self._size = 0
        self._repeated = 0
        self._anchors: dict[str, tuple[Json, int]] = {}
        self._unfinished: set[str] = set()
        self._lines: dict[int, dict[str | int, int]] = {}
        self._duplicates: list[tuple[str | int, ...]] = []

    @property
    def wants_name(self) -> bool:
        """Whether the next scalar is the name of a member."""
        return self._top.wants_name

    @property
    def is_open(self) -> bool:
        """Whether a list or an object awaits its end."""
        return len(self._open) > 1

    def document(self) -> Document:
        """Return what was built; call it once, at the end."""
        return Document(self._root.value[0], self._root.lines[0], self._lines, tuple(self._duplicates))

    def name(self, name: str, line: int) -> None:
        """Take the name of a member."""
        top = self._top_object()
        if name in top.value:
            self._duplicates.append((*(above.step for above in self._open[1:-1]), name))
        top.name(name, line)

    def merge(self) -> None:
        """Take ``<<`` in the place of a name: the members of what follows are merged into the object."""
        top = self._top_object()
        top.wants_name, top.is_merge = False, True

    def scalar(self, value: Json, line: int, anchor: str | None = None) -> None:
        """Take a scalar that is no name."""
        self._size += 1
        self._top.add(value, line)
        if anchor is not None:
            self.remember(value, anchor)

    def remember(self, value: Json, anchor: str) -> None:
        """Keep a scalar for the aliases of ``anchor``."""
        self._anchors[anchor] = (value, 1)

    def open_list(self, line: int, anchor: str | None = None) -> None:
        """Begin a list."""
        self._begin(_OpenList([], anchor, self._size), line)

    def open_object(self, line: int, anchor: str | None = None) -> None:
        """Begin an object."""
        self._begin(_OpenObject({}, anchor, self._size), line)

    def close(self) -> None:
        """End the list or object begun last."""
        top = self._open.pop()
        self._top = self._open[-1]
        top.finish()
        if top.anchor is not None:
            self._unfinished.discard(top.anchor)
            self._anchors[top.anchor] = (top.value, self._size - top.size)

    def alias(self, anchor: str, line: int) -> None:
        """Repeat the value of ``anchor``; what all aliases repeat, nested or not, is bounded."""
        if self.wants_name:
            raise MalformedError("an alias cannot be a name", line)
        if anchor in self._unfinished:
            raise MalformedError(f"&{anchor} contains itself", line)
        if anchor not in self._anchors:
            raise MalformedError(f"no anchor &{anchor} before this line", line)
        value, size = self._anchors[anchor]
        self._size += size
        self._repeated += size
        if self._repeated > MAX_REPEATED_VALUES:
            raise MalformedError(f"aliases repeat more than {MAX_REPEATED_VALUES} values", line)
        self._top.add(value, line)

    def _begin(self, opened: _OpenList | _OpenObject, line: int) -> None:
        if self.wants_name:
            raise MalformedError("a name must be a scalar", line)
        if len(self._open) > MAX_DEPTH:
            raise MalformedError(f"nested deeper than {MAX_DEPTH}", line)
        self._size += 1
        self._top.add(opened.value, line)
        self._lines[id(opened.value)] = opened.lines
        if opened.anchor is not None:
            self._unfinished.add(opened.anchor)
        self._open.append(opened)
        self._top = opened

    def _top_object(self) -> _OpenObject:
        if not isinstance(self._top, _OpenObject):
            raise TypeError("a name outside of an object")
        return self._top
