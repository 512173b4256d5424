"""The cluster-scoped kinds, Namespace and Node."""

from __future__ import annotations

import ipaddress

from rollplane.core import v1 as core
from rollplane_machinery import names
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import duplicate, forbidden, invalid, problems, required, under
from rollplane_rules.validation.labels import check_effect
from rollplane_rules.validation.object_meta import check_finalizer
from rollplane_rules.validation.resources import check_amounts


def check_namespace(namespace: core.Namespace) -> list[Cause]:
    """Return what is wrong with a Namespace, metadata aside."""
    return [cause for finalizer in namespace.spec.finalizers for cause in check_finalizer("spec.finalizers", finalizer)]


def check_node(node: core.Node) -> list[Cause]:
    """Return what is wrong with a Node, metadata aside."""
    return under("spec", _check_taints(node.spec) + _check_ranges(node.spec)) + under("status", _check_amounts(node))


def _check_taints(spec: core.NodeSpec) -> list[Cause]:
    found: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(spec.taints):
        causes = _check_taint(taint)
        key = (taint.key, taint.effect)
        if key in seen:
            causes.append(duplicate("", ":".join(key)))
        seen.add(key)
        found += under(f"taints[{index}]", causes)
    return found


def _check_taint(taint: core.Taint) -> list[Cause]:
    found = problems("key", taint.key, names.check_qualified_name(taint.key))
    found += problems("value", taint.value, names.check_label_value(taint.value))
    return found + check_effect(taint.effect, optional=False)


def _check_ranges(spec: core.NodeSpec) -> list[Cause]:
    found: list[Cause] = []
    for index, cidr in enumerate(spec.pod_cidrs):
        try:
            ipaddress.ip_network(cidr, strict=False)
        except ValueError:
            found.append(invalid(f"podCIDRs[{index}]", cidr, "give an address range, as in 10.0.0.0/24"))
    return found


def _check_amounts(node: core.Node) -> list[Cause]:
    status = node.status
    return check_amounts("capacity", status.capacity) + check_amounts("allocatable", status.allocatable)


def check_node_update(new: core.Node, old: core.Node) -> list[Cause]:
    """Return what an update may not change: address ranges and provider id, once they are set."""
    found: list[Cause] = []
    if old.spec.pod_cidrs and list(new.spec.pod_cidrs) != list(old.spec.pod_cidrs):
        found.append(forbidden("podCIDRs", "they are set once: keep them"))
    if old.spec.provider_id and new.spec.provider_id != old.spec.provider_id:
        found.append(forbidden("providerID", "it is set once: keep it"))
    return under("spec", found)


def check_node_status(new: core.Node, _old: core.Node) -> list[Cause]:
    """Return what is wrong with a status."""
    found = _check_amounts(new)
    for index, condition in enumerate(new.status.conditions):
        if not condition.type:
            found.append(required(f"conditions[{index}].type", "name the condition"))
    return under("status", found)
