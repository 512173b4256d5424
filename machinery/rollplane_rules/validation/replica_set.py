"""ReplicaSets and ReplicationControllers. Source: ``docs/semantics/replicaset.md`` sections 1, 7 and 9."""

from __future__ import annotations

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import immutable, not_negative, required, under
from rollplane_rules.validation.status import check_counters, check_replica_counters
from rollplane_rules.validation.template import check_selected, check_template, mismatch


def check_replica_set(replica_set: apps.ReplicaSet) -> list[Cause]:
    """Return what is wrong with a defaulted ReplicaSet, metadata and pod spec aside."""
    spec = replica_set.spec
    found = not_negative("replicas", spec.replicas)
    found += not_negative("minReadySeconds", spec.min_ready_seconds)
    if not spec.HasField("selector"):
        found.append(required("selector", "select the labels of the template"))
    else:
        found += check_selected(spec.selector, spec.template)
    return under("spec", found + under("template", check_template(spec.template)))


def check_replica_set_update(new: apps.ReplicaSet, old: apps.ReplicaSet) -> list[Cause]:
    """Return what an update may not change: the selector."""
    same = semantic_equal(new.spec.selector, old.spec.selector)
    return under("spec", immutable("selector", None, same))


def check_replica_set_status(new: apps.ReplicaSet, _old: apps.ReplicaSet) -> list[Cause]:
    """Return what is wrong with a status."""
    return under(
        "status", _check_status(new.status) + check_counters({"terminatingReplicas": new.status.terminating_replicas})
    )


def check_controller(controller: core.ReplicationController) -> list[Cause]:
    """Return what is wrong with a defaulted ReplicationController, metadata and pod spec aside."""
    spec = controller.spec
    found = not_negative("replicas", spec.replicas)
    found += not_negative("minReadySeconds", spec.min_ready_seconds)
    if not spec.selector:
        found.append(required("selector", "select the labels of the template"))
    if not spec.HasField("template"):
        return under("spec", [*found, required("template", "describe the pods to make")])
    labels = spec.template.metadata.labels
    if any(labels.get(key) != value for key, value in spec.selector.items()):
        found.append(mismatch(labels))
    return under("spec", found + under("template", check_template(spec.template)))


def check_controller_status(new: core.ReplicationController, _old: core.ReplicationController) -> list[Cause]:
    """Return what is wrong with a status."""
    return under("status", _check_status(new.status))


def _check_status(status: apps.ReplicaSetStatus | core.ReplicationControllerStatus) -> list[Cause]:
    among = {
        "fullyLabeledReplicas": status.fully_labeled_replicas,
        "readyReplicas": status.ready_replicas,
        "availableReplicas": status.available_replicas,
    }
    return check_replica_counters(status, among)
