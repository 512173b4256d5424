"""The cache and its indexes against plain models."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollplane.core.v1 import Node, Pod
from rollplane_client.cache import Cache, Change, Entry
from rollplane_machinery.api import EventType, Key, WatchEvent
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import CONFIG_MAP, NODE, POD, Encoded
from rollplane_machinery.packing import Packed, unpacked

ADDED, MODIFIED, DELETED = EventType.ADDED, EventType.MODIFIED, EventType.DELETED


def labels_of(encoded: Encoded) -> str:
    """A view that is one label's value."""
    message = encoded.parse()
    assert isinstance(message, Pod | Node)
    return message.metadata.labels["app"]


def by_letter(view: str) -> tuple[str, ...]:
    return tuple(sorted(set(view)))


def pod(name: str, app: str, revision: int = 1, event_type: EventType = ADDED) -> WatchEvent:
    message = Pod()
    message.metadata.namespace = "default"
    message.metadata.name = name
    message.metadata.labels["app"] = app
    message.metadata.resource_version = str(revision)
    return WatchEvent(event_type, Encoded.of(message), revision)


def node(name: str, app: str, revision: int = 1) -> WatchEvent:
    message = Node()
    message.metadata.name = name
    message.metadata.labels["app"] = app
    return WatchEvent(ADDED, Encoded.of(message), revision)


def key(name: str) -> Key:
    return Key(POD, "default", name)


@pytest.fixture
def cache() -> Cache[str]:
    cache: Cache[str] = Cache(labels_of)
    cache.add_index(POD, "letter", by_letter)
    return cache


def test_events_become_changes(cache: Cache[str]) -> None:
    assert cache.apply(pod("a", "x")) == Change(ADDED, key("a"), None, "x")
    assert cache.apply(pod("a", "y", 2, MODIFIED)) == Change(MODIFIED, key("a"), "x", "y")
    assert cache.apply(pod("a", "y", 3, DELETED)) == Change(DELETED, key("a"), "y", None)
    assert len(cache) == 0


def test_an_event_told_twice_is_one_change(cache: Cache[str]) -> None:
    cache.apply(pod("a", "x"))
    assert cache.apply(pod("a", "x")) is None
    cache.apply(pod("a", "x", 2, DELETED))
    assert cache.apply(pod("a", "x", 2, DELETED)) is None


def test_what_a_filter_calls_added_may_be_a_change_to_us(cache: Cache[str]) -> None:
    cache.apply(pod("a", "x"))
    assert cache.apply(pod("a", "y", 2)) == Change(MODIFIED, key("a"), "x", "y")


def test_bytes_and_revision_are_kept(cache: Cache[str]) -> None:
    event = pod("a", "x", 7)
    cache.apply(event)
    entry = cache.entry(key("a"))
    assert entry is not None
    assert (entry.encoded, entry.view, entry.revision) == (event.object, "x", 7)


def test_kinds_are_kept_apart(cache: Cache[str]) -> None:
    cache.apply(pod("a", "x"))
    cache.apply(node("a", "y"))
    assert cache.get(Key(NODE, "", "a")) == "y"
    assert list(cache.items(POD)) == [(key("a"), "x")]
    assert (cache.count(POD), cache.count(NODE), len(cache)) == (1, 1, 2)
    cache.expect(CONFIG_MAP)
    assert cache.present((NODE, CONFIG_MAP, POD)) == [NODE, POD]


def test_an_index_made_late_holds_what_was_there(cache: Cache[str]) -> None:
    cache.apply(pod("a", "x"))
    cache.add_index(POD, "late", by_letter)
    assert cache.indexed(POD, "late", "x") == {key("a"): "x"}
    with pytest.raises(ValueError, match="late"):
        cache.add_index(POD, "late", by_letter)


def test_an_index_that_was_never_made_is_an_error(cache: Cache[str]) -> None:
    with pytest.raises(KeyError):
        cache.indexed(POD, "owner", "x")


