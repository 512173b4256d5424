from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import Pod, PodTemplateSpec
from rollplane.meta.v1 import Quantity
from rollplane_machinery import codec, int_or_string
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.kinds import KINDS, ApiObject
from rollplane_machinery.times import time_of
from tests.machinery.strategies import objects, of_kind

Change = Callable[[Deployment], object]


def _deployment() -> Deployment:
    deployment = Deployment()
    deployment.metadata.name = "d"
    container = deployment.spec.template.spec.containers.add(name="a", image="a:1")
    container.resources.requests["cpu"].string = "1"
    deployment.spec.strategy.rolling_update.max_surge.CopyFrom(int_or_string.of("25%"))
    return deployment


def _cpu(deployment: Deployment) -> Quantity:
    return deployment.spec.template.spec.containers[0].resources.requests["cpu"]


SAME: dict[str, Change] = {
    "quantity by value": lambda d: setattr(_cpu(d), "string", "1000m"),
    "empty struct": lambda d: d.status.SetInParent(),
    "empty struct inside": lambda d: d.spec.template.metadata.SetInParent(),
    "zero of a value": lambda d: setattr(d.spec, "min_ready_seconds", 0),
    "false of a value": lambda d: setattr(d.spec, "paused", False),
    "empty text": lambda d: setattr(d.spec.template.spec, "hostname", ""),
    "zero time": lambda d: d.metadata.creation_timestamp.SetInParent(),
    "the number beside a text": lambda d: setattr(d.spec.strategy.rolling_update.max_surge, "int_val", 7),
    "cleared map": lambda d: d.metadata.labels.clear(),
}

DIFFERENT: dict[str, Change] = {
    "quantity": lambda d: setattr(_cpu(d), "string", "1001m"),
    "no quantity": lambda d: setattr(_cpu(d), "string", "x"),
    "zero of a pointer": lambda d: setattr(d.spec, "replicas", 0),
    "empty pointer": lambda d: d.spec.selector.SetInParent(),
    "empty security context": lambda d: d.spec.template.spec.security_context.SetInParent(),
    "a label": lambda d: d.metadata.labels.update({"a": ""}),
    "a resource": lambda d: d.spec.template.spec.containers[0].resources.requests["memory"].SetInParent(),
    "an item": lambda d: d.spec.template.spec.containers.add(),
    "a finalizer": lambda d: d.metadata.finalizers.append(""),
    "a count for a share": lambda d: d.spec.strategy.rolling_update.max_surge.CopyFrom(int_or_string.of(25)),
    "a time": lambda d: d.metadata.creation_timestamp.CopyFrom(time_of(5)),
    "text": lambda d: setattr(d.spec.template.spec.containers[0], "image", "a:2"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_same(change: Change) -> None:
    changed = _deployment()
    change(changed)
    assert semantic_equal(changed, _deployment())
    assert semantic_equal(_deployment(), changed)


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT)
def test_different(change: Change) -> None:
    changed = _deployment()
    change(changed)
    assert not semantic_equal(changed, _deployment())
    assert not semantic_equal(_deployment(), changed)


def test_ignored_fields() -> None:
    changed = _deployment()
    changed.spec.replicas = 3
    assert semantic_equal(changed, _deployment(), ignore=("spec",))
    assert not semantic_equal(changed, _deployment(), ignore=("metadata",))


def test_types_differ() -> None:
    assert not semantic_equal(Pod(), PodTemplateSpec())


def test_looking_changes_nothing() -> None:
    one, other = _deployment(), _deployment()
    other.spec.template.spec.containers[0].resources.requests["cpu"].string = "1000m"
    before = one.SerializeToString(), other.SerializeToString()
    assert semantic_equal(one, other)
    assert (one.SerializeToString(), other.SerializeToString()) == before


pairs = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(of_kind(kind), of_kind(kind)))


@given(objects(zeros=True))
def test_what_json_cannot_tell_apart_is_equal(obj: ApiObject) -> None:
    assert semantic_equal(obj, codec.from_json(codec.to_json(obj)))


@given(pairs)
def test_what_json_tells_apart_differs(pair: tuple[ApiObject, ApiObject]) -> None:
    one, other = pair
    assert semantic_equal(one, other) is (codec.to_json(one) == codec.to_json(other))
