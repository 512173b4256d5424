"""The strategic merge patch that applies a manifest, from three sides.

``original`` is the manifest applied last (its last-applied annotation), ``modified`` the one applied now, ``current``
the live object. What the manifest says is set, what it said before and no longer says is removed, and whatever neither
mentions (defaults, other writers' fields) stays.

Source: kubernetes/apimachinery pkg/util/strategicpatch/patch.go, CreateThreeWayMergePatch.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import BY_API_VERSION_KIND, may_be_custom
from rollplane_machinery.patch.json_value import Json, JsonObject, equal
from rollplane_machinery.patch.schema import OPEN, Field, Schema, schema_of
from rollplane_machinery.patch.strategic import DELETE, DELETE_FROM_LIST, PATCH, REPLACE, RETAIN_KEYS, SET_ORDER


def three_way_merge(original: JsonObject | None, modified: JsonObject, current: JsonObject) -> JsonObject:
    """Return the strategic merge patch for the object ``current``; empty when there is nothing to do.

    ``original`` None means that the object was never applied, so nothing is removed. A null in ``modified`` removes the
    member, whoever wrote it. Of a custom object nothing is known, so the patch is a merge patch, too. Raises
    BadRequestError when ``current`` is of no registered kind.
    """
    api_version = str(current.get("apiVersion"))
    kind = BY_API_VERSION_KIND.get((api_version, str(current.get("kind"))))
    if kind is not None:
        return _diff_object(original or {}, modified, current, schema_of(kind.shape))
    if not may_be_custom(api_version.partition("/")[0]):
        raise BadRequestError("the live object is of no kind that can be merged")
    return _diff_object(original or {}, modified, current, OPEN)


def _diff_object(original: JsonObject, modified: JsonObject, current: JsonObject, schema: Schema) -> JsonObject:
    patch: JsonObject = {}
    for name, value in modified.items():
        if value is None and current.get(name) is not None:
            patch[name] = None
        elif value is not None:
            _diff_member(patch, name, original.get(name), value, current.get(name), schema.field(name))
    for name, value in original.items():
        if value is not None and modified.get(name) is None and name in current:
            patch[name] = None
    return patch


def _diff_member(patch: JsonObject, name: str, original: Json, modified: Json, current: Json, field: Field) -> None:
    if isinstance(modified, dict) and isinstance(current, dict) and not field.rule.is_replaced:
        before = original if isinstance(original, dict) else {}
        if change := _diff_object(before, modified, current, field.schema):
            patch[name] = _retaining(change, modified, field)
    elif isinstance(modified, list) and isinstance(current, list) and field.rule.is_set:
        _diff_set(patch, name, _as_list(original), modified, current)
    elif isinstance(modified, list) and isinstance(current, list) and field.rule.merge_key:
        _diff_keyed(patch, name, _as_list(original), modified, current, field)
    elif not equal(modified, current):
        patch[name] = modified


def _as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _retaining(change: JsonObject, modified: JsonObject, field: Field) -> JsonObject:
    """Add to ``change`` which members of a union stay: only those that the manifest names."""
    if not field.rule.retains_keys:
        return change
    return {**change, RETAIN_KEYS: [*sorted(name for name, value in modified.items() if value is not None)]}


def _diff_set(patch: JsonObject, name: str, original: list[Json], modified: list[Json], current: list[Json]) -> None:
    added: list[Json] = [item for item in modified if item not in current]
    removed: list[Json] = [item for item in original if item not in modified and item in current]
    if added:
        patch[name] = added
    if removed:
        patch[DELETE_FROM_LIST + name] = removed
    if added or removed or _is_reordered(modified, current):
        patch[SET_ORDER + name] = modified


def _diff_keyed(
    patch: JsonObject, name: str, original: list[Json], modified: list[Json], current: list[Json], field: Field
) -> None:
    key = field.rule.merge_key
    keys = [_key_of(item, key) for item in modified]
    if None in keys or len(set(map(repr, keys))) < len(keys):
        _diff_unkeyed(patch, name, original, modified, current, field)
        return
    items = _diff_items(original, modified, current, field)
    if items:
        patch[name] = items
    if items or _is_reordered(keys, [_key_of(item, key) for item in current]):
        patch[SET_ORDER + name] = [{key: each} for each in keys]


def _diff_items(original: list[Json], modified: list[Json], current: list[Json], field: Field) -> list[Json]:
    """Return the patch's items: new ones, changes of present ones, and deletions of those that were applied once."""
    key = field.rule.merge_key
    before, live = _by_key(original, key), _by_key(current, key)
    wanted = _by_key(modified, key)
    items: list[Json] = []
    for each, item in wanted.items():
        if each not in live:
            items.append(item)
        elif change := _diff_object(before.get(each, {}), item, live[each], field.schema):
            items.append({key: item[key], **_retaining(change, item, field)})
    items += [{PATCH: DELETE, key: before[each][key]} for each in before if each not in wanted and each in live]
    return items


def _diff_unkeyed(
    patch: JsonObject, name: str, original: list[Json], modified: list[Json], current: list[Json], field: Field
) -> None:
    """Replace the whole of a list whose items the merge key cannot tell apart (one port number for TCP and for UDP)."""
    if equal(original, modified) and len(modified) == len(current):
        pairs = zip(modified, current, strict=True)
        if all(_adds_nothing(item, live, field.schema) for item, live in pairs):
            return
    patch[name] = [{PATCH: REPLACE}, *modified]


def _adds_nothing(modified: Json, current: Json, schema: Schema) -> bool:
    if isinstance(modified, dict) and isinstance(current, dict):
        return not _diff_object({}, modified, current, schema)
    return equal(modified, current)


def _is_reordered(modified: Sequence[Json], current: Sequence[Json]) -> bool:
    """Whether what both lists hold stands in another order in each."""
    return [item for item in modified if item in current] != [item for item in current if item in modified]


def _by_key(items: list[Json], key: str) -> dict[str, JsonObject]:
    """The first item of each key, by the key's representation, which tells 80 from "80"."""
    found: dict[str, JsonObject] = {}
    for item in items:
        if isinstance(item, dict) and _key_of(item, key) is not None:
            found.setdefault(repr(item[key]), item)
    return found


def _key_of(item: Json, key: str) -> Json:
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None
