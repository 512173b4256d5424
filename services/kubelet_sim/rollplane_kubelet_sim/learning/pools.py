"""Which nodes are alike: pools by the label that providers and operators give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rollplane_kubelet_sim.learning.documents import Document

POOL_LABELS = (
    "cloud.google.com/gke-nodepool",
    "eks.amazonaws.com/nodegroup",
    "kubernetes.azure.com/agentpool",
    "karpenter.sh/nodepool",
    "alpha.eksctl.io/nodegroup-name",
    "doks.digitalocean.com/node-pool",
    "node.kubernetes.io/instance-type",
)
"""In the order in which they are looked for; the first that any node bears counts."""


def pools(nodes: Iterable[Document], label: str = "") -> dict[str, str]:
    """Return the pool of each node by its name, by ``label`` or the first of POOL_LABELS that a node bears."""
    labels = {
        str(metadata.get("name")): metadata.get("labels") or {}
        for node in nodes
        if isinstance(metadata := node.get("metadata"), Mapping)
    }
    chosen = label or next((each for each in POOL_LABELS if any(each in own for own in labels.values())), "")
    return {name: str(own[chosen]) for name, own in labels.items() if chosen in own}


def patterns(pool: str, pools: Mapping[str, str]) -> Sequence[str]:
    """Return what matches the nodes of ``pool`` and no others: their common beginning, or else their names."""
    inside = sorted(name for name, own in pools.items() if own == pool)
    outside = [name for name in pools if pools[name] != pool]
    start = _common_start(inside)
    if len(inside) > 1 and start and not any(name.startswith(start) for name in outside):
        return [f"{start}*"]
    return inside


def _common_start(names: Sequence[str]) -> str:
    first, last = names[0], names[-1]  # in order: what these two share, all do
    return first[: next((at for at, pair in enumerate(zip(first, last, strict=False)) if len({*pair}) > 1), len(first))]
