"""Cells of kinds that are kept as JSON, one function a kind.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go, as in the newest releases.
"""

from __future__ import annotations

from collections.abc import Iterator

from rollplane_printing.durations import duration_text
from rollplane_printing.others import ACCESS_MODES
from rollplane_printing.stored_data import Data, Json, at, objects, plain, selector_text
from rollplane_printing.table import NONE, Cell, joined, or_none


def containers_cells(template: Json) -> list[Cell]:
    """Return the names of a template's containers, and their images."""
    containers = objects(at(template, "spec.containers"))
    return [
        joined([plain(each.get("name")) for each in containers]),
        joined([plain(each.get("image")) for each in containers]),
    ]


def job_cells(data: Data) -> list[Cell]:
    """Return the cells of a Job."""
    selector = selector_text(data.at("spec.selector"))
    return [
        _job_status(data),
        _completions(data),
        _duration(data),
        *containers_cells(data.at("spec.template")),
        selector,
    ]


def _completions(data: Data) -> str:
    done, wanted = data.number("status.succeeded"), data.at("spec.completions")
    if wanted is not None:
        return f"{done}/{wanted}"
    parallelism = data.number("spec.parallelism")
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _duration(data: Data) -> str:
    started, done = data.seconds("status.startTime"), data.seconds("status.completionTime")
    return "" if started is None else duration_text((data.now if done is None else done) - started)


def _job_status(data: Data) -> str:
    said = {each.get("type") for each in data.objects("status.conditions") if each.get("status") == "True"}
    words = ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet")
    return next((word for word in words if word in said), "Running")


def cron_job_cells(data: Data) -> list[Cell]:
    """Return the cells of a CronJob."""
    return [
        data.text("spec.schedule"),
        or_none(data.text("spec.timeZone")),
        "True" if data.at("spec.suspend") is True else "False",
        len(data.objects("status.active")),
        data.since("status.lastScheduleTime"),
        *containers_cells(data.at("spec.jobTemplate.spec.template")),
        selector_text(data.at("spec.jobTemplate.spec.selector")),
    ]


def ingress_cells(data: Data) -> list[Cell]:
    """Return the cells of an Ingress."""
    hosts = [plain(rule.get("host")) for rule in data.objects("spec.rules")]
    named = list(filter(None, hosts))
    addresses = [plain(each.get("ip") or each.get("hostname")) for each in data.objects("status.loadBalancer.ingress")]
    shown = ",".join(named[:3]) + (f" + {len(named) - 3} more..." if len(named) > 3 else "")
    return [
        or_none(data.text("spec.ingressClassName")),
        shown or "*",
        ",".join(addresses),
        "80, 443" if data.objects("spec.tls") else "80",
    ]


def ingress_class_cells(data: Data) -> list[Cell]:
    """Return the cells of an IngressClass."""
    kind, name = data.text("spec.parameters.kind"), data.text("spec.parameters.name")
    group = data.text("spec.parameters.apiGroup")
    parameters = f"{kind}{f'.{group}' if group else ''}/{name}" if kind else NONE
    return [data.text("spec.controller"), parameters]


def selector_cells(data: Data) -> list[Cell]:
    """Return the cells of a NetworkPolicy."""
    return [selector_text(data.at("spec.podSelector"))]


def autoscaler_cells(data: Data) -> list[Cell]:
    """Return the cells of a HorizontalPodAutoscaler."""
    return [
        f"{data.text('spec.scaleTargetRef.kind')}/{data.text('spec.scaleTargetRef.name')}",
        joined([*_targets(data)]),
        data.text("spec.minReplicas") or "<unset>",
        data.number("spec.maxReplicas"),
        data.number("status.currentReplicas"),
    ]


def _targets(data: Data) -> Iterator[str]:
    """What is aimed at; nothing here measures what is so."""
    for metric in data.objects("spec.metrics"):
        resource = metric.get("resource")
        if isinstance(resource, dict) and isinstance(target := resource.get("target"), dict):
            wanted = target.get("averageUtilization")
            aim = f"{wanted}%" if wanted is not None else plain(target.get("averageValue"))
            yield f"{plain(resource.get('name'))}: <unknown>/{aim}"
        else:
            yield "<unknown>"


def role_of_cells(data: Data) -> list[Cell]:
    """Return the cells of a binding."""
    subjects = data.objects("subjects")
    return [
        f"{data.text('roleRef.kind')}/{data.text('roleRef.name')}",
        *(_named(subjects, kind) for kind in ("User", "Group")),
        ", ".join(
            f"{plain(each.get('namespace'))}/{plain(each.get('name'))}" for each in _of(subjects, "ServiceAccount")
        ),
    ]


def _of(subjects: list[dict[str, Json]], kind: str) -> list[dict[str, Json]]:
    return [each for each in subjects if each.get("kind") == kind]


def _named(subjects: list[dict[str, Json]], kind: str) -> str:
    return ", ".join(plain(each.get("name")) for each in _of(subjects, kind))


def quota_cells(data: Data) -> list[Cell]:
    """Requests and limits, used of what there is."""
    hard, used = data.at("status.hard") or data.at("spec.hard") or {}, data.at("status.used") or {}
    shown = {name: f"{name}: {plain(used.get(name)) or '0'}/{plain(hard[name])}" for name in sorted(hard)}
    limits = [each for name, each in shown.items() if name.startswith("limits.")]
    return [", ".join(each for each in shown.values() if each not in limits), ", ".join(limits)]


