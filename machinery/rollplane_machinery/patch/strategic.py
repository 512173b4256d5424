"""Strategic merge patch: objects merge, and so do the lists that ``schema`` names, item by item.

Directives: ``$patch`` (replace, delete, merge) in an object or list item, ``$retainKeys`` in an object,
``$deleteFromPrimitiveList/<list>`` and ``$setElementOrder/<list>`` beside a list. Of raw JSON nothing is known, and its
lists are atomic; but a client that knows them (kubectl knows Jobs) tells by its $setElementOrder how they are merged.

A merged list keeps two orders: patched items stand as the patch (or its $setElementOrder) has them, the others as they
stood; where the two meet, an item that stood before a patched one still does. So a new item goes before those that the
patch does not mention, as on Kubernetes.

Source: kubernetes/apimachinery pkg/util/strategicpatch/patch.go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from google.protobuf.descriptor import Descriptor

from rollplane_machinery.errors import BadRequestError, RequestTooLargeError
from rollplane_machinery.patch.json_value import Json, JsonObject, expect_list, expect_object
from rollplane_machinery.patch.schema import Field, Rule, Schema, schema_of

PATCH = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM_LIST = "$deleteFromPrimitiveList/"
SET_ORDER = "$setElementOrder/"

REPLACE = "replace"
DELETE = "delete"
MERGE = "merge"

MAX_ITEMS = 10_000
"""How many items of lists one patch may merge: each takes its time, and whoever merges lets nobody else run."""
MAX_STORED = 100_000
"""How many stored items and members one patch may go through: naming an item again goes through its lists again."""

Scalar = str | int | float


def strategic_merge_patch(document: JsonObject, patch: JsonObject, descriptor: Descriptor) -> JsonObject:
    """Return ``document``, an object of the message type ``descriptor``, changed as ``patch`` says.

    Neither is changed; the result shares parts with both. Raises BadRequestError for a directive that is malformed, an
    item without its merge key, or an item missing in its $setElementOrder; RequestTooLargeError for a patch that merges
    more than 10,000 items or goes through more than 100,000 stored items and members.
    """
    return _merge_object(document, patch, schema_of(descriptor), _Work())


class _Work:
    """What one patch has merged and gone through so far."""

    def __init__(self) -> None:
        self._items = 0
        self._stored = 0

    def merges(self, items: int) -> None:
        self._items += items
        if self._items > MAX_ITEMS:
            raise RequestTooLargeError(
                f"a strategic merge patch may merge {MAX_ITEMS} items of lists, this one has more"
            )

    def passes(self, stored: int) -> None:
        self._stored += stored
        if self._stored > MAX_STORED:
            raise RequestTooLargeError(
                f"a strategic merge patch may go through {MAX_STORED} stored items and members, this one needs more"
            )


def _merge_object(document: JsonObject, patch: JsonObject, schema: Schema, work: _Work) -> JsonObject:
    directive = patch.get(PATCH, MERGE)
    if directive == DELETE:
        return {}
    if directive not in (REPLACE, MERGE):
        raise BadRequestError(f"{PATCH} is {directive!r}, want replace, delete or merge")
    work.passes(len(document))
    merged = {} if directive == REPLACE else _retained(document, patch)
    for name in _members(patch):
        if patch.get(name, ...) is None:
            merged.pop(name, None)
        else:
            _merge_member(merged, patch, name, schema.field(name), work)
    return merged


def _members(patch: JsonObject) -> list[str]:
    """The members that ``patch`` speaks of, each once, directives beside a list counting for the list."""
    names = (
        name.removeprefix(SET_ORDER).removeprefix(DELETE_FROM_LIST)
        for name in patch
        if name not in (PATCH, RETAIN_KEYS)
    )
    return list(dict.fromkeys(names))


def _retained(document: JsonObject, patch: JsonObject) -> JsonObject:
    if RETAIN_KEYS not in patch:
        return dict(document)
    keys = {_scalar(key) for key in expect_list(patch[RETAIN_KEYS], RETAIN_KEYS)}
    for name in _members(patch):
        if name not in keys and patch.get(name, ...) is not None:
            raise BadRequestError(f"{name!r} is patched but not in {RETAIN_KEYS}")
    return {name: value for name, value in document.items() if name in keys}


def _merge_member(merged: JsonObject, patch: JsonObject, name: str, field: Field, work: _Work) -> None:
    """Merge what ``patch`` says of the member ``name``, which is not null, into ``merged``."""
    value = patch.get(name)
    if isinstance(value, dict):
        if value.get(PATCH) == DELETE and name not in merged:
            return
        known = {} if field.rule.is_replaced else _as_object(merged.get(name))
        merged[name] = _merge_object(known, value, field.schema, work)
    elif isinstance(value, list) or name not in patch:
        _merge_list_member(merged, patch, name, field, work)
    else:
        merged[name] = value


def _merge_list_member(merged: JsonObject, patch: JsonObject, name: str, field: Field, work: _Work) -> None:
    """Merge the list ``name`` of ``patch``, which may be there only in the directives beside it."""
    stored = merged.get(name)
    present = stored if isinstance(stored, list) else []
    items = expect_list(patch.get(name, []), name)
    order, removed = _directive(patch, SET_ORDER + name), _directive(patch, DELETE_FROM_LIST + name)
    if not field.is_known and order:
        field = replace(field, rule=_told_by(order))
    if field.rule.is_set or field.rule.merge_key:
        work.passes(len(present))
        work.merges(len(items))
    if field.rule.is_set:
        result = _merge_set(present, items, removed or [], order)
    elif field.rule.merge_key:
        result = _merge_keyed(present, items, order, field, work)
    elif order is None and removed is None:
        result = items
    else:
        raise BadRequestError(f"list {name!r} is not merged but replaced, and takes no directives")
    if result or name in merged or name in patch:
        merged[name] = result


def _told_by(order: list[Json]) -> Rule:
    """Return how a client that knows the list merges it: an item of an order has nothing but its key, or is scalar."""
    first = order[0]
    if not isinstance(first, dict):
        return Rule(is_set=True)
    if len(first) != 1:
        raise BadRequestError(f"an item of {SET_ORDER.rstrip('/')} must have its merge key, and nothing else")
    return Rule(merge_key=next(iter(first)))


def _directive(patch: JsonObject, name: str) -> list[Json] | None:
    return expect_list(patch[name], name) if name in patch else None


@dataclass(slots=True)
class _Entry:
    """An item of a merged list: what identifies it, and its place in the stored list (None for a new item)."""

    key: Scalar | None
    value: Json
    place: int | None = None


def _merge_set(present: list[Json], items: list[Json], removed: list[Json], order: list[Json] | None) -> list[Json]:
    gone = {_scalar(item) for item in removed}
    entries = [_Entry(_scalar(item), item, place) for place, item in enumerate(present) if _scalar(item) not in gone]
    wanted = [_scalar(item) for item in items]
    known = gone.union(entry.key for entry in entries if entry.key is not None)
    entries += [_Entry(item, item) for item in dict.fromkeys(wanted) if item not in known]
    return _arranged(entries, wanted, None if order is None else [_scalar(item) for item in order])


def _merge_keyed(
    present: list[Json], items: list[Json], order: list[Json] | None, field: Field, work: _Work
) -> list[Json]:
    name = field.rule.merge_key
    patches = [expect_object(item, f"an item of a list merged by {name!r}") for item in items]
    if any(patch.get(PATCH) == REPLACE for patch in patches):
        present = []
    gone = {_key(patch, name) for patch in patches if patch.get(PATCH) == DELETE}
    entries = [_Entry(_stored_key(item, name), item, place) for place, item in enumerate(present)]
    entries = [entry for entry in entries if entry.key not in gone]
    # Keys are not always unique: one port number can be there for TCP and for UDP. No patch can tell such items apart
    # and the first of them is merged, but a list that is new as a whole keeps them all.
    stored = {entry.key: entry for entry in reversed(entries)}
    wanted = []
    for patch in patches:
        if patch.get(PATCH) not in (REPLACE, DELETE):
            key = _key(patch, name)
            wanted.append(key)
            if (entry := stored.get(key)) is not None:
                entry.value = _merge_object(_as_object(entry.value), patch, field.schema, work)
            else:
                entries.append(_Entry(key, _merge_object({}, patch, field.schema, work)))
    return _arranged(entries, wanted, None if order is None else [_order_key(item, name) for item in order])


def _arranged(entries: list[_Entry], wanted: Sequence[Scalar], order: Sequence[Scalar] | None) -> list[Json]:
    """Return the values: those in ``order`` (or else ``wanted``) as it says, the rest where they stood.

    Raises BadRequestError when a ``wanted`` key is missing in ``order``.
    """
    ordered = wanted if order is None else order
    rank: dict[Scalar | None, int] = {key: number for number, key in reversed(list(enumerate(ordered)))}
    for key in wanted:
        if key not in rank:
            raise BadRequestError(f"item {key!r} is patched but not in its {SET_ORDER.rstrip('/')}")
    ranked = sorted((entry for entry in entries if entry.key in rank), key=lambda entry: rank[entry.key])
    others = deque(entry for entry in entries if entry.key not in rank)
    arranged: list[Json] = []
    for entry in ranked:
        while others and _stood_before(others[0], entry):
            arranged.append(others.popleft().value)
        arranged.append(entry.value)
    return arranged + [entry.value for entry in others]


def _stood_before(one: _Entry, other: _Entry) -> bool:
    return one.place is not None and other.place is not None and one.place < other.place


def _as_object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _scalar(item: Json) -> Scalar:
    if isinstance(item, str | int | float):
        return item
    raise BadRequestError("the items of a list of scalars must be scalars")


def _key(item: JsonObject, name: str) -> Scalar:
    key = item.get(name)
    if isinstance(key, str | int) and not isinstance(key, bool):
        return key
    raise BadRequestError(f"an item of a list merged by {name!r} does not name it")


def _order_key(item: Json, name: str) -> Scalar:
    return _key(expect_object(item, f"an item of {SET_ORDER.rstrip('/')}"), name)


def _stored_key(item: Json, name: str) -> Scalar | None:
    key = item.get(name) if isinstance(item, dict) else None
    return key if isinstance(key, str | int) else None
