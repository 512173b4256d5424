"""Which watches can share an upstream, told apart by the keys of objects.

Name and namespace never change: nothing begins or ceases to match a filter on them. So whoever reads all objects of a
kind can tell each such watch what it would have been told by an upstream of its own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from rollplane_machinery.api import Key, WatchFilter
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.selectors.fields import FieldOperator, FieldTerm, parse_field_selector

_NAMESPACE, _NAME = "metadata.namespace", "metadata.name"


class Place(NamedTuple):
    """The objects of one namespace, of one name, or both; an empty word does not narrow."""

    namespace: str = ""
    name: str = ""


EVERYWHERE = Place()


def places_of(key: Key) -> set[Place]:
    """Return the places where the object of ``key`` is."""
    namespace, name = key.namespace, key.name
    return {Place(namespace, name), Place(namespace), Place("", name), EVERYWHERE}


@lru_cache(maxsize=4096)
def shared(where: WatchFilter) -> tuple[WatchFilter, Place]:
    """Return the upstream in which ``where`` can be read with others, and its place in that.

    What asks for more than one place, or for what may change, has an upstream of its own, which also tells what is
    wrong with it.
    """
    if where.label_selector or len(where.namespaces) > 1:
        return where, EVERYWHERE
    words = _words(where)
    if words is None:
        return where, EVERYWHERE
    return replace(where, namespaces=(), field_selector=""), Place(words.get(_NAMESPACE, ""), words.get(_NAME, ""))


def _words(where: WatchFilter) -> dict[str, str] | None:
    """Return what the filter wants each path to be, None when it cannot be said so."""
    try:
        terms = parse_field_selector(where.field_selector, where.kind).terms
    except BadRequestError:
        return None
    words = {_NAMESPACE: where.namespaces[0]} if where.namespaces else {}
    for term in terms:
        if not _is_place(term) or words.setdefault(term.path, term.values[0]) != term.values[0]:
            return None
    return words


def _is_place(term: FieldTerm) -> bool:
    return term.path in (_NAMESPACE, _NAME) and term.operator is FieldOperator.EQUALS and term.values != ("",)
