"""Metadata of every kind, the form of InvalidError, and how paths are put together."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core import v1 as core
from rollplane_machinery import codec
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.kinds import KINDS, ApiObject
from rollplane_machinery.times import time_of
from rollplane_rules import defaults, validation
from rollplane_rules.validation.causes import each, join, required, under
from tests.machinery.samples import decoded, fields_of, pod, refused, workload

Refusals = list[tuple[str, str]]


def _check_create(obj: ApiObject) -> None:
    validation.raise_invalid(obj, validation.validate_create(obj))


def _owner(**fields: Any) -> dict[str, Any]:
    return {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "1", **fields}]}


CASES: dict[str, tuple[dict[str, Any], Refusals]] = {
    "no name": ({"name": ""}, [("Required", "name")]),
    "name": ({"name": "A_b"}, [("Invalid", "name")]),
    "long name": ({"name": "a" * 254}, [("Invalid", "name")]),
    "name with dots": ({"name": "a.b"}, []),
    "prefix with dash": ({"generateName": "a-"}, []),
    "prefix": ({"generateName": "A-"}, [("Invalid", "generateName")]),
    "namespace": ({"namespace": "A"}, [("Invalid", "namespace")]),
    "label key": ({"labels": {"a b": ""}}, [("Invalid", "labels")]),
    "label value": ({"labels": {"a": "b c"}}, [("Invalid", "labels")]),
    "label of 64": ({"labels": {"a": "x" * 64}}, [("Invalid", "labels")]),
    "annotation key": ({"annotations": {"a b": ""}}, [("Invalid", "annotations")]),
    "annotation key in capitals": ({"annotations": {"Example.com/x": ""}}, []),
    "annotations up to the limit": ({"annotations": {"a": "x" * (256 * 1024 - 1)}}, []),
    "annotations above the limit": ({"annotations": {"a": "x" * 256 * 1024}}, [("TooLong", "annotations")]),
    "annotations above the limit in bytes": ({"annotations": {"a": "€" * 100_000}}, [("TooLong", "annotations")]),
    "owner version": (_owner(apiVersion=""), [("Invalid", "ownerReferences.apiVersion")]),
    "owner group without version": (_owner(apiVersion="apps/"), [("Invalid", "ownerReferences.apiVersion")]),
    "owner kind": (_owner(kind=""), [("Invalid", "ownerReferences.kind")]),
    "owner name": (_owner(name=""), [("Invalid", "ownerReferences.name")]),
    "owner uid": (_owner(uid=""), [("Invalid", "ownerReferences.uid")]),
    "owner is an event": (_owner(kind="Event"), [("Invalid", "ownerReferences")]),
    "one controller": (_owner(controller=True), []),
    "two controllers": (
        {"ownerReferences": [{**_owner(uid=uid, controller=True)["ownerReferences"][0]} for uid in ("1", "2")]},
        [("Invalid", "ownerReferences")],
    ),
    "two owners": (
        {"ownerReferences": [{**_owner(uid=uid, controller=uid == "1")["ownerReferences"][0]} for uid in ("1", "2")]},
        [],
    ),
    "finalizer": ({"finalizers": ["example.com/f"]}, []),
    "standard finalizer": ({"finalizers": ["orphan"]}, []),
    "finalizer without domain": ({"finalizers": ["mine"]}, [("Invalid", "finalizers[0]")]),
    "bad finalizer": ({"finalizers": ["a b/c"]}, [("Invalid", "finalizers")]),
    "bad finalizer without domain": (
        {"finalizers": ["orphan", "a b"]},
        [("Invalid", "finalizers"), ("Invalid", "finalizers[1]")],
    ),
    "opposite finalizers": ({"finalizers": ["orphan", "foregroundDeletion"]}, [("Invalid", "finalizers")]),
}


@pytest.mark.parametrize(("metadata", "expected"), CASES.values(), ids=CASES)
def test_metadata(metadata: dict[str, Any], expected: Refusals) -> None:
    assert refused(pod(metadata=metadata)) == sorted((reason, f"metadata.{field}") for reason, field in expected)


def test_negative_generation() -> None:
    obj = decoded(workload("Deployment"))
    obj.metadata.generation = -1
    assert fields_of(validation.validate_create(obj)) == [("Invalid", "metadata.generation")]


NAMES = {
    "Service": ("my-service", ("0service", "my.service", "My")),
    "Namespace": ("0ns", ("my.ns", "-a", "n" * 64)),
    "Node": ("node.example", ("Node", "a_b")),
    "Lease": ("a.b", ("A",)),
    "ControllerRevision": ("a.b", ("a..b",)),
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_of_kinds(kind: str) -> None:
    good, bad = NAMES[kind]
    assert ("Invalid", "metadata.name") not in _named(kind, good)
    for name in bad:
        assert ("Invalid", "metadata.name") in _named(kind, name)


def _named(kind: str, name: str) -> Refusals:
    (named,) = [each for each in KINDS if each.name == kind]
    obj = named.new()
    obj.metadata.name = name
    return fields_of(validation.validate_create(obj))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_namespace_where_it_belongs(kind: Any) -> None:
    without, within = kind.new(), kind.new()
    within.metadata.namespace = "default"
    assert (("Required", "metadata.namespace") in fields_of(validation.validate_create(without))) is kind.namespaced
    assert (("Forbidden", "metadata.namespace") in fields_of(validation.validate_create(within))) is not kind.namespaced


# Updates


def _both() -> tuple[ApiObject, ApiObject]:
    return decoded(workload("Deployment")), decoded(workload("Deployment"))


IMMUTABLE: dict[str, tuple[str, Any]] = {
    "name": ("name", "x"),
    "namespace": ("namespace", "x"),
    "uid": ("uid", "x"),
    "deletionGracePeriodSeconds": ("deletion_grace_period_seconds", 5),
}


@pytest.mark.parametrize("field", IMMUTABLE)
def test_immutable_metadata(field: str) -> None:
    new, old = _both()
    name, value = IMMUTABLE[field]
    setattr(new.metadata, name, value)
    assert ("Invalid", f"metadata.{field}") in fields_of(validation.validate_update(new, old))
    assert ("Invalid", f"metadata.{field}") in fields_of(validation.validate_status_update(new, old))


def test_immutable_times() -> None:
    new, old = _both()
    new.metadata.creation_timestamp.CopyFrom(time_of(5))
    new.metadata.deletion_timestamp.CopyFrom(time_of(5))
    fields = [field for _, field in fields_of(validation.validate_update(new, old))]
    assert fields == ["metadata.creationTimestamp", "metadata.deletionTimestamp"]


def test_an_explicit_zero_is_no_other_time() -> None:
    new, old = _both()
    old.metadata.creation_timestamp.nanos = 0
    new.metadata.creation_timestamp.ClearField("nanos")
    assert validation.validate_update(new, old) == []


def test_generation_never_goes_back() -> None:
    new, old = _both()
    old.metadata.generation = 2
    assert fields_of(validation.validate_update(new, old)) == [("Invalid", "metadata.generation")]


def test_finalizers_of_what_is_being_deleted() -> None:
    new, old = _both()
    new.metadata.finalizers.append("example.com/f")
    assert validation.validate_update(new, old) == []
    for obj in (new, old):
        obj.metadata.deletion_timestamp.CopyFrom(time_of(5))
    assert fields_of(validation.validate_update(new, old)) == [("Forbidden", "metadata.finalizers")]
    assert validation.validate_update(old, new) == []


# Errors


def test_error_with_one_cause() -> None:
    with pytest.raises(
        InvalidError, match=r'^Deployment\.apps "w" is invalid: spec\.replicas: invalid value -1: '
    ) as caught:
        _check_create(decoded(workload("Deployment", {"replicas": -1})))
    error = caught.value
    assert (error.resource, error.name, len(error.causes)) == ("deployments.apps", "w", 1)
    assert "set it to 0 or more" in error.causes[0].message


def test_error_with_several_causes() -> None:
    manifest = workload("ReplicationController", {"replicas": -1, "minReadySeconds": -1})
    with pytest.raises(InvalidError) as caught:
        _check_create(decoded(manifest))
    text = str(caught.value)
    assert text.startswith('ReplicationController "w" is invalid: [spec.replicas: ')
    assert ", spec.minReadySeconds: " in text
    assert text.endswith("]")
    assert len(caught.value.causes) == 2


def test_error_on_update_and_status_update() -> None:
    old, new = decoded(workload("StatefulSet")), decoded(workload("StatefulSet", {"serviceName": "x"}))
    with pytest.raises(InvalidError, match="only replicas"):
        validation.check_update(new, old)
    new.status.replicas = -1  # type: ignore[union-attr]
    with pytest.raises(InvalidError, match=r"status\.replicas"):
        validation.check_status_update(new, old)


def test_nothing_wrong_raises_nothing() -> None:
    obj = decoded(workload("Deployment"))
    validation.raise_invalid(obj, validation.validate_create(obj))
    validation.check_update(obj, obj)
    validation.check_status_update(obj, obj)


def test_a_long_value_is_cut() -> None:
    with pytest.raises(InvalidError) as caught:
        _check_create(decoded(pod(metadata={"labels": {"a": "x" * 10_000}})))
    assert len(str(caught.value)) < 400


PATHS = {
    ("", "a"): "a",
    ("a", ""): "a",
    ("a", "b"): "a.b",
    ("a", "[0]"): "a[0]",
    ("a", "[0].b"): "a[0].b",
    ("", ""): "",
}


@pytest.mark.parametrize(("parts", "path"), PATHS.items())
def test_join(parts: tuple[str, str], path: str) -> None:
    assert join(*parts) == path


def test_paths_grow_outwards() -> None:
    found = each("items", ["good", "bad"], lambda item: [required("name", "name it")] if item == "bad" else [])
    assert [cause.field for cause in under("spec", found)] == ["spec.items[1].name"]


def test_defaulted_pods_of_every_kind_of_request() -> None:
    """What a client sends by protobuf need not have gone through the codec."""
    obj = core.Pod()
    obj.metadata.name, obj.metadata.namespace = "p", "default"
    obj.spec.containers.add(name="c", image="x").resources.limits["cpu"].string = "fast"
    defaults.apply_defaults(obj)
    defaults.admit(obj)
    expected = [("Invalid", f"spec.containers[0].resources.{side}[cpu]") for side in ("limits", "requests")]
    assert fields_of(validation.validate_create(obj)) == expected
    assert codec.to_json(obj)["status"]["qosClass"] == "BestEffort"
