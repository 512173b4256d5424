"""Columns of kinds that are kept as JSON; ``stored_cells`` fills them.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go, as in the newest releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import STORED_KINDS, Kind
from rollplane_printing.stored_cells import (
    admission_policy_cells,
    api_service_cells,
    autoscaler_cells,
    containers_cells,
    cron_job_cells,
    csi_driver_cells,
    endpoint_slice_cells,
    endpoints_cells,
    flow_schema_cells,
    ingress_cells,
    ingress_class_cells,
    job_cells,
    policy_binding_cells,
    priority_class_cells,
    priority_level_cells,
    quota_cells,
    role_of_cells,
    selector_cells,
    storage_class_cells,
    volume_cells,
)
from rollplane_printing.stored_data import Cells, Data, at, layout, titles
from rollplane_printing.table import NAME, Cell, Column, Layout, labels_text, number, text, wide

_PODS = wide("Containers", "Images", "Selector")


def _counted(path: str) -> Cells:
    """How many items the list at ``path`` has."""
    return lambda data: [len(data.objects(path))]


def _texts(*paths: str) -> Cells:
    return lambda data: [data.text(path) for path in paths]


def _with_creation_time(obj: StoredObject, _now: float) -> list[Cell]:
    from rollplane_machinery.codec.time_text import format_time  # with the codec, which few tables need

    return [obj.metadata.name, format_time(obj.metadata.creation_timestamp) or ""]


def _pod_template(obj: StoredObject, now: float) -> list[Cell]:
    template = Data(obj, now).at("template")
    labels = at(template, "metadata.labels")
    return [obj.metadata.name, *containers_cells(template), labels_text(labels if isinstance(labels, dict) else {})]


def _storage_class_row(obj: StoredObject, now: float) -> list[Cell]:
    name, *rest = _STORAGE_CLASS.cells(obj, now)
    return [f"{name} (default)" if obj.metadata.annotations.get(_DEFAULT_CLASS) == "true" else name, *rest]


PLAIN = layout((), lambda _: ())
"""Name and age, which every object has."""
_CREATED = Layout((NAME, Column("Created At", "date")), _with_creation_time)
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_STORAGE_CLASS = layout(
    titles("Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion"), storage_class_cells
)
_SUBJECTS = wide("Users", "Groups", "ServiceAccounts")
_VOLUME = titles(
    *(
        "Capacity",
        "Access Modes",
        "Reclaim Policy",
        "Status",
        "Claim",
        "StorageClass",
        "VolumeAttributesClass",
        "Reason",
    )
)

_ROWS: Mapping[str, Layout] = {
    "jobs.batch": layout(titles("Status", "Completions", "Duration"), job_cells, behind=_PODS),
    "cronjobs.batch": layout(
        (*titles("Schedule", "Timezone", "Suspend"), number("Active"), text("Last Schedule")),
        cron_job_cells,
        behind=_PODS,
    ),
    "podtemplates": Layout((NAME, *titles("Containers", "Images", "Pod Labels")), _pod_template),
    "ingresses.networking.k8s.io": layout(titles("Class", "Hosts", "Address", "Ports"), ingress_cells),
    "ingressclasses.networking.k8s.io": layout(titles("Controller", "Parameters"), ingress_class_cells),
    "networkpolicies.networking.k8s.io": layout(titles("Pod-Selector"), selector_cells),
    "horizontalpodautoscalers.autoscaling": layout(
        titles("Reference", "Targets", "MinPods", "MaxPods", "Replicas"), autoscaler_cells
    ),
    "roles.rbac.authorization.k8s.io": _CREATED,
    "clusterroles.rbac.authorization.k8s.io": _CREATED,
    "limitranges": _CREATED,
    "customresourcedefinitions.apiextensions.k8s.io": _CREATED,
    "resourcequotas": layout(titles("Request", "Limit"), quota_cells),
    "rolebindings.rbac.authorization.k8s.io": layout(titles("Role"), role_of_cells, behind=_SUBJECTS),
    "clusterrolebindings.rbac.authorization.k8s.io": layout(titles("Role"), role_of_cells, behind=_SUBJECTS),
    "persistentvolumes": layout(_VOLUME, volume_cells, behind=wide("VolumeMode")),
    "storageclasses.storage.k8s.io": Layout(_STORAGE_CLASS.columns, _storage_class_row),
    "csidrivers.storage.k8s.io": layout(
        (
            *(Column(name, "boolean") for name in ("AttachRequired", "PodInfoOnMount", "StorageCapacity")),
            text("TokenRequests"),
            Column("RequiresRepublish", "boolean"),
            text("Modes"),
        ),
        csi_driver_cells,
    ),
    "priorityclasses.scheduling.k8s.io": layout(
        (number("Value"), Column("Global-Default", "boolean")), priority_class_cells, behind=titles("PreemptionPolicy")
    ),
    "runtimeclasses.node.k8s.io": layout(titles("Handler"), _texts("handler")),
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": layout((number("Webhooks"),), _counted("webhooks")),
    "validatingwebhookconfigurations.admissionregistration.k8s.io": layout((number("Webhooks"),), _counted("webhooks")),
    "validatingadmissionpolicies.admissionregistration.k8s.io": layout(
        (number("Validations"), text("ParamKind")), admission_policy_cells
    ),
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": layout(
        titles("PolicyName", "ParamRef"), policy_binding_cells
    ),
    "flowschemas.flowcontrol.apiserver.k8s.io": layout(
        (text("PriorityLevel"), number("MatchingPrecedence"), text("DistinguisherMethod")),
        flow_schema_cells,
        behind=titles("MissingPL"),
    ),
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": layout(
        titles("Type", "NominalConcurrencyShares", "Queues", "HandSize", "QueueLengthLimit"), priority_level_cells
    ),
    "apiservices.apiregistration.k8s.io": layout(titles("Service", "Available"), api_service_cells),
    "endpoints": layout(titles("Endpoints"), endpoints_cells),
    "endpointslices.discovery.k8s.io": layout(titles("AddressType", "Ports", "Endpoints"), endpoint_slice_cells),
}
STORED: Mapping[Kind, Layout] = MappingProxyType({kind: _ROWS.get(kind.resource, PLAIN) for kind in STORED_KINDS})
"""How each of these kinds is shown."""
