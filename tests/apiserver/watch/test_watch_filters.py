"""What a filter knows of an object by its key, without a look inside, and where a watch looks for its state."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rollplane_apiserver.watch.entry import View
from rollplane_apiserver.watch.filters import FilterSet, parse_filter, parse_filters
from rollplane_machinery import kinds
from rollplane_machinery.api import DeleteCollection, ListQuery, WatchFilter, WatchQuery
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


def by_labels(selector: str) -> WatchFilter:
    return WatchFilter(kinds.CONFIG_MAP, label_selector=selector)


def listed(count: int) -> str:
    return ",".join(f"!k{number}" for number in range(count))


def unlike(count: int) -> str:
    return ",".join(f"metadata.name!=n{number}" for number in range(count))


def one_of(count: int) -> str:
    return f"metadata.name in ({','.join(f'node-{number:05}' for number in range(count))})"


TOO_MUCH = {
    "labels of many filters": ([by_labels(listed(10))] * 256, "2560 terms and values, at most 2000 are taken"),
    "names of many filters": ([by_fields(one_of(15_000))] * 3, "45000 terms and values, at most 40000 are taken"),
    "terms of fields": ([by_fields(unlike(2_001))], "a field selector of 2001 terms, at most 2000 are taken"),
    "terms of labels and fields": (
        [by_labels(listed(1_500)), by_fields(unlike(501))],
        "a request with selectors of 2001 terms, at most 2000 are taken",
    ),
    "bytes": ([by_fields(f"metadata.name={'x' * 400_000}")] * 3, "1200042 bytes, at most 1048576 are taken"),
}


@pytest.mark.parametrize(("asked", "sentence"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_selectors_that_are_too_much_together_are_refused(asked: Sequence[WatchFilter], sentence: str) -> None:
    with pytest.raises(BadRequestError, match=sentence):
        parse_filters(asked)


async def test_a_list_and_a_watch_are_refused_with_the_limit(office: Office) -> None:
    dear, sentence = unlike(2_001), "at most 2000 are taken"
    with pytest.raises(BadRequestError, match=sentence):
        await office.api.list(ListQuery(kinds.CONFIG_MAP, field_selector=dear))
    with pytest.raises(BadRequestError, match=sentence):
        await office.api.delete_collection(DeleteCollection(kinds.CONFIG_MAP, field_selector=dear))
    filters = (by_fields(unlike(1_001)), by_fields(unlike(1_000)))
    with pytest.raises(BadRequestError, match=sentence):
        async with office.api.watch(WatchQuery(filters)):
            pass


def test_a_fleet_names_its_nodes_twice() -> None:
    names = one_of(19_999)
    filters = parse_filters([WatchFilter(kinds.NODE, field_selector=names), by_fields(names)])
    assert filters.terms == 4
