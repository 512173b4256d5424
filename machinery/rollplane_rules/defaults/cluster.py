"""Defaults of the cluster-scoped kinds, Namespace and Node."""

from __future__ import annotations

from rollplane.core import v1 as core

NAME_LABEL = "kubernetes.io/metadata.name"


def default_namespace(namespace: core.Namespace) -> None:
    """Fill in ``namespace`` in place: its phase, and the label by which selectors find it by name."""
    if not namespace.status.phase:
        namespace.status.phase = "Active"
    if namespace.metadata.name:
        namespace.metadata.labels[NAME_LABEL] = namespace.metadata.name


def default_node(node: core.Node) -> None:
    """Fill in ``node`` in place: all it has can be used, and its address range is also the first of the list."""
    if not node.status.allocatable:
        for resource, amount in node.status.capacity.items():
            node.status.allocatable[resource].CopyFrom(amount)
    spec = node.spec
    if spec.pod_cidr and not spec.pod_cidrs:
        spec.pod_cidrs.append(spec.pod_cidr)
    elif spec.pod_cidrs and not spec.pod_cidr:
        spec.pod_cidr = spec.pod_cidrs[0]
