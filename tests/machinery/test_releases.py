"""docs/semantics/releases.md, row by row, on both sides of each boundary."""

from __future__ import annotations

from dataclasses import fields

import pytest

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.releases import (
    LATEST,
    RECORDED,
    MaxUnavailable,
    PreemptedSentence,
    PreemptionSentence,
    PullSentence,
    RejectionSentence,
    ScalingSentence,
    StartSentence,
    TaintSentence,
    release_of,
)

BOUNDARIES = {
    "history_by_revision": ("1.20", "1.21"),
    "terminating_replicas": ("1.34", "1.35"),
    "stateful_set_min_ready": ("1.22", "1.23"),
    "on_delete_completes": ("1.36", "1.37"),
    "revisions_by_meaning": ("1.33", "1.34"),
    "pod_index_label": ("1.27", "1.28"),
    "claim_retention": ("1.26", "1.27"),
    "ordinals_start": ("1.26", "1.27"),
    "daemon_set_surge": ("1.21", "1.22"),
    "victims_by_cost": ("1.21", "1.22"),
    "sidecars": ("1.28", "1.29"),
    "scheduling_gates": ("1.26", "1.27"),
    "namespace_selectors": ("1.21", "1.22"),
    "node_inclusion_policies": ("1.25", "1.26"),
    "min_domains": ("1.26", "1.27"),
    "spread_by_label_keys": ("1.26", "1.27"),
    "spread_keys_are_merged": ("1.33", "1.34"),
    "affinity_by_label_keys": ("1.30", "1.31"),
    "pod_level_resources": ("1.33", "1.34"),
    "capacity_is_final": ("1.33", "1.34"),
    "pod_generation": ("1.33", "1.34"),
    "topology_labels": ("1.34", "1.35"),
    "pods_deleted_first": ("1.32", "1.33"),
    "restart_ages": ("1.21", "1.22"),
    "tells_singular_names": ("1.26", "1.27"),
    "serves_policy_v1": ("1.20", "1.21"),
    "serves_eviction_v1": ("1.21", "1.22"),
    "tells_who_asks": ("1.27", "1.28"),
    "ip_families": ("1.20", "1.21"),
    "kubelets_check_taints": ("1.23", "1.24"),
    "name_formats": ("1.33", "1.34"),
    "schema_ratcheting": ("1.29", "1.30"),
    "schema_rules": ("1.24", "1.25"),
    "selects_custom_fields": ("1.30", "1.31"),
}
VALUES: dict[str, dict[str, object]] = {
    "serves_beta_versions": {"1.24": True, "1.25": False},
    "token_secrets": {"1.23": True, "1.24": False},
    "scaling_sentence": {
        "1.20": ScalingSentence.TO,
        "1.21": ScalingSentence.TO_FROM,
        "1.30": ScalingSentence.TO_FROM,
        "1.31": ScalingSentence.FROM_TO,
    },
    "max_unavailable": {
        "1.34": MaxUnavailable.IGNORED,
        "1.35.0": MaxUnavailable.COUNTS_BROKEN,
        "1.35.3": MaxUnavailable.COUNTS_BROKEN,
        "1.35.4": MaxUnavailable.IGNORED,
        "1.35": MaxUnavailable.IGNORED,
        "1.36": MaxUnavailable.IGNORED,
        "1.37": MaxUnavailable.BROKEN_FIRST,
    },
    "taint_sentence": {
        "1.23": TaintSentence.HAD,
        "1.24": TaintSentence.UNTOLERATED,
        "1.33": TaintSentence.UNTOLERATED,
        "1.34.1": TaintSentence.UNTOLERATED,
        "1.34.2": TaintSentence.UNNAMED,
        "1.34": TaintSentence.UNNAMED,
    },
    "preemption_sentence": {
        "1.23": PreemptionSentence.UNTOLD,
        "1.24": PreemptionSentence.TOLD,
        "1.25": PreemptionSentence.TWO_DOTS,
        "1.29": PreemptionSentence.TWO_DOTS,
        "1.30": PreemptionSentence.TOLD,
        "1.33": PreemptionSentence.TOLD,
        "1.34": PreemptionSentence.AFTER_CLAIMS,
        "1.36": PreemptionSentence.AFTER_CLAIMS,
        "1.37": PreemptionSentence.TOLD,
    },
    "preempted_sentence": {
        "1.26": PreemptedSentence.BY_NAME,
        "1.27": PreemptedSentence.BY_A_POD,
        "1.28": PreemptedSentence.BY_A_POD,
        "1.29": PreemptedSentence.BY_UID,
    },
    "pull_sentence": {"1.26": PullSentence.ALONE, "1.27": PullSentence.WITH_WAITING},
    "rejection_sentence": {
        "1.25": RejectionSentence.SHORT,
        "1.26": RejectionSentence.SAID,
        "1.30": RejectionSentence.SAID,
        "1.31": RejectionSentence.EXPLAINED,
    },
    "start_sentence": {
        "1.31": StartSentence.NAMED,
        "1.32": StartSentence.COLON,
        "1.34": StartSentence.COLON,
        "1.35": StartSentence.UNNAMED,
    },
    "node_grace_seconds": {"1.31": 40.0, "1.32": 50.0},
}


@pytest.mark.parametrize(("switch", "sides"), BOUNDARIES.items(), ids=BOUNDARIES)
def test_switch_turns_at_its_release(switch: str, sides: tuple[str, str]) -> None:
    before, after = map(release_of, sides)
    assert (getattr(before, switch), getattr(after, switch)) == (False, True)


@pytest.mark.parametrize(
    ("switch", "name", "value"),
    [(switch, name, value) for switch, values in VALUES.items() for name, value in values.items()],
)
def test_value_by_release(switch: str, name: str, value: object) -> None:
    assert getattr(release_of(name), switch) == value


def test_every_switch_has_its_row() -> None:
    assert {*BOUNDARIES, *VALUES, "name"} == {one.name for one in fields(LATEST)}


@pytest.mark.parametrize("name", ["", "1", "1.19", "1.38", "2.0", "newest", "1.29.x", "1.29 "])
def test_what_is_no_release_is_refused(name: str) -> None:
    with pytest.raises(BadRequestError, match=r"want 1\.20 to 1\.37"):
        release_of(name)


def test_names() -> None:
    assert (release_of("1.29").version, release_of("1.35.2").version) == ("v1.29.0", "v1.35.2")
    assert (LATEST.name, RECORDED.name, release_of("v1.29").name) == ("1.37", "1.20", "1.29")
