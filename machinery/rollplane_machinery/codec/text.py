"""Text to documents: multi-document YAML as Kubernetes' tools read it, and JSON.

Text that begins like JSON and is JSON is read as such (kubectl also takes several values, one after another), all
else as YAML. Both feed the same ``TreeBuilder``, so lines, duplicates and bounds are alike.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import yaml

from rollplane_machinery.codec.problems import Json
from rollplane_machinery.codec.scalars import resolve
from rollplane_machinery.codec.tree import Document, MalformedError, TreeBuilder

MAX_CHARACTERS = 64 * 1024 * 1024

BOM = "\ufeff"
# Files that begin with a mark may have been put one after another.
_BOM_AT_A_START = re.compile(f"^{BOM}", re.MULTILINE)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Cutting the text where a document begins lets the others be read when one is no YAML.
_DOCUMENT_START = re.compile(r"^(?:%.*\n)*---(?=\s|\Z)", re.MULTILINE)
_JSON_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|\n|[^\s,:{}\[\]"]+')


@dataclass(frozen=True, slots=True)
class Fault:
    """Text that is no document, from ``line`` on."""

    message: str
    line: int


def read_documents(text: str | bytes) -> Iterator[Document | Fault]:
    """Yield the documents of ``text`` in order, empty ones too, and a Fault in place of each that cannot be read."""
    try:
        decoded = _decoded(text) if isinstance(text, bytes) else text
        decoded.encode("utf-8")
    except UnicodeError:
        yield Fault("is neither UTF-8, nor UTF-16 with a byte order mark", 1)
        return
    if len(decoded) > MAX_CHARACTERS:
        yield Fault(f"is larger than {MAX_CHARACTERS >> 20} MiB", 1)
        return
    if BOM in decoded:
        decoded = _BOM_AT_A_START.sub("", decoded)
    yield from _read_json(decoded) if _is_json(decoded) else _read_yaml(decoded)


def _decoded(text: bytes) -> str:
    """A byte order mark decides, as for kubectl (PowerShell writes UTF-16); without one it is UTF-8."""
    is_utf_16 = text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return text.decode("utf-16" if is_utf_16 else "utf-8")


# JSON


def _is_json(text: str) -> bool:
    """Whether ``text`` is nothing but JSON objects and lists."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    rest = len(text) - len(text.lstrip())
    if text[rest : rest + 1] not in ("{", "["):
        return False
    try:
        while rest < len(text):
            _, end = decoder.raw_decode(text, rest)
            rest = len(text) - len(text[end:].lstrip())
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _read_json(text: str) -> Iterator[Document | Fault]:
    """Yield the documents of ``text``, which is known to be JSON: commas and colons need not be looked at again."""
    builder, line = TreeBuilder(), 1
    for match in _JSON_WORD.finditer(text):
        word = match.group()
        if word == "\n":
            line += 1
            continue
        try:
            _feed_json(builder, word, line)
        except MalformedError as exc:
            yield Fault(exc.message, exc.line)
            return
        if not builder.is_open:
            yield builder.document()
            builder = TreeBuilder()


def _feed_json(builder: TreeBuilder, word: str, line: int) -> None:
    if word == "{":
        builder.open_object(line)
    elif word == "[":
        builder.open_list(line)
    elif word in ("}", "]"):
        builder.close()
    else:
        value = word[1:-1] if word[0] == '"' and "\\" not in word else json.loads(word)
        if builder.wants_name:
            builder.name(value, line)
        else:
            builder.scalar(value, line)


# YAML


def _read_yaml(text: str) -> Iterator[Document | Fault]:
    line, last = 1, 0
    for start in (*(match.start() for match in _DOCUMENT_START.finditer(text)), len(text)):
        if start > last:
            piece = text[last:start]
            yield from _read_piece(piece, line)
            line, last = line + piece.count("\n"), start


def _read_piece(text: str, first_line: int) -> Iterator[Document | Fault]:
    """Yield the documents of a piece of YAML, of which there is one unless ``...`` separates more."""
    builder = TreeBuilder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if event.__class__ is yaml.DocumentStartEvent:
                builder = TreeBuilder()
            elif event.__class__ is yaml.DocumentEndEvent:
                yield builder.document()
            else:
                _feed_yaml(builder, event, first_line)
    except MalformedError as exc:
        yield Fault(exc.message, exc.line)
    except yaml.reader.ReaderError as exc:
        yield Fault(f"is no YAML: {exc.reason}", first_line + text.count("\n", 0, exc.position))
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        message = " ".join(part for part in (exc.context, exc.problem) if part)
        yield Fault(f"is no YAML: {message}", first_line + (mark.line if mark else 0))


def _feed_yaml(builder: TreeBuilder, event: Any, first_line: int) -> None:
    kind = event.__class__
    if kind is yaml.ScalarEvent:
        _feed_scalar(builder, event, first_line + event.start_mark.line)
    elif kind is yaml.MappingStartEvent:
        builder.open_object(_checked_line(event, "map", first_line), event.anchor)
    elif kind is yaml.SequenceStartEvent:
        builder.open_list(_checked_line(event, "seq", first_line), event.anchor)
    elif kind is yaml.AliasEvent:
        builder.alias(event.anchor, first_line + event.start_mark.line)
    elif kind is not yaml.StreamStartEvent and kind is not yaml.StreamEndEvent:
        builder.close()


def _checked_line(event: Any, tag: str, first_line: int) -> int:
    line: int = first_line + event.start_mark.line
    if event.tag not in (None, "!", _TAG + tag):
        raise MalformedError(f"no such tag as {event.tag}", line)
    return line


def _feed_scalar(builder: TreeBuilder, event: Any, line: int) -> None:
    is_plain = event.implicit[0]
    try:
        value = resolve(event.value) if is_plain else _tagged(event.tag, event.value)
    except ValueError as exc:
        raise MalformedError(str(exc), line) from exc
    if not builder.wants_name:
        builder.scalar(value, line, event.anchor)
    elif is_plain and event.value == "<<":
        builder.merge()
    else:
        builder.name(_name(value, line), line)
        if event.anchor is not None:
            builder.remember(value, event.anchor)


def _name(value: Json, line: int) -> str:
    """Return the name that a scalar is as a key: numbers and booleans are written out, as Kubernetes' tools do."""
    if value is None:
        raise MalformedError("a name must not be null", line)
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


_TAG = "tag:yaml.org,2002:"


def _tagged(tag: str | None, text: str) -> Json:
    """Return the value of a scalar that is quoted or has a tag; raises ValueError."""
    if tag is None or tag == "!":
        return text
    convert = _CONVERSIONS.get(tag)
    if convert is None:
        raise ValueError(f"no such tag as {tag}")
    return convert(text)


def _expect(name: str, *classes: type) -> Callable[[str], Json]:
    def convert(text: str) -> Json:
        value = resolve(text)
        if value.__class__ not in classes:
            raise ValueError(f"{text!r} is no {name}")
        return value

    return convert


_CONVERSIONS: Mapping[str, Callable[[str], Json]] = MappingProxyType(
    {
        _TAG + "str": str,
        _TAG + "timestamp": str,
        _TAG + "int": _expect("integer", int),
        _TAG + "float": _expect("number", int, float),
        _TAG + "bool": _expect("boolean", bool),
        _TAG + "null": _expect("null", type(None)),
        _TAG + "binary": lambda text: base64.b64decode(text).decode("utf-8"),
    }
)
