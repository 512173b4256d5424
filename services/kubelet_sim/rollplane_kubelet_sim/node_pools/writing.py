"""Pools as files have them, and of a single node the Node that ``kubectl get nodes -o json`` shows."""

from __future__ import annotations

from typing import Any

from rollplane_kubelet_sim.node_pools.pools import NodePool, Taint


def pool_document(pool: NodePool) -> dict[str, Any]:
    """Return the fields of a pool that is not that of an ``exact`` node; what is as usual is left out."""
    fields: dict[str, Any] = {
        "name": pool.name,
        "count": pool.count,
        "zone": list(pool.zones),
        "region": pool.region,
        "type": pool.instance_type,
        "role": list(pool.roles),
        "label": dict(pool.labels),
        "taint": [_written(taint) for taint in pool.taints],
        "resource": dict(pool.capacity),
        "allocatable": dict(pool.allocatable),
        "unschedulable": pool.unschedulable,
    }
    return {name: value for name, value in fields.items() if value}


def node_document(pool: NodePool) -> dict[str, Any]:
    """Return the Node that a pool of one ``exact`` node was read from, as far as it counts."""
    spec: dict[str, Any] = {"unschedulable": True} if pool.unschedulable else {}
    if pool.taints:
        spec["taints"] = [{"key": each.key, "value": each.value, "effect": each.effect} for each in pool.taints]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": pool.exact, "labels": dict(pool.labels)},
        "spec": spec,
        "status": {"capacity": dict(pool.capacity), "allocatable": dict(pool.allocatable)},
    }


def _written(taint: Taint) -> str:
    return f"{taint.key}={taint.value}:{taint.effect}" if taint.value else f"{taint.key}:{taint.effect}"
