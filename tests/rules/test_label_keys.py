"""matchLabelKeys and mismatchLabelKeys are written into the selectors of a new pod, by release."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Pod
from rollplane_machinery.codec import from_json, to_json
from rollplane_machinery.releases import release_of
from rollplane_rules.strategy import prepare_create
from tests.machinery.samples import pod

REQUIRED, PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
SELECTOR = {"matchLabels": {"app": "web"}}
TERM = {
    "topologyKey": "zone",
    "labelSelector": SELECTOR,
    "matchLabelKeys": ["hash", "gone"],
    "mismatchLabelKeys": ["team"],
}
SPREAD = {
    "topologyKey": "zone",
    "maxSkew": 1,
    "whenUnsatisfiable": "DoNotSchedule",
    "labelSelector": SELECTOR,
    "matchLabelKeys": ["hash"],
}
IN = {"key": "hash", "operator": "In", "values": ["1"]}
NOT_IN = {"key": "team", "operator": "NotIn", "values": ["red"]}


def made(spec: dict[str, Any], release: str) -> dict[str, Any]:
    obj = from_json(pod(spec, {"namespace": "default", "labels": {"app": "web", "hash": "1", "team": "red"}}))
    assert isinstance(obj, Pod)
    prepare_create(obj, now=0.0, uid="u", release=release_of(release))
    told: dict[str, Any] = to_json(obj)["spec"]
    return told


@pytest.mark.parametrize("which", ["podAffinity", "podAntiAffinity"])
def test_terms_of_pod_affinity(which: str) -> None:
    terms = {REQUIRED: [TERM], PREFERRED: [{"weight": 1, "podAffinityTerm": TERM}]}
    told = made({"affinity": {which: terms}}, "1.31")["affinity"][which]
    for term in (told[REQUIRED][0], told[PREFERRED][0]["podAffinityTerm"]):
        assert term["labelSelector"] == {**SELECTOR, "matchExpressions": [IN, NOT_IN]}
        assert term["matchLabelKeys"] == ["hash", "gone"], "they stay to be read"


@pytest.mark.parametrize(
    ("release", "expected"), [("1.33", SELECTOR), ("1.34", {**SELECTOR, "matchExpressions": [IN]})]
)
def test_topology_spread(release: str, expected: dict[str, Any]) -> None:
    (told,) = made({"topologySpreadConstraints": [SPREAD]}, release)["topologySpreadConstraints"]
    assert told["labelSelector"] == expected


def test_without_a_selector_nothing_is_made_up() -> None:
    bare = {"topologyKey": "zone", "matchLabelKeys": ["hash"]}
    (told,) = made({"affinity": {"podAffinity": {REQUIRED: [bare]}}}, "1.34")["affinity"]["podAffinity"][REQUIRED]
    assert "labelSelector" not in told
