"""Objects that record something: ControllerRevisions, Leases, Events; and PodDisruptionBudgets."""

from __future__ import annotations

from rollplane.apps import v1 as apps
from rollplane.coordination import v1 as coordination
from rollplane.core import v1 as core
from rollplane.policy import v1 as policy
from rollplane.stored.v1 import StoredObject
from rollplane_machinery import names
from rollplane_machinery.codec import message_to_json
from rollplane_machinery.codec.shaped import read_shaped
from rollplane_machinery.errors import BadRequestError, Cause, InternalError
from rollplane_machinery.times import is_set
from rollplane_rules.validation.causes import (
    immutable,
    invalid,
    not_negative,
    not_supported,
    problems,
    required,
    under,
)
from rollplane_rules.validation.labels import check_label_selector
from rollplane_rules.validation.rolling import check_share
from rollplane_rules.validation.status import check_counters

_EVICTIONS = frozenset({"AlwaysAllow", "IfHealthyBudget"})
_EVENT_FIELD_LENGTH, _EVENT_MESSAGE_LENGTH = 128, 1024


def check_revision(revision: apps.ControllerRevision) -> list[Cause]:
    """Return what is wrong with a ControllerRevision, metadata aside."""
    found = [] if revision.data.raw else [required("data", "give the state to keep")]
    return found + not_negative("revision", revision.revision)


def check_revision_update(new: apps.ControllerRevision, old: apps.ControllerRevision) -> list[Cause]:
    """Return what an update may not change: the state that is kept."""
    return immutable("data", None, new.data.raw == old.data.raw)


def check_lease(lease: coordination.Lease) -> list[Cause]:
    """Return what is wrong with a Lease, metadata aside."""
    spec = lease.spec
    found: list[Cause] = []
    if spec.HasField("lease_duration_seconds") and spec.lease_duration_seconds <= 0:
        found.append(invalid("leaseDurationSeconds", spec.lease_duration_seconds, "set it to 1 or more"))
    return under("spec", found + not_negative("leaseTransitions", spec.lease_transitions))


def check_event(event: core.Event) -> list[Cause]:
    """Return what is wrong with an Event, metadata aside; the newer form, with an eventTime, has to say more."""
    found: list[Cause] = []
    about, where = event.involved_object.namespace, event.metadata.namespace
    if about != where and (about or where != "default"):
        found.append(invalid("involvedObject.namespace", about, f"put it where the event is, {where!r}"))
    return found + _check_new_event(event) if is_set(event.event_time) else found


def _check_new_event(event: core.Event) -> list[Cause]:
    found: list[Cause] = []
    for field, value in (
        ("reportingComponent", event.reporting_component),
        ("reportingInstance", event.reporting_instance),
        ("action", event.action),
        ("reason", event.reason),
    ):
        if not value:
            found.append(required(field, "give it with eventTime"))
        elif len(value) > _EVENT_FIELD_LENGTH:
            found.append(invalid(field, value, f"shorten it to {_EVENT_FIELD_LENGTH} characters"))
    if event.reporting_component:
        sentences = names.check_qualified_name(event.reporting_component)
        found += problems("reportingComponent", event.reporting_component, sentences)
    if len(event.message) > _EVENT_MESSAGE_LENGTH:
        found.append(invalid("message", event.message, f"shorten it to {_EVENT_MESSAGE_LENGTH} characters"))
    return found


def check_budget(budget: policy.PodDisruptionBudget) -> list[Cause]:
    """Return what is wrong with a PodDisruptionBudget, metadata aside."""
    spec = budget.spec
    found: list[Cause] = []
    if spec.HasField("min_available"):
        found += check_share("minAvailable", spec.min_available)
    if spec.HasField("max_unavailable"):
        found += check_share("maxUnavailable", spec.max_unavailable)
    if spec.HasField("min_available") and spec.HasField("max_unavailable"):
        found.append(invalid("", None, "keep minAvailable or maxUnavailable"))
    if spec.HasField("selector"):
        found += under("selector", check_label_selector(spec.selector))
    if spec.HasField("unhealthy_pod_eviction_policy") and spec.unhealthy_pod_eviction_policy not in _EVICTIONS:
        found.append(not_supported("unhealthyPodEvictionPolicy", spec.unhealthy_pod_eviction_policy, _EVICTIONS))
    return under("spec", found)


_BORNE_ELSEWHERE = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})


def check_stored(obj: StoredObject) -> list[Cause]:
    """Return what is wrong with the JSON of an object that is kept as such; no codec may have seen it."""
    found = [invalid(name, None, "it has a field of its own") for name in sorted(_BORNE_ELSEWHERE & obj.members.keys())]
    try:
        message_to_json(obj)
        read_shaped(obj)
    except InternalError:
        found.append(invalid("", None, "spec, status and members must be JSON"))
    except BadRequestError as exc:
        found += exc.causes
    return found


def check_stored_status(new: StoredObject, _old: StoredObject) -> list[Cause]:
    """Return what is wrong with an object whose status was written."""
    return check_stored(new)


def check_budget_status(new: policy.PodDisruptionBudget, _old: policy.PodDisruptionBudget) -> list[Cause]:
    """Return what is wrong with a status."""
    status = new.status
    counters = {
        "disruptionsAllowed": status.disruptions_allowed,
        "currentHealthy": status.current_healthy,
        "desiredHealthy": status.desired_healthy,
        "expectedPods": status.expected_pods,
    }
    return under("status", check_counters(counters))
