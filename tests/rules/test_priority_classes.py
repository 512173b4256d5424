"""PriorityClasses: what they may say, and what becomes of a pod under them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollplane.core.v1 import PodSpec
from rollplane.meta.v1 import ObjectMeta
from rollplane.stored.v1 import StoredObject
from rollplane_machinery import codec
from rollplane_machinery.errors import ForbiddenError
from rollplane_rules import defaults, validation
from rollplane_rules.admission.priority import (
    SYSTEM_CLASSES,
    PriorityClass,
    check_deletable,
    give_priority,
    priority_class_of,
    system_objects,
    the_default,
)


def a_class(name: str = "high", **members: Any) -> StoredObject:
    """As it comes over gRPC, where no codec looks at its values."""
    found = StoredObject(api_version="scheduling.k8s.io/v1", kind="PriorityClass", metadata=ObjectMeta(name=name))
    for member, value in members.items():
        found.members[member].json = json.dumps(value).encode()
    defaults.apply_defaults(found)
    return found


BAD: dict[str, tuple[StoredObject, list[tuple[str, str]]]] = {
    "value of the system's": (a_class(value=1_000_000_001), [("FieldValueForbidden", "value")]),
    "value of 33 bits": (a_class(value=2**31), [("FieldValueInvalid", "value")]),
    "value that is a text": (a_class(value="10"), [("FieldValueInvalid", "value")]),
    "unknown policy": (a_class(preemptionPolicy="Maybe"), [("FieldValueNotSupported", "preemptionPolicy")]),
    "default that is a text": (a_class(globalDefault="yes"), [("FieldValueInvalid", "globalDefault")]),
    "unknown system class": (a_class("system-ours", value=1), [("FieldValueForbidden", "metadata.name")]),
    "system class of another value": (
        a_class("system-node-critical", value=1),
        [("FieldValueForbidden", "metadata.name")],
    ),
    "system class as default": (
        a_class("system-node-critical", value=2_000_001_000, globalDefault=True),
        [("FieldValueForbidden", "metadata.name")],
    ),
}


@pytest.mark.parametrize(("obj", "expected"), BAD.values(), ids=BAD)
def test_refused(obj: StoredObject, expected: list[tuple[str, str]]) -> None:
    assert [(str(cause.reason), cause.field) for cause in validation.validate_create(obj)] == expected


@pytest.mark.parametrize("value", [-(2**31), 0, 1_000_000_000])
def test_values_of_users(value: int) -> None:
    obj = a_class(value=value, description="ours", globalDefault=True, preemptionPolicy="Never")
    assert validation.validate_create(obj) == []
    assert priority_class_of(obj) == PriorityClass("high", value, "Never", is_default=True)


def test_defaults_of_a_class() -> None:
    assert priority_class_of(a_class()) == PriorityClass("high", 0, "PreemptLowerPriority")
    assert codec.to_json(a_class())["value"] == 0


def test_value_and_policy_stay() -> None:
    old = a_class(value=1)
    changed = validation.validate_update(a_class(value=2, preemptionPolicy="Never"), old)
    assert {cause.field for cause in changed} >= {"value", "preemptionPolicy"}
    assert {"value", "preemptionPolicy"}.isdisjoint(
        cause.field for cause in validation.validate_update(a_class(value=1, description="other"), old)
    )


def test_system_classes_are_valid_and_stay() -> None:
    for obj in system_objects():
        assert validation.validate_create(obj) == []
        assert priority_class_of(obj) == SYSTEM_CLASSES[obj.metadata.name]
        with pytest.raises(ForbiddenError, match="this is a system priority class and cannot be deleted"):
            check_deletable(obj.metadata.name)
    check_deletable("high")


# Pods.


HIGH = PriorityClass("high", 100)
CALM = PriorityClass("calm", -5, "Never", is_default=True)
WITHOUT_DEFAULT = [HIGH]
WITH_DEFAULT = [HIGH, CALM]
GIVEN: dict[str, tuple[list[PriorityClass], PodSpec, tuple[str, int, str]]] = {
    "no class": (WITHOUT_DEFAULT, PodSpec(), ("", 0, "PreemptLowerPriority")),
    "its class": (WITH_DEFAULT, PodSpec(priority_class_name="high"), ("high", 100, "PreemptLowerPriority")),
    "global default": (WITH_DEFAULT, PodSpec(), ("calm", -5, "Never")),
    "the same priority given": (
        WITHOUT_DEFAULT,
        PodSpec(priority_class_name="high", priority=100, preemption_policy="PreemptLowerPriority"),
        ("high", 100, "PreemptLowerPriority"),
    ),
}


@pytest.mark.parametrize(("classes", "spec", "expected"), GIVEN.values(), ids=GIVEN)
def test_what_a_class_gives(classes: list[PriorityClass], spec: PodSpec, expected: tuple[str, int, str]) -> None:
    assert give_priority(spec, classes) == ""
    assert (spec.priority_class_name, spec.priority, spec.preemption_policy) == expected


COMPUTED = "priority admission controller computed {} from the given PriorityClass name"
REFUSED: dict[str, tuple[PodSpec, str]] = {
    "unknown class": (PodSpec(priority_class_name="nope"), "no PriorityClass with name nope was found"),
    "another priority given": (
        PodSpec(priority_class_name="high", priority=7),
        "the integer value of priority (7) must not be provided in pod spec; " + COMPUTED.format(100),
    ),
    "priority without a class": (
        PodSpec(priority=7),
        "the integer value of priority (7) must not be provided in pod spec; " + COMPUTED.format(0),
    ),
    "another policy given": (
        PodSpec(priority_class_name="high", preemption_policy="Never"),
        "the string value of PreemptionPolicy (Never) must not be provided in pod spec; "
        + COMPUTED.format("PreemptLowerPriority"),
    ),
}


@pytest.mark.parametrize(("spec", "why"), REFUSED.values(), ids=REFUSED)
def test_what_a_class_refuses(spec: PodSpec, why: str) -> None:
    assert give_priority(spec, WITHOUT_DEFAULT) == why


def test_of_several_defaults_the_lowest_counts() -> None:
    assert the_default([PriorityClass("a", 5, is_default=True), CALM, HIGH]) == CALM
