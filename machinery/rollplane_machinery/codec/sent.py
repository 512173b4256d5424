"""Bodies of requests: one JSON value, of JSON or YAML text, and what it says twice."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rollplane_machinery.codec.problems import Json
from rollplane_machinery.codec.text import Fault, read_documents
from rollplane_machinery.codec.tree import MAX_DEPTH
from rollplane_machinery.errors import BadRequestError

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A JSON value that was sent; ``duplicates`` are the ways to members given twice, of which the last counts."""

    value: Json
    duplicates: tuple[Steps, ...] = ()


class _TwiceError(Exception):
    """A member is given twice: who wants to know where has to look closer."""


def read_sent(text: bytes, *, is_yaml: bool = False) -> Sent:
    """Return the one value in ``text``; raises BadRequestError for anything else.

    Text is read as JSON by the standard parser, and again word by word only when something in it is given twice.
    """
    if is_yaml:
        return _looked_at(text)
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant)
    except _TwiceError:
        return _looked_at(text)
    except RecursionError as exc:
        raise _too_deep() from exc
    except UnicodeDecodeError as exc:
        raise BadRequestError(f"the body is not UTF-8 at byte {exc.start + 1}") from exc
    except json.JSONDecodeError as exc:
        raise BadRequestError(f"the body is not JSON at line {exc.lineno}, column {exc.colno}") from exc
    except ValueError as exc:
        raise BadRequestError(f"the body is not JSON: {exc}") from exc
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and _is_deep(value):
        raise _too_deep()
    return Sent(value)


def _is_deep(value: Json) -> bool:
    """Whether ``value`` nests deeper than MAX_DEPTH, looked at level by level."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            member
            for each in level
            if isinstance(each, dict | list)
            for member in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def _too_deep() -> BadRequestError:
    return BadRequestError(f"the body is nested deeper than {MAX_DEPTH} levels")


def _looked_at(text: bytes) -> Sent:
    documents = list(read_documents(text))
    if len(documents) != 1:
        raise BadRequestError(f"the body holds {len(documents)} documents, want one")
    document = documents[0]
    if isinstance(document, Fault):
        raise BadRequestError(f"the body cannot be read: line {document.line}: {document.message}")
    return Sent(document.value, document.duplicates)


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _TwiceError
    return members


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")
