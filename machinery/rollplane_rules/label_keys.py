"""Constraints by a pod's own labels: what matchLabelKeys mean is written into the selectors when the pod is made.

Source: kubernetes/kubernetes pkg/registry/core/pod/strategy.go, applyMatchLabelKeysAndMismatchLabelKeys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rollplane.core.v1 import Pod, PodAffinityTerm, TopologySpreadConstraint
from rollplane_machinery.releases import Release
from rollplane_rules.disabled import affinity_terms


def merge_label_keys(pod: Pod, release: Release) -> None:
    """Narrow the selectors of a new pod by its labels, in place; keys that it does not have are passed over."""
    spec, labels = pod.spec, pod.metadata.labels
    if spec.HasField("affinity") and release.affinity_by_label_keys:
        for term in affinity_terms(spec):
            _require(term, term.match_label_keys, "In", labels)
            _require(term, term.mismatch_label_keys, "NotIn", labels)
    if spec.topology_spread_constraints and release.spread_keys_are_merged:
        for spread in spec.topology_spread_constraints:
            _require(spread, spread.match_label_keys, "In", labels)


def _require(
    of: PodAffinityTerm | TopologySpreadConstraint, keys: Iterable[str], operator: str, labels: Mapping[str, str]
) -> None:
    """Without a selector keys are refused: that is validation's to say."""
    if of.HasField("label_selector"):
        for key in keys:
            if key in labels:
                of.label_selector.match_expressions.add(key=key, operator=operator, values=[labels[key]])
