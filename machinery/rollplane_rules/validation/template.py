"""Pod templates inside workloads, and the selectors that must match them. The pod spec is ``pod_spec``'s business."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane.core import v1 as core
from rollplane.meta import v1 as meta
from rollplane_machinery.errors import Cause
from rollplane_rules.validation import labels
from rollplane_rules.validation.causes import forbidden, invalid, not_supported, under
from rollplane_rules.validation.deletion_cost import check_deletion_cost


def check_template(template: core.PodTemplateSpec) -> list[Cause]:
    """Return what is wrong with the template of a workload, its pod spec aside; paths from the template on."""
    return check_template_metadata(template.metadata) + check_forever(template.spec)


def check_template_metadata(metadata: meta.ObjectMeta) -> list[Cause]:
    """Return what is wrong with labels and annotations; Kubernetes leaves ``metadata`` out of their paths."""
    found = labels.check_labels("labels", metadata.labels)
    found += labels.check_annotations("annotations", metadata.annotations)
    return found + check_deletion_cost("annotations", metadata.annotations)


def check_forever(spec: core.PodSpec) -> list[Cause]:
    """Return what keeps the pods of ``spec`` from running until they are deleted."""
    found: list[Cause] = []
    if spec.restart_policy in ("OnFailure", "Never"):
        found.append(not_supported("spec.restartPolicy", spec.restart_policy, {"Always"}))
    if spec.HasField("active_deadline_seconds"):
        found.append(forbidden("spec.activeDeadlineSeconds", "a workload's pods run without end: drop it"))
    if spec.ephemeral_containers:
        found.append(forbidden("spec.ephemeralContainers", "they are added to running pods only: drop them"))
    return found


def mismatch(template_labels: Mapping[str, str]) -> Cause:
    """Return the cause for labels that the workload's selector does not match."""
    shown = ", ".join(f"{key}={value}" for key, value in sorted(template_labels.items()))
    return invalid("template.metadata.labels", shown, "add the labels that spec.selector asks for")


def check_selected(
    selector: meta.LabelSelector, template: core.PodTemplateSpec, *, names_whole: bool = True
) -> list[Cause]:
    """Return what is wrong with a workload's selector, and between it and the template; paths from ``spec`` on.

    A selector that cannot be read is named as a whole beside its parts, by all kinds but DaemonSets (``names_whole``).
    """
    found = under("selector", labels.check_label_selector(selector))
    if labels.is_empty(selector):
        return [*found, invalid("selector", None, "name at least one label: an empty selector takes every pod")]
    matched = labels.matches(selector, template.metadata.labels)
    if matched is None and names_whole:
        found.append(invalid("selector", None, "invalid label selector: mend its parts"))
    if matched is False:
        found.append(mismatch(template.metadata.labels))
    return found
