"""Pod objects: metadata that only pods have, what of a pod may change, and its status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollplane.core import v1 as core
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import MAX_INT32, forbidden, invalid, required, under
from rollplane_rules.validation.deletion_cost import check_deletion_cost
from rollplane_rules.validation.pod_spec import check_ip


def check_pod(pod: core.Pod) -> list[Cause]:
    """Return what is wrong with a Pod, common metadata and spec aside."""
    return check_deletion_cost("metadata.annotations", pod.metadata.annotations)


def check_pod_update(new: core.Pod, old: core.Pod) -> list[Cause]:
    """Return what an update may not change.

    Images, the deadline, additional tolerations, the removal of scheduling gates and a grace period that is negative
    and becomes 1 may change. While a pod is gated its node selector may grow, and its node affinity narrow.
    """
    if new.spec == old.spec:
        return []
    return under("spec", _check_spec_update(new.spec, old.spec))


def _check_spec_update(new: core.PodSpec, old: core.PodSpec) -> list[Cause]:
    for field, after, before in (
        ("containers", new.containers, old.containers),
        ("initContainers", new.init_containers, old.init_containers),
    ):
        if len(after) != len(before):
            return [forbidden(field, "containers are neither added nor removed: create another pod")]
    found = _check_deadline(new, old)
    found += _check_tolerations(new, old)
    found += _check_gates(new, old)
    found += _check_node_selector(new, old)
    found += _check_node_affinity(new, old)
    if not semantic_equal(_with_mutable_parts_of(old, new), old):
        fix = (
            "only container images, activeDeadlineSeconds, additional tolerations and the removal of schedulingGates "
            "may change: create another pod"
        )
        found.append(forbidden("", fix))
    return found


def _with_mutable_parts_of(old: core.PodSpec, new: core.PodSpec) -> core.PodSpec:
    """Return ``new`` with all that may change set back to what it was."""
    spec = core.PodSpec()
    spec.CopyFrom(new)
    for after, before in ((spec.containers, old.containers), (spec.init_containers, old.init_containers)):
        for container, former in zip(after, before, strict=True):
            container.image = former.image
    for field in ("active_deadline_seconds", "tolerations", "scheduling_gates"):
        spec.ClearField(field)
    if old.HasField("active_deadline_seconds"):
        spec.active_deadline_seconds = old.active_deadline_seconds
    spec.tolerations.extend(old.tolerations)
    spec.scheduling_gates.extend(old.scheduling_gates)
    if old.scheduling_gates:
        spec.node_selector.clear()
        spec.node_selector.update(old.node_selector)
        _keep_node_affinity(spec, old)
    if old.termination_grace_period_seconds < 0 and new.termination_grace_period_seconds == 1:
        spec.termination_grace_period_seconds = old.termination_grace_period_seconds
    return spec


def _check_deadline(new: core.PodSpec, old: core.PodSpec) -> list[Cause]:
    field, had = "activeDeadlineSeconds", old.HasField("active_deadline_seconds")
    if not new.HasField("active_deadline_seconds"):
        return [invalid(field, None, "it cannot be taken back: keep or lower it")] if had else []
    deadline = new.active_deadline_seconds
    if not 0 <= deadline <= MAX_INT32:
        return []  # found by the rules for any pod
    if had and deadline > old.active_deadline_seconds:
        return [invalid(field, deadline, f"it can only be lowered, and was {old.active_deadline_seconds}")]
    return []


def _check_tolerations(new: core.PodSpec, old: core.PodSpec) -> list[Cause]:
    """Every toleration stays, though for how long may change."""
    kept = list(map(_toleration, new.tolerations))
    if all(_toleration(toleration) in kept for toleration in old.tolerations):
        return []
    return [forbidden("tolerations", "tolerations can only be added: keep those that were there")]


def _toleration(toleration: core.Toleration) -> tuple[str, str, str, str]:
    return toleration.key, toleration.operator, toleration.value, toleration.effect


def _check_gates(new: core.PodSpec, old: core.PodSpec) -> list[Cause]:
    before = {gate.name for gate in old.scheduling_gates}
    added = [gate.name for gate in new.scheduling_gates if gate.name not in before]
    return [forbidden("schedulingGates", f"gates can only be removed: drop {', '.join(added)}")] if added else []


def _check_node_selector(new: core.PodSpec, old: core.PodSpec) -> list[Cause]:
    if not old.scheduling_gates or old.node_selector.items() <= new.node_selector.items():
        return []
    return [forbidden("nodeSelector", "while the pod is gated it can only be added to: keep what was there")]


def _keep_node_affinity(spec: core.PodSpec, old: core.PodSpec) -> None:
    """Set the node affinity back, and an affinity that only came with it."""
    if old.affinity.HasField("node_affinity"):
        spec.affinity.node_affinity.CopyFrom(old.affinity.node_affinity)
    elif spec.HasField("affinity"):
        spec.affinity.ClearField("node_affinity")
        if not old.HasField("affinity") and not spec.affinity.ByteSize():
            spec.ClearField("affinity")


def _check_node_affinity(new: core.PodSpec, old: core.PodSpec) -> list[Cause]:
    """Where there were terms each stays, and may only ask for more; preferences may change."""
    if not old.scheduling_gates:
        return []
    path = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    after, before = _node_terms(new), _node_terms(old)
    if before and len(after) != len(before):
        return [invalid(path, None, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")]
    widened = [at for at, term in enumerate(before) if not _has_only_additions(after[at], term)]
    return [invalid(f"{path}[{at}]", None, "only additions are allowed (no mutations or deletions)") for at in widened]


def _node_terms(spec: core.PodSpec) -> Sequence[core.NodeSelectorTerm]:
    return spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution.node_selector_terms


def _has_only_additions(new: core.NodeSelectorTerm, old: core.NodeSelectorTerm) -> bool:
    """Terms without any requirement match nothing: they do not grow into some that match."""
    if not old.match_expressions and not old.match_fields:
        return not new.match_expressions and not new.match_fields
    pairs = ((new.match_expressions, old.match_expressions), (new.match_fields, old.match_fields))
    return all(one in after for after, before in pairs for one in before)


def check_pod_status(new: core.Pod, old: core.Pod) -> list[Cause]:
    """Return what is wrong with a status: addresses, and containers that would come back to life."""
    status = new.status
    found: list[Cause] = []
    for index, address in enumerate(status.pod_ips):
        found += check_ip(f"podIPs[{index}].ip", address.ip)
    for index, host in enumerate(status.host_ips):
        found += check_ip(f"hostIPs[{index}].ip", host.ip)
    for index, condition in enumerate(status.conditions):
        if not condition.type:
            found.append(required(f"conditions[{index}].type", "name the condition"))
    if old.spec.restart_policy != "Always":
        may_restart = old.spec.restart_policy == "OnFailure"
        found += _check_restarts(status.container_statuses, old.status.container_statuses, may_restart)
    return under("status", found)


def _check_restarts(
    new: Iterable[core.ContainerStatus], old: Iterable[core.ContainerStatus], may_restart: bool
) -> list[Cause]:
    """A container that ended for good stays ended."""
    ended = {
        status.name
        for status in old
        if status.state.HasField("terminated") and not (may_restart and status.state.terminated.exit_code)
    }
    return [
        forbidden(f"containerStatuses[{index}].state", "the container ended for good: keep it terminated")
        for index, status in enumerate(new)
        if status.name in ended and not status.state.HasField("terminated")
    ]
