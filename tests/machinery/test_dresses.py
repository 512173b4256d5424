"""Objects in the API versions they are not stored in."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Event
from rollplane.events.v1 import Event as NewerEvent
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_machinery import codec
from rollplane_machinery.dresses import V1BETA1_MATCH, Dress, dress_of
from rollplane_machinery.kinds import EVENT, POD, POD_DISRUPTION_BUDGET

PLAIN: dict[str, Any] = {
    "kind": "Event",
    "apiVersion": "v1",
    "metadata": {"name": "web.1", "namespace": "default", "creationTimestamp": None},
    "involvedObject": {"kind": "Pod", "name": "web", "fieldPath": "spec.containers{c}"},
    "reason": "Pulled",
    "message": "a sentence",
    "source": {"component": "kubelet", "host": "node-1"},
    "firstTimestamp": "2026-11-23T02:54:52Z",
    "lastTimestamp": "2026-11-23T02:55:52Z",
    "count": 2,
    "type": "Normal",
    "eventTime": "2026-11-23T02:54:52.000001Z",
    "series": {"count": 2, "lastObservedTime": "2026-11-23T02:54:52.000002Z"},
    "action": "Pulling",
    "related": {"kind": "Node", "name": "node-1"},
    "reportingComponent": "kubelet",
    "reportingInstance": "node-1",
}
NEWER: dict[str, Any] = {
    "kind": "Event",
    "apiVersion": "events.k8s.io/v1",
    "metadata": PLAIN["metadata"],
    "eventTime": PLAIN["eventTime"],
    "series": PLAIN["series"],
    "reportingController": "kubelet",
    "reportingInstance": "node-1",
    "action": "Pulling",
    "reason": "Pulled",
    "regarding": PLAIN["involvedObject"],
    "related": PLAIN["related"],
    "note": "a sentence",
    "type": "Normal",
    "deprecatedSource": PLAIN["source"],
    "deprecatedFirstTimestamp": PLAIN["firstTimestamp"],
    "deprecatedLastTimestamp": PLAIN["lastTimestamp"],
    "deprecatedCount": 2,
}


def dress(kind: Any, api_version: str) -> Dress:
    found = dress_of(kind, api_version)
    assert found is not None
    return found


def test_an_event_in_its_newer_dress() -> None:
    event = codec.from_json(PLAIN)
    assert codec.to_json_in(event, "events.k8s.io/v1") == NEWER
    assert codec.to_json_in(event, "events.k8s.io/v1beta1") == {**NEWER, "apiVersion": "events.k8s.io/v1beta1"}
    assert codec.to_json_in(event, "v1") == PLAIN


def test_an_event_comes_in_in_its_newer_dress() -> None:
    assert codec.to_json(codec.from_json(NEWER)) == PLAIN


def test_every_field_of_an_event_goes_there_and_back() -> None:
    """Field by field, so that one that a later release adds is missed here."""
    newer = dress(EVENT, "events.k8s.io/v1")
    assert len(Event.DESCRIPTOR.fields) == len(NewerEvent.DESCRIPTOR.fields)
    for field in Event.DESCRIPTOR.fields:
        event = Event()
        if field.message_type is None:
            setattr(event, field.name, "x" if field.cpp_type == field.CPPTYPE_STRING else 3)
        else:
            getattr(event, field.name).SetInParent()
        shown = newer.put_on(event)
        assert len(shown.ListFields()) == 1
        assert newer.take_off(shown) == event


SELECTORS: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]] = {
    "none": (None, None),
    "some": ({"matchLabels": {"a": "b"}}, {"matchLabels": {"a": "b"}}),
    "no pod": ({"matchExpressions": [{"key": V1BETA1_MATCH, "operator": "Exists"}]}, {}),
    "every pod": ({}, {"matchExpressions": [{"key": V1BETA1_MATCH, "operator": "DoesNotExist"}]}),
}


@pytest.mark.parametrize(("stored", "shown"), SELECTORS.values(), ids=SELECTORS)
def test_the_selector_of_a_budget(stored: dict[str, Any] | None, shown: dict[str, Any] | None) -> None:
    spec = {"spec": {} if stored is None else {"selector": stored}}
    budget = codec.message_from_json(PodDisruptionBudget, spec)
    beta = dress(POD_DISRUPTION_BUDGET, "policy/v1beta1")
    printed = codec.to_json_in(budget, "policy/v1beta1")
    assert printed["apiVersion"] == "policy/v1beta1"
    assert printed["spec"].get("selector") == shown
    assert beta.take_off(beta.put_on(budget)) == budget


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ""),
        ("regarding.name=web", "involvedObject.name=web"),
        ("type!=Normal,regarding.kind==Pod", "type!=Normal,involvedObject.kind==Pod"),
        ("reportingController=regarding.name", "reportingComponent=regarding.name"),
        ("reason=a\\,regarding.name=b", "reason=a\\,regarding.name=b"),
        ("involvedObject.name=web", "involvedObject.name=web"),
    ],
)
def test_selectors_use_the_names_of_the_version(given: str, expected: str) -> None:
    assert dress(EVENT, "events.k8s.io/v1").selector(given) == expected


def test_no_dress() -> None:
    assert dress_of(POD, "v1") is None
    assert dress_of(EVENT, "v1") is None
