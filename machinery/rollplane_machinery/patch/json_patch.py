"""JSON patch, RFC 6902: a list of operations, carried out in order, all or none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollplane_machinery.errors import BadRequestError, InvalidError, RequestTooLargeError
from rollplane_machinery.patch.json_value import Json, JsonObject, copied, equal, expect_list, expect_object

MAX_OPERATIONS = 10_000
MAX_COPIED_BYTES = 3 * 1024 * 1024
"""How much ``copy`` may add in one patch: a few copies of copies could otherwise fill the memory."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_BAD_ESCAPE = re.compile(r"~(?![01])")
_END = "-"

Pointer = tuple[str, ...]
"""A parsed RFC 6901 pointer: the name or index at each level."""


def json_patch(document: Json, operations: Json) -> Json:
    """Return ``document`` after ``operations``; neither is changed.

    Raises BadRequestError for operations that are malformed, InvalidError when a path is missing or a test fails,
    RequestTooLargeError for more than 10,000 operations or 3 MiB of copies. Each names the operation by its number.
    """
    listed = expect_list(operations, "a JSON patch")
    if len(listed) > MAX_OPERATIONS:
        raise RequestTooLargeError(f"a JSON patch may have {MAX_OPERATIONS} operations, this one has {len(listed)}")
    state = _State(copied(document))
    for number, operation in enumerate(listed):
        _run(state, expect_object(operation, f"operation {number} of the JSON patch"), number)
    return state.document


class _State:
    """The document being patched, in a holder so that the whole of it can be replaced like any member."""

    def __init__(self, document: Json) -> None:
        self._holder: JsonObject = {"": document}
        self.copied_bytes = 0

    @property
    def document(self) -> Json:
        return self._holder[""]

    def get(self, pointer: Pointer) -> Json:
        value: Json = self._holder
        for step in ("", *pointer):
            value = _member(value, step)
        return value

    def parent(self, pointer: Pointer) -> tuple[Json, str]:
        """Return what holds the place at ``pointer``, and the place's name in it."""
        if not pointer:
            return self._holder, ""
        return self.get(pointer[:-1]), pointer[-1]


@dataclass(frozen=True, slots=True)
class _Operation:
    """The members of one operation, read as they are needed."""

    members: JsonObject

    def pointer(self, name: str) -> Pointer:
        text = self.members.get(name)
        if not isinstance(text, str) or (text and not text.startswith("/")) or _BAD_ESCAPE.search(text):
            raise BadRequestError(f"{name!r} must be a JSON pointer")
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])

    def value(self) -> Json:
        if "value" not in self.members:
            raise BadRequestError("'value' is missing")
        return copied(self.members["value"])


def _run(state: _State, members: JsonObject, number: int) -> None:
    name = members.get("op")
    run = _OPERATIONS.get(name) if isinstance(name, str) else None
    if run is None:
        raise BadRequestError(f"operation {number}: {name!r} is no JSON patch operation")
    try:
        run(state, _Operation(members))
    except (BadRequestError, InvalidError, RequestTooLargeError) as exc:
        raise type(exc)(f"operation {number} ({name} {members.get('path')}): {exc.message}") from exc


def _add(state: _State, operation: _Operation) -> None:
    _insert(state, operation.pointer("path"), operation.value())


def _remove(state: _State, operation: _Operation) -> None:
    _take(state, operation.pointer("path"))


def _replace(state: _State, operation: _Operation) -> None:
    holder, name = state.parent(operation.pointer("path"))
    _member(holder, name)
    if isinstance(holder, list):
        holder[int(name)] = operation.value()
    elif isinstance(holder, dict):
        holder[name] = operation.value()


def _move(state: _State, operation: _Operation) -> None:
    source, target = operation.pointer("from"), operation.pointer("path")
    if source == target:
        state.get(source)
        return
    if target[: len(source)] == source:
        raise BadRequestError("a value cannot be moved into itself")
    _insert(state, target, _take(state, source))


def _copy(state: _State, operation: _Operation) -> None:
    value = copied(state.get(operation.pointer("from")))
    state.copied_bytes += len(json.dumps(value))
    if state.copied_bytes > MAX_COPIED_BYTES:
        raise RequestTooLargeError(f"copies more than {MAX_COPIED_BYTES} bytes")
    _insert(state, operation.pointer("path"), value)


def _test(state: _State, operation: _Operation) -> None:
    if not equal(state.get(operation.pointer("path")), operation.value()):
        raise InvalidError("the test failed")


_OPERATIONS: Mapping[str, Callable[[_State, _Operation], None]] = MappingProxyType(
    {"add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy, "test": _test}
)


def _member(holder: Json, name: str) -> Json:
    if isinstance(holder, dict):
        if name not in holder:
            raise InvalidError(f"there is no {name!r}")
        return holder[name]
    if isinstance(holder, list):
        return holder[_index(name, len(holder) - 1)]
    raise InvalidError(f"there is no {name!r} in a value that is neither object nor array")


def _insert(state: _State, pointer: Pointer, value: Json) -> None:
    holder, name = state.parent(pointer)
    if isinstance(holder, dict):
        holder[name] = value
    elif isinstance(holder, list):
        holder.insert(len(holder) if name == _END else _index(name, len(holder)), value)
    else:
        raise InvalidError(f"{name!r} cannot be added to a value that is neither object nor array")


def _take(state: _State, pointer: Pointer) -> Json:
    if not pointer:
        raise BadRequestError("the whole document cannot be removed")
    holder, name = state.parent(pointer)
    value = _member(holder, name)
    if isinstance(holder, list):
        del holder[int(name)]
    elif isinstance(holder, dict):
        del holder[name]
    return value


def _index(text: str, last: int) -> int:
    """Return ``text`` as an index from 0 to ``last``."""
    if not _INDEX.fullmatch(text) or int(text) > last:
        raise InvalidError(f"there is no index {text!r}, the last one is {last}")
    return int(text)
