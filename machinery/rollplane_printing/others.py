"""Columns of all that makes no pods. Source: docs/semantics/kubectl-surface.md section 4, and kubectl 1.20 to 1.32."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rollplane.autoscaling import v1 as autoscaling
from rollplane.coordination import v1 as coordination
from rollplane.core import v1 as core
from rollplane.policy import v1 as policy
from rollplane_machinery import int_or_string, kinds
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.kinds import Kind
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.nodes import NODE_READY
from rollplane_machinery.times import to_seconds
from rollplane_printing.durations import UNKNOWN, age
from rollplane_printing.table import (
    AGE,
    NAME,
    NONE,
    Cell,
    Column,
    Layout,
    joined,
    labels_text,
    number,
    or_none,
    text,
    wide,
)

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE_LABEL = "kubernetes.io/role"
ACCESS_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _namespace(namespace: core.Namespace, now: float) -> list[Cell]:
    return [namespace.metadata.name, namespace.status.phase, age(namespace.metadata.creation_timestamp, now)]


def _node(node: core.Node, now: float) -> list[Cell]:
    info = node.status.node_info
    return [
        node.metadata.name,
        _node_status(node),
        joined(roles_of(node)),
        age(node.metadata.creation_timestamp, now),
        info.kubelet_version,
        _address(node, "InternalIP"),
        _address(node, "ExternalIP"),
        info.os_image or UNKNOWN,
        info.kernel_version or UNKNOWN,
        info.container_runtime_version or UNKNOWN,
    ]


def _node_status(node: core.Node) -> str:
    ready = get_condition(node.status.conditions, NODE_READY)
    word = "Unknown" if ready is None else "Ready" if ready.status == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if node.spec.unschedulable else word


def roles_of(node: core.Node) -> list[str]:
    """Return the roles that a node's labels give it, sorted."""
    labels = node.metadata.labels
    roles = {name.removeprefix(_ROLE_PREFIX) for name in labels if name.startswith(_ROLE_PREFIX)}
    return sorted((roles | {labels.get(_ROLE_LABEL, "")}) - {""})


def _address(node: core.Node, type_: str) -> str:
    return next((each.address for each in node.status.addresses if each.type == type_), NONE)


def _event(event: core.Event, now: float) -> list[Cell]:
    first = age(event.first_timestamp if to_seconds(event.first_timestamp) else event.event_time, now)
    last = age(event.last_timestamp, now) if to_seconds(event.last_timestamp) else first
    involved, source = event.involved_object, event.source
    target = involved.kind.lower() + (f"/{involved.name}" if involved.name else "")
    return [
        last,
        event.type,
        event.reason,
        target,
        involved.field_path,
        ", ".join(filter(None, (source.component or event.reporting_component, source.host))),
        event.message.strip(),
        first,
        event.count,
        event.metadata.name,
    ]


def _lease(lease: coordination.Lease, now: float) -> list[Cell]:
    return [lease.metadata.name, lease.spec.holder_identity, age(lease.metadata.creation_timestamp, now)]


def _config_map(config: core.ConfigMap, now: float) -> list[Cell]:
    return [
        config.metadata.name,
        len(config.data) + len(config.binary_data),
        age(config.metadata.creation_timestamp, now),
    ]


def _secret(secret: core.Secret, now: float) -> list[Cell]:
    return [secret.metadata.name, secret.type, len(secret.data), age(secret.metadata.creation_timestamp, now)]


def _service_account(account: core.ServiceAccount, now: float) -> list[Cell]:
    return [account.metadata.name, len(account.secrets), age(account.metadata.creation_timestamp, now)]


def _service(service: core.Service, now: float) -> list[Cell]:
    spec = service.spec
    return [
        service.metadata.name,
        spec.type,
        or_none(spec.cluster_ip),
        _external_address(service),
        joined([_port(port) for port in spec.ports]),
        age(service.metadata.creation_timestamp, now),
        labels_text(spec.selector),
    ]


