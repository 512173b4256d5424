"""Patches on objects: message to message, strict, and safe against any input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane.apps.v1 import Deployment
from rollplane.autoscaling.v1 import Scale
from rollplane_machinery import codec
from rollplane_machinery.api import PatchType
from rollplane_machinery.errors import BadRequestError, InvalidError, RequestTooLargeError, RollplaneError
from rollplane_machinery.kinds import KINDS, ApiObject
from rollplane_machinery.patch import apply
from tests.machinery.merge_diffs import merge_diff
from tests.machinery.strategies import json_values, objects, of_kind

MANIFEST: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d", "labels": {"app": "a"}},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "a"}},
        "template": {"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}},
    },
}


def _deployment() -> Deployment:
    deployment = codec.from_json(MANIFEST)
    assert isinstance(deployment, Deployment)
    return deployment


def _text(value: object) -> bytes:
    return json.dumps(value).encode()


def test_each_type_reads_lists_its_own_way() -> None:
    deployment = _deployment()
    patch = _text({"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "a:2"}]}}}})
    merged = apply(deployment, PatchType.STRATEGIC_MERGE, patch)
    assert [container.image for container in merged.spec.template.spec.containers] == ["a:2", "b:1"]
    replaced = apply(deployment, PatchType.MERGE, patch)
    assert [container.image for container in replaced.spec.template.spec.containers] == ["a:2"]
    operations = _text([{"op": "replace", "path": "/spec/template/spec/containers/1/image", "value": "b:2"}])
    exact = apply(deployment, PatchType.JSON, operations)
    assert [container.image for container in exact.spec.template.spec.containers] == ["a:1", "b:2"]
    assert deployment == _deployment()


def test_an_explicit_zero_stays() -> None:
    patched = apply(_deployment(), PatchType.MERGE, _text({"metadata": {"labels": {"b": "c"}}}))
    assert patched.spec.HasField("replicas")
    assert patched.metadata.labels == {"app": "a", "b": "c"}


def test_a_scale_can_be_patched() -> None:
    assert apply(Scale(), PatchType.MERGE, _text({"spec": {"replicas": 3}})).spec.replicas == 3


FIELD_ERRORS: dict[str, tuple[object, str]] = {
    "unknown": (
        {"spec": {"template": {"spec": {"containers": [{"name": "a", "imagee": "x"}]}}}},
        "spec.template.spec.containers[0].imagee",
    ),
    "wrong type": ({"spec": {"replicas": "three"}}, "spec.replicas"),
    "at the root": ({"spc": {}}, "spc"),
}


@pytest.mark.parametrize(("patch", "path"), FIELD_ERRORS.values(), ids=FIELD_ERRORS)
@pytest.mark.parametrize("patch_type", [PatchType.MERGE, PatchType.STRATEGIC_MERGE])
def test_errors_name_the_path(patch: object, path: str, patch_type: PatchType) -> None:
    with pytest.raises(BadRequestError) as caught:
        apply(_deployment(), patch_type, _text(patch))
    assert [cause.field for cause in caught.value.causes] == [path]


REFUSED: dict[str, tuple[PatchType, bytes, type[RollplaneError]]] = {
    "no JSON": (PatchType.MERGE, b"{", BadRequestError),
    "two values": (PatchType.MERGE, b"{} {}", BadRequestError),
    "no UTF-8": (PatchType.MERGE, b'{"\xff": 1}', BadRequestError),
    "a duplicate": (PatchType.MERGE, b'{"spec": {}, "spec": {}}', BadRequestError),
    "NaN": (PatchType.MERGE, b'{"spec": {"replicas": NaN}}', BadRequestError),
    "a scalar": (PatchType.MERGE, b"1", BadRequestError),
    "a list": (PatchType.STRATEGIC_MERGE, b"[]", BadRequestError),
    "another kind": (PatchType.MERGE, b'{"kind": "ReplicaSet"}', BadRequestError),
    "another version": (PatchType.STRATEGIC_MERGE, b'{"apiVersion": null}', BadRequestError),
    "an object for operations": (PatchType.JSON, b"{}", BadRequestError),
    "all replaced": (PatchType.JSON, b'[{"op": "replace", "path": "", "value": 1}]', BadRequestError),
    "a test that fails": (PatchType.JSON, b'[{"op": "test", "path": "/kind", "value": "Pod"}]', InvalidError),
    "too deep": (PatchType.MERGE, b'{"a":' * 500 + b"1" + b"}" * 500, BadRequestError),
    "far too deep": (PatchType.JSON, b"[" * 100_000, BadRequestError),
    "too many": (PatchType.JSON, _text([{"op": "test", "path": "/kind"}] * 10_001), RequestTooLargeError),
}


@pytest.mark.parametrize(("patch_type", "patch", "error"), REFUSED.values(), ids=REFUSED)
def test_refused(patch_type: PatchType, patch: bytes, error: type[RollplaneError]) -> None:
    with pytest.raises(error):
        apply(_deployment(), patch_type, patch)


def test_nesting_by_operations_is_bounded() -> None:
    operations = [{"op": "add", "path": "/metadata" + "/a" * n, "value": {}} for n in range(1, 300)]
    with pytest.raises(BadRequestError):
        apply(_deployment(), PatchType.JSON, _text(operations))


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(of_kind(kind), of_kind(kind))))
def test_a_merge_diff_makes_one_object_the_other(pair: tuple[ApiObject, ApiObject]) -> None:
    old, new = pair
    wanted = _without_nulls(codec.to_json(new))
    patched = apply(old, PatchType.MERGE, _text(merge_diff(codec.to_json(old), wanted)))
    assert _without_nulls(codec.to_json(patched)) == wanted


def _without_nulls(value: Any) -> Any:
    """A merge patch cannot say null, which raw data may hold; elsewhere it means absent anyway."""
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return value


@given(objects(), st.sampled_from([PatchType.MERGE, PatchType.STRATEGIC_MERGE]))
def test_the_empty_patch_changes_nothing(obj: ApiObject, patch_type: PatchType) -> None:
    assert apply(obj, patch_type, b"{}") == obj
    assert apply(obj, PatchType.JSON, b"[]") == obj


_FIELDS = ["metadata", "spec", "status", "template", "containers", "name", "labels", "finalizers", "strategy"]
_DIRECTIVES = ["$patch", "$retainKeys", "$setElementOrder/containers", "$deleteFromPrimitiveList/finalizers"]
_names = st.sampled_from([*_FIELDS, *_DIRECTIVES])
_patches = st.recursive(
    st.none() | st.integers(0, 2) | st.sampled_from(["a", "replace", "delete", "merge"]) | json_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=20,
)


@given(objects(), st.sampled_from(PatchType), _patches)
def test_any_patch_gives_an_object_or_is_refused(obj: ApiObject, patch_type: PatchType, patch: object) -> None:
    _apply_or_refuse(obj, patch_type, _text(patch))


@given(st.sampled_from(PatchType), _patches)
def test_any_patch_of_a_deployment(patch_type: PatchType, patch: object) -> None:
    _apply_or_refuse(_deployment(), patch_type, _text({"spec": {"template": {"spec": patch}}}))


@given(st.sampled_from(PatchType), st.binary(max_size=40))
def test_any_bytes(patch_type: PatchType, patch: bytes) -> None:
    _apply_or_refuse(_deployment(), patch_type, patch)


def _apply_or_refuse(obj: ApiObject, patch_type: PatchType, patch: bytes) -> None:
    before = obj.SerializeToString(deterministic=True)
    try:
        patched = apply(obj, patch_type, patch)
    except RollplaneError as exc:
        assert isinstance(exc, BadRequestError | InvalidError)  # noqa: PT017
    else:
        assert type(patched) is type(obj)
    assert obj.SerializeToString(deterministic=True) == before