def volume_cells(data: Data) -> list[Cell]:
    """Return the cells of a PersistentVolume."""
    claim = data.text("spec.claimRef.name")
    modes = data.at("spec.accessModes")
    return [
        data.text("spec.capacity.storage"),
        ",".join(ACCESS_MODES.get(plain(mode), plain(mode)) for mode in modes) if isinstance(modes, list) else "",
        data.text("spec.persistentVolumeReclaimPolicy"),
        data.text("status.phase"),
        f"{data.text('spec.claimRef.namespace')}/{claim}" if claim else "",
        data.text("spec.storageClassName"),
        data.text("spec.volumeAttributesClassName") or "<unset>",
        data.text("status.reason"),
        data.text("spec.volumeMode") or "<unset>",
    ]


def storage_class_cells(data: Data) -> list[Cell]:
    """Return the cells of a StorageClass."""
    return [
        data.text("provisioner"),
        data.text("reclaimPolicy") or "Delete",
        data.text("volumeBindingMode") or "Immediate",
        data.text("allowVolumeExpansion") or "false",
    ]


def priority_class_cells(data: Data) -> list[Cell]:
    """Return the cells of a PriorityClass."""
    return [data.number("value"), data.text("globalDefault") or "false", data.text("preemptionPolicy")]


def csi_driver_cells(data: Data) -> list[Cell]:
    """Return the cells of a CSIDriver."""
    flags = ("attachRequired", "podInfoOnMount", "storageCapacity")
    tokens = [plain(each.get("audience")) for each in data.objects("spec.tokenRequests")]
    modes = data.texts("spec.volumeLifecycleModes")
    return [
        *(data.text(f"spec.{flag}") or "false" for flag in flags),
        ",".join(tokens) or "<unset>",
        data.text("spec.requiresRepublish") or "false",
        joined(modes),
    ]


def admission_policy_cells(data: Data) -> list[Cell]:
    """Return the cells of a ValidatingAdmissionPolicy."""
    kind = data.at("spec.paramKind")
    told = f"{at(kind, 'apiVersion')}/{at(kind, 'kind')}" if isinstance(kind, dict) else "<unset>"
    return [len(data.objects("spec.validations")), told]


def policy_binding_cells(data: Data) -> list[Cell]:
    """Return the cells of a ValidatingAdmissionPolicyBinding."""
    reference = data.at("spec.paramRef")
    if not isinstance(reference, dict):
        return [data.text("spec.policyName"), "<unset>"]
    named = "/".join(filter(None, (plain(reference.get("namespace")), plain(reference.get("name")))))
    return [data.text("spec.policyName"), named or selector_text(reference.get("selector"))]


def flow_schema_cells(data: Data) -> list[Cell]:
    """Return the cells of a FlowSchema."""
    dangling = [each for each in data.objects("status.conditions") if each.get("type") == "Dangling"]
    return [
        data.text("spec.priorityLevelConfiguration.name"),
        data.number("spec.matchingPrecedence"),
        or_none(data.text("spec.distinguisherMethod.type")),
        plain(dangling[0].get("status")) if dangling else "?",
    ]


def priority_level_cells(data: Data) -> list[Cell]:
    """Return the cells of a PriorityLevelConfiguration."""
    kind = data.text("spec.type")
    shares = data.text(f"spec.{kind.lower()}.nominalConcurrencyShares")
    queuing = "spec.limited.limitResponse.queuing"
    return [
        kind,
        or_none(shares),
        *(or_none(data.text(f"{queuing}.{name}")) for name in ("queues", "handSize", "queueLengthLimit")),
    ]


def api_service_cells(data: Data) -> list[Cell]:
    """Return the cells of an APIService."""
    name = data.text("spec.service.name")
    available = [each for each in data.objects("status.conditions") if each.get("type") == "Available"]
    return [f"{data.text('spec.service.namespace')}/{name}" if name else "Local", _availability(available)]


def _availability(available: list[dict[str, Json]]) -> str:
    if not available:
        return "Unknown"
    status, reason = plain(available[0].get("status")), plain(available[0].get("reason"))
    return status if status == "True" or not reason else f"{status} ({reason})"


def endpoints_cells(data: Data) -> list[Cell]:
    """Return the cells of Endpoints."""
    found = [
        f"{plain(address.get('ip'))}:{plain(port.get('port'))}"
        for subset in data.objects("subsets")
        for port in subset.get("ports") or [{}]
        for address in subset.get("addresses") or []
    ]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return [or_none(",".join(found[:3])) + more]


def endpoint_slice_cells(data: Data) -> list[Cell]:
    """Return the cells of an EndpointSlice."""
    addresses = [plain(each) for endpoint in data.objects("endpoints") for each in endpoint.get("addresses") or []]
    more = f" + {len(addresses) - 3} more..." if len(addresses) > 3 else ""
    ports = [plain(port.get("port")) for port in data.objects("ports")]
    return [data.text("addressType"), ",".join(ports) or "<unset>", (",".join(addresses[:3]) or "<unset>") + more]