def _external_address(service: core.Service) -> str:
    spec = service.spec
    if spec.type == "ExternalName":
        return or_none(spec.external_name)
    balanced = [each.ip or each.hostname for each in service.status.load_balancer.ingress]
    if spec.type == "LoadBalancer" and not balanced and not spec.external_ips:
        return "<pending>"
    return joined([*(balanced if spec.type == "LoadBalancer" else []), *spec.external_ips])


def _port(port: core.ServicePort) -> str:
    node_port = f":{port.node_port}" if port.node_port else ""
    return f"{port.port}{node_port}/{port.protocol}"


def _claim(claim: core.PersistentVolumeClaim, now: float) -> list[Cell]:
    spec, status = claim.spec, claim.status
    bound = bool(spec.volume_name)
    modes = [ACCESS_MODES.get(mode, mode) for mode in status.access_modes] if bound else []
    return [
        claim.metadata.name,
        "Terminating" if is_being_deleted(claim.metadata) else status.phase,
        spec.volume_name,
        status.capacity["storage"].string if bound and "storage" in status.capacity else "",
        ",".join(modes),
        spec.storage_class_name,
        age(claim.metadata.creation_timestamp, now),
        spec.volume_mode or "<unset>",
    ]


def _budget(budget: policy.PodDisruptionBudget, now: float) -> list[Cell]:
    spec = budget.spec
    least = str(int_or_string.to_plain(spec.min_available)) if spec.HasField("min_available") else "N/A"
    most = str(int_or_string.to_plain(spec.max_unavailable)) if spec.HasField("max_unavailable") else "N/A"
    created = budget.metadata.creation_timestamp
    return [budget.metadata.name, least, most, budget.status.disruptions_allowed, age(created, now)]


def _scale(scale: autoscaling.Scale, now: float) -> list[Cell]:
    created = scale.metadata.creation_timestamp
    return [scale.metadata.name, scale.spec.replicas, scale.status.replicas, age(created, now)]


SCALE = Layout((NAME, number("Desired"), number("Available"), AGE), _scale)
"""How the subresource scale is shown, which is no kind of its own."""

OTHERS: Mapping[Kind, Layout] = MappingProxyType(
    {
        kinds.NAMESPACE: Layout((NAME, text("Status"), AGE), _namespace),
        kinds.NODE: Layout(
            (
                NAME,
                text("Status"),
                text("Roles"),
                AGE,
                text("Version"),
                *wide("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"),
            ),
            _node,
        ),
        kinds.EVENT: Layout(
            (
                text("Last Seen"),
                text("Type"),
                text("Reason"),
                text("Object"),
                *wide("Subobject", "Source"),
                text("Message"),
                *wide("First Seen", "Count"),
                Column("Name", format="name", wide=True),
            ),
            _event,
        ),
        kinds.LEASE: Layout((NAME, text("Holder"), AGE), _lease),
        kinds.CONFIG_MAP: Layout((NAME, text("Data"), AGE), _config_map),
        kinds.SECRET: Layout((NAME, text("Type"), text("Data"), AGE), _secret),
        kinds.SERVICE_ACCOUNT: Layout((NAME, text("Secrets"), AGE), _service_account),
        kinds.SERVICE: Layout(
            (NAME, *map(text, ("Type", "Cluster-IP", "External-IP", "Port(s)")), AGE, *wide("Selector")), _service
        ),
        kinds.PERSISTENT_VOLUME_CLAIM: Layout(
            (
                NAME,
                *map(text, ("Status", "Volume", "Capacity", "Access Modes", "StorageClass")),
                AGE,
                *wide("VolumeMode"),
            ),
            _claim,
        ),
        kinds.POD_DISRUPTION_BUDGET: Layout(
            (NAME, text("Min Available"), text("Max Unavailable"), number("Allowed Disruptions"), AGE), _budget
        ),
    }
)
"""How nodes, events, configuration and the like are shown."""
