"""An applied configuration merged into the live document.

Source: structured-merge-diff typed/merge.go.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence

from rollplane_machinery.fields.elements import Element
from rollplane_machinery.fields.schema import Leaf, ListOf, MapOf, Node, SetOf, Struct, resolved
from rollplane_machinery.fields.values import ABSENT, Value, as_items, as_members, is_empty
from rollplane_machinery.patch.json_value import Json, JsonObject


def merge(live: JsonObject, config: JsonObject, node: Node) -> JsonObject:
    """Return ``live`` with everything that ``config`` says; both are of the shape ``node``, and neither is changed.

    Leaves are taken from ``config``, a null too; objects, maps and keyed lists are merged. Items follow the order of
    ``config``, those of ``live`` alone stay where they stood. Members that ``node`` does not know are left out.
    """
    merged = _merged(live, config, node)
    return merged if isinstance(merged, dict) else {}


def _merged(live: Value, config: Value, node: Node) -> Json:
    if config is ABSENT:
        return None if live is ABSENT else live
    node = resolved(node, live, config)
    if isinstance(node, Leaf) or (is_empty(live) and is_empty(config)):
        return config
    if isinstance(node, Struct | MapOf):
        return _merged_members(as_members(live), as_members(config), node)
    return _merged_items(as_items(live), as_items(config), node)


def _merged_members(live: JsonObject, config: JsonObject, node: Struct | MapOf) -> JsonObject:
    merged = dict(live)
    for name, value in config.items():
        inside = node.member(name)
        if inside is not None:
            merged[name] = _merged(live.get(name, ABSENT), value, inside)
    return merged


def _merged_items(live: Sequence[Json], config: Sequence[Json], node: ListOf | SetOf) -> list[Json]:
    old, new = [node.step(item) for item in live], [node.step(item) for item in config]
    # Of stored items that cannot be told apart none is merged: the configured one stands for all of them.
    counts = Counter(old)
    stored: Mapping[Element, Json] = {step: item for step, item in zip(old, live, strict=True) if counts[step] == 1}
    wanted = dict(zip(new, config, strict=True))
    return [
        _merged(stored.get(step, ABSENT), wanted[step], node.element) if place is None else live[place]
        for step, place in _arranged(old, new)
    ]


def _arranged(live: Sequence[Element], config: Sequence[Element]) -> Iterator[tuple[Element, int | None]]:
    """Yield the steps of a merged list, those of ``live`` alone with their place in it.

    ``config`` goes in its order. Before each of its items comes what stands in ``live`` before the next item that both
    have, so that nobody's order is disturbed more than need be.
    """
    wanted, present = set(config), set(live)
    shared = deque(step for step in config if step in present)
    rest = deque(enumerate(live))
    for step in config:
        while rest and rest[0][1] != (shared[0] if shared else None):
            place, other = rest.popleft()
            if other not in wanted:
                yield other, place
        yield step, None
        if shared and shared[0] == step:
            shared.popleft()
        if rest and rest[0][1] == step:
            rest.popleft()
    yield from ((other, place) for place, other in rest if other not in wanted)
