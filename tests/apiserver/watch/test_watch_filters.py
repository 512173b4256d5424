"""What a filter knows of an object by its key, without a look inside, and where a watch looks for its state."""

from __future__ import annotations

import pytest

from rollplane_apiserver.watch.entry import View
from rollplane_apiserver.watch.filters import FilterSet, parse_filter
from rollplane_machinery import kinds
from rollplane_machinery.api import WatchFilter
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import Encoded
from tests.apiserver.core.office import Office, config_map, namespace
from tests.apiserver.watch.watching import shown, watching

UNREADABLE = View("default/a", Encoded(kinds.CONFIG_MAP, b"\xff"))


def by_fields(selector: str) -> WatchFilter:
    return WatchFilter(kinds.CONFIG_MAP, field_selector=selector)


RULED_OUT = {
    "another name": "metadata.name=b",
    "two names": "metadata.name=a,metadata.name=b",
    "some others": "metadata.name in (b,c)",
    "another name of any namespace but one": "metadata.namespace!=x,metadata.name==b",
}


@pytest.mark.parametrize("selector", RULED_OUT.values(), ids=RULED_OUT)
def test_what_its_name_rules_out_is_not_read(selector: str) -> None:
    assert not parse_filter(by_fields(selector)).matches(UNREADABLE)


@pytest.mark.parametrize("selector", ["metadata.name=a", "metadata.name!=b", "metadata.name in (a,b)"])
def test_what_its_name_does_not_rule_out_is_read(selector: str) -> None:
    with pytest.raises(BadRequestError):
        parse_filter(by_fields(selector)).matches(UNREADABLE)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([()], [""]),
        ([("b", "a")], ["a", "b"]),
        ([("a", "a-b"), ("c",)], ["a-b", "a", "c"]),
        ([("a",), ()], [""]),
    ],
)
def test_the_namespaces_to_look_into(asked: list[tuple[str, ...]], expected: list[str]) -> None:
    filters = FilterSet([parse_filter(WatchFilter(kinds.CONFIG_MAP, each)) for each in asked])
    assert list(filters.namespaces(kinds.CONFIG_MAP)) == expected


async def test_the_state_of_some_namespaces_comes_in_the_order_of_a_list(office: Office) -> None:
    for space in ("a", "a-b", "c"):
        await office.create(namespace(space))
        await office.create(config_map(f"in-{space}", namespace=space))
    query = watching(kinds.CONFIG_MAP, initial=True, namespaces=("a", "a-b"))
    async with office.api.watch(query) as batches:
        told = shown(await anext(batches))
    assert [name for _, name in told if name.startswith("in-")] == ["in-a-b", "in-a"]
