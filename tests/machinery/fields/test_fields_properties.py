"""What applying promises, whatever is applied in whatever order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollplane_machinery.codec import from_json, to_json
from rollplane_machinery.errors import ConflictError
from rollplane_machinery.fields.elements import field_element, printed
from rollplane_machinery.fields.extraction import field_set
from rollplane_machinery.fields.schema import Leaf, ListOf, MapOf, Node, SetOf, Struct, node_of
from rollplane_machinery.fields.update import NEVER_OWNED
from rollplane_machinery.kinds import DEPLOYMENT as KIND
from tests.machinery.fields.applying import DEPLOYMENT, Stored

NODE = node_of(KIND.message.DESCRIPTOR)
LETTERS = st.sampled_from("abc")
LABELS = st.dictionaries(LETTERS, LETTERS, max_size=3)


def some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with any of these members."""
    return st.fixed_dictionaries({}, optional=members)


def unique(items: st.SearchStrategy[Any], *keys: str) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, max_size=3, unique_by=lambda item: tuple(item.get(key) for key in keys))


def keyed(**keys: st.SearchStrategy[Any]) -> Any:
    return lambda **others: st.fixed_dictionaries(keys, optional=others)


PORTS = st.lists(
    st.fixed_dictionaries(
        {"containerPort": st.sampled_from([80, 443])},
        optional={"protocol": st.sampled_from(["TCP", "UDP"]), "name": LETTERS},
    ),
    max_size=3,
    unique_by=lambda port: (port["containerPort"], port.get("protocol", "TCP")),
)
ENV = unique(keyed(name=LETTERS)(value=LETTERS), "name")
CONTAINERS = unique(
    keyed(name=LETTERS)(image=LETTERS, ports=PORTS, env=ENV, args=st.lists(LETTERS, max_size=2), resources=st.just({})),
    "name",
)
POD_SPEC = some(
    containers=CONTAINERS,
    nodeSelector=LABELS,
    tolerations=st.lists(some(key=LETTERS), max_size=2),
    hostNetwork=st.booleans(),
    imagePullSecrets=unique(keyed(name=LETTERS)(), "name"),
    securityContext=some(runAsUser=st.integers(0, 2)),
)
CONFIGS = st.fixed_dictionaries(
    {
        "apiVersion": st.just("apps/v1"),
        "kind": st.just("Deployment"),
        "metadata": st.fixed_dictionaries(
            {"name": st.just("web")},
            optional={"labels": LABELS, "finalizers": st.lists(st.sampled_from(["x/a", "x/b"]), unique=True)},
        ),
    },
    optional={
        "spec": some(
            replicas=st.none() | st.integers(0, 3),
            paused=st.booleans(),
            selector=some(matchLabels=LABELS),
            strategy=some(type=st.sampled_from(["Recreate", "RollingUpdate"])),
            template=some(spec=POD_SPEC, metadata=some(labels=LABELS)),
        )
    },
)
HISTORIES = st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), CONFIGS), max_size=4)


def after(history: list[tuple[str, dict[str, Any]]]) -> Stored:
    stored = Stored()
    for manager, config in history:
        stored.apply(manager, config, force=True)
    return stored


@given(HISTORIES, CONFIGS)
def test_applying_twice_changes_nothing_more(history: list[tuple[str, dict[str, Any]]], config: dict[str, Any]) -> None:
    stored = after(history)
    stored.apply("me", config, force=True)
    first, owners = stored.json, stored.owned("me")
    stored.apply("me", config)
    assert (stored.json, stored.owned("me")) == (first, owners)


@given(HISTORIES, CONFIGS)
def test_what_is_applied_is_there_and_owned(history: list[tuple[str, dict[str, Any]]], config: dict[str, Any]) -> None:
    stored = after(history)
    stored.apply("me", config, force=True)
    normal = to_json(from_json(config))
    check_contains(stored.json, {name: value for name, value in normal.items() if name in config}, NODE)
    wanted = field_set(config, NODE) - NEVER_OWNED
    assert stored.owned("me") == [printed(path) for path in wanted.paths()]


@given(HISTORIES, CONFIGS)
def test_equal_values_never_conflict(history: list[tuple[str, dict[str, Any]]], config: dict[str, Any]) -> None:
    stored = after(history)
    stored.apply("me", config, force=True)
    before = stored.json
    stored.apply("you", config)
    assert stored.json == before
    assert stored.owned("me") == stored.owned("you")


@given(HISTORIES, CONFIGS)
def test_giving_everything_up_takes_all_back(history: list[tuple[str, dict[str, Any]]], config: dict[str, Any]) -> None:
    stored = after(history)
    before = comparable(stored)
    try:
        stored.apply("me", config)
    except ConflictError:
        return
    stored.apply("me", DEPLOYMENT)
    if history:
        assert comparable(stored) == before
    assert stored.owned("me") == []


@given(HISTORIES, CONFIGS)
def test_an_update_owns_what_it_changed(history: list[tuple[str, dict[str, Any]]], config: dict[str, Any]) -> None:
    stored = after([("one", DEPLOYMENT | {"spec": {"minReadySeconds": 1}}), *history])
    names = ("one", "two", "three")
    before = {name: set(stored.owned(name)) for name in names}
    stored.update("me", lambda data: data.update({"metadata": data["metadata"], "spec": config.get("spec", {})}))
    mine = set(stored.owned("me"))
    for name in names:
        assert not mine & set(stored.owned(name))
        assert set(stored.owned(name)) <= before[name]


def comparable(stored: Stored) -> Any:
    """What is stored, the order of lists with keys aside: whoever came between has put some items elsewhere."""
    return {} if stored.found is None else sorted_lists(stored.json, NODE)


def sorted_lists(value: Any, node: Node) -> Any:
    if isinstance(node, ListOf | SetOf) and isinstance(value, list):
        return sorted(((node.step(item), sorted_lists(item, node.element)) for item in value), key=lambda pair: pair[0])
    if isinstance(value, dict) and not isinstance(node, Leaf):
        members = node.members if isinstance(node, Struct) else {}
        return {name: sorted_lists(each, members.get(name) or Leaf()) for name, each in value.items() if each}
    return value


def check_contains(document: Any, config: Any, node: Node) -> None:
    """Assert that ``document`` says all that ``config`` says; null and empty say nothing."""
    if config in (None, {}, []):
        return
    if isinstance(node, Leaf):
        assert document == config
    elif isinstance(node, ListOf | SetOf):
        steps = [node.step(item) for item in document]
        wanted = [node.step(item) for item in config]
        assert [step for step in steps if step in wanted] == wanted
        for item, step in zip(config, wanted, strict=True):
            check_contains(document[steps.index(step)], item, node.element)
    else:
        for name, value in config.items():
            known = node.member(name) if isinstance(node, Struct | MapOf) else None
            assert value in (None, {}, []) or name in document, field_element(name)
            check_contains(document.get(name), value, known or Leaf())