names = st.sampled_from("abcde")
apps = st.text("xyz", max_size=3)
steps = st.lists(st.tuples(st.sampled_from(EventType), names, apps), max_size=40)
states = st.dictionaries(names, apps)


def check_index(cache: Cache[str], model: dict[str, str]) -> None:
    for letter in "xyz":
        expected = {key(name): app for name, app in model.items() if letter in app}
        assert cache.indexed(POD, "letter", letter) == expected


@given(steps)
@settings(deadline=None)
def test_cache_and_index_equal_a_plain_model(script: list[tuple[EventType, str, str]]) -> None:
    cache: Cache[str] = Cache(labels_of)
    cache.add_index(POD, "letter", by_letter)
    model: dict[str, str] = {}
    for revision, (event_type, name, app) in enumerate(script, start=1):
        change = cache.apply(pod(name, app, revision, event_type))
        before = model.get(name)
        if event_type is DELETED:
            model.pop(name, None)
        else:
            model[name] = app
        if before is None and event_type is DELETED:
            assert change is None
        else:
            assert change is not None
            assert (change.old, change.new) == (before, model.get(name))
        assert {found.name: view for found, view in cache.items(POD)} == model
        check_index(cache, model)


@given(states, states)
@settings(deadline=None)
def test_replace_tells_exactly_the_difference(before: dict[str, str], after: dict[str, str]) -> None:
    cache: Cache[str] = Cache(labels_of)
    cache.add_index(POD, "letter", by_letter)
    for name, app in before.items():
        cache.apply(pod(name, app))
    state: dict[Key, Entry[str]] = dict(cache.read(pod(name, app)) for name, app in after.items())
    changes = cache.replace(state)
    told = {change.key.name: (change.type, change.old, change.new) for change in changes}
    expected: dict[str, tuple[EventType, str | None, str | None]] = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old != new:
            kind = ADDED if old is None else DELETED if new is None else MODIFIED
            expected[name] = (kind, old, new)
    assert told == expected
    assert len(changes) == len(told)
    check_index(cache, after)


def test_an_object_is_parsed_once_for_its_view_and_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    read_again: list[bytes] = []
    monkeypatch.setattr("rollplane_machinery.kinds.metadata_of", read_again.append)
    cache: Cache[str] = Cache(lambda encoded: encoded.read_as(Pod).metadata.labels["app"])
    event = WatchEvent(ADDED, Encoded(POD, pod("a", "x").object.value), 1)
    assert cache.apply(event) == Change(ADDED, key("a"), None, "x")
    assert read_again == []


def test_an_object_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(BadRequestError, match="not a Pod"):
        Encoded(POD, b"\xff").read_as(Pod)


def test_what_is_at_rest_is_held_packed_and_told_as_it_was(cache: Cache[str]) -> None:
    events = [pod(f"pod-{number:03}", "front-of-the-shop" * 20) for number in range(20)]
    for event in events:
        cache.apply(event)
    assert cache.settled() == []
    cache.apply(pod("pod-000", "changed", 2, MODIFIED))
    settled = cache.settled()
    assert settled == [key(f"pod-{number:03}") for number in range(1, 20)]
    for each in [*settled, key("never there")]:
        cache.pack(each)
    held = [entry.held for event in events[1:] if (entry := cache.entry(event.object.key)) is not None]
    assert sum(isinstance(one, Packed) for one in held) >= 18
    assert [unpacked(one) for one in held] == [event.object for event in events[1:]]
    assert cache.apply(events[5]) is None, "the same bytes are no news"
    assert cache.apply(pod("pod-005", "y", 3, MODIFIED)) == Change(
        MODIFIED, key("pod-005"), "front-of-the-shop" * 20, "y"
    )


def test_an_index_tells_its_values(cache: Cache[str]) -> None:
    for event in (pod("a", "xy"), pod("b", "y")):
        cache.apply(event)
    assert set(cache.values(POD, "letter")) == {"x", "y"}
    cache.apply(pod("a", "z", 2, MODIFIED))
    assert set(cache.values(POD, "letter")) == {"y", "z"}
