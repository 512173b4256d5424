"""Which nodes run a daemon's pod, and how that pod is made (sections 2 and 3)."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.apps.v1 import DaemonSet
from rollplane.core.v1 import NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration
from rollplane_machinery.well_known import GENERATION_LABEL, REVISION_LABEL, TEMPLATE_GENERATION
from rollplane_planners.claims import Owner
from rollplane_planners.scheduling.node_affinity import (
    NO_EXECUTE,
    NO_SCHEDULE,
    matches_selector,
    named_nodes,
    required_terms,
    untolerated,
)
from rollplane_planners.scheduling.nodes import NodeView

_ALWAYS = (
    ("node.kubernetes.io/not-ready", NO_EXECUTE),
    ("node.kubernetes.io/unreachable", NO_EXECUTE),
    ("node.kubernetes.io/disk-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/memory-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/pid-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/unschedulable", NO_SCHEDULE),
)
_ON_HOST_NETWORK = (("node.kubernetes.io/network-unavailable", NO_SCHEDULE),)


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether a node should get a pod, and whether one that is there may stay."""

    should_run: bool
    should_continue: bool


def tolerate_node_troubles(spec: PodSpec) -> None:
    """Add the tolerations every daemon pod has, in place; one the template has already is overwritten."""
    wanted = _ALWAYS + (_ON_HOST_NETWORK if spec.host_network else ())
    added = [Toleration(key=key, operator="Exists", effect=effect) for key, effect in wanted]
    names = {(one.key, one.effect, one.operator, one.value) for one in added}
    kept = [one for one in spec.tolerations if (one.key, one.effect, one.operator, one.value) not in names]
    del spec.tolerations[:]
    spec.tolerations.extend([*kept, *added])


def daemon_spec(daemon_set: DaemonSet) -> PodSpec:
    """Return the template's spec as every daemon pod has it, before it is tied to a node."""
    spec = PodSpec()
    spec.CopyFrom(daemon_set.spec.template.spec)
    tolerate_node_troubles(spec)
    return spec


def eligibility(spec: PodSpec, node: NodeView) -> Eligibility:
    """Tell whether ``node`` runs the daemon; resources, ports and readiness are not asked about."""
    if spec.node_name and spec.node_name != node.name:
        return Eligibility(should_run=False, should_continue=False)
    terms = required_terms(spec.affinity)
    selected = spec.node_selector.items() <= node.labels.items()
    if not selected or (terms is not None and not matches_selector(terms, node.name, node.labels)):
        return Eligibility(should_run=False, should_continue=False)
    repelled = untolerated(node.taints, spec.tolerations, (NO_SCHEDULE, NO_EXECUTE)) is not None
    expelled = untolerated(node.taints, spec.tolerations, (NO_EXECUTE,)) is not None
    return Eligibility(should_run=not repelled, should_continue=not expelled)


def daemon_pod(daemon_set: DaemonSet, spec: PodSpec, revision_hash: str, node: str, owner: Owner) -> Pod:
    """Return the pod for ``node``, unnamed: tied to it by affinity, and left to the scheduler to bind."""
    template = daemon_set.spec.template.metadata
    pod = Pod(spec=spec)
    pod.metadata.namespace = daemon_set.metadata.namespace
    pod.metadata.labels.update(template.labels)
    pod.metadata.labels[REVISION_LABEL] = revision_hash
    generation = daemon_set.metadata.annotations.get(TEMPLATE_GENERATION, "")
    if generation:
        pod.metadata.labels[GENERATION_LABEL] = generation
    pod.metadata.annotations.update(template.annotations)
    pod.metadata.finalizers.extend(template.finalizers)
    pod.metadata.owner_references.append(owner.reference())
    _tie(pod.spec, node)
    return pod


def _tie(spec: PodSpec, node: str) -> None:
    """Replace the required node terms by one that names the node."""
    requirement = NodeSelectorRequirement(key="metadata.name", operator="In", values=[node])
    terms = NodeSelector(node_selector_terms=[NodeSelectorTerm(match_fields=[requirement])])
    spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution.CopyFrom(terms)


def target_node(spec: PodSpec) -> str:
    """Return the node a pod runs on or is meant for, "" when it is meant for none."""
    if spec.node_name:
        return spec.node_name
    names = named_nodes(spec.affinity)
    return names[0] if names else ""
