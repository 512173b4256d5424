"""A file of nodes: ``pools`` of our own, or a real cluster's as ``kubectl get nodes -o yaml`` (or json) shows them.

Of a real node its name, labels, taints, capacity, allocatable and whether it is cordoned count; all else is its
cluster's business, and so are the taints that its control plane puts there and takes away by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rollplane_kubelet_sim.node_pools.pools import NodePool, Taint
from rollplane_kubelet_sim.node_pools.reading import EFFECTS, PoolReader
from rollplane_machinery.codec.text import Fault, read_documents

_LISTS = ("List", "NodeList")
_LIFECYCLE = "node.kubernetes.io/"
"""Taints that say how a node is: the control plane has them come and go."""


def parse_node_file(text: str | bytes, source: str) -> tuple[NodePool, ...]:
    """Return the pools of a file, each node of a cluster one of its own.

    ``source`` names the file in complaints. Raises InvalidError naming every field that is wrong.
    """
    reader = _FileReader()
    pools: list[NodePool] = []
    for document in read_documents(text):
        if isinstance(document, Fault):
            reader.refuse(f"line {document.line}", document.message)
        elif document.value is not None:
            pools += reader.document(document.value)
    if not pools and not reader.causes:
        reader.refuse("", "holds no nodes: want pools, or what kubectl get nodes -o yaml shows")
    reader.raise_for(source)
    return tuple(pools)


class _FileReader(PoolReader):
    """Reads documents of both sorts."""

    def document(self, data: object) -> Sequence[NodePool]:
        if isinstance(data, Mapping) and "kind" in data:
            return tuple(self._nodes(data, ""))
        read = self.mapping(data, "", {"pools": self._pools})
        return tuple(read.get("pools", ()))

    def _pools(self, data: object, path: str) -> Sequence[NodePool]:
        if not isinstance(data, list):
            self.refuse(path, "must be a list of pools")
            return ()
        return [self.pool(each, f"{path}[{place}]") for place, each in enumerate(data)]

    def _nodes(self, data: Mapping[str, Any], path: str) -> Iterator[NodePool]:
        kind, items = data.get("kind"), data.get("items")
        if kind in _LISTS and isinstance(items, list):
            for place, item in enumerate(items):
                yield from self._nodes(_mapping(item), f"{path}items[{place}].")
        elif kind == "Node":
            yield self._node(data, path)
        else:
            self.refuse(f"{path}kind", f"is {kind!r}, want Node or a list of them")

    def _node(self, data: Mapping[str, Any], path: str) -> NodePool:
        metadata, spec, status = (_mapping(data.get(part)) for part in ("metadata", "spec", "status"))
        name = self.text(metadata.get("name"), f"{path}metadata.name")
        capacity = self.amounts(_mapping(status.get("capacity")), f"{path}status.capacity")
        return NodePool(
            count=1,
            exact=name,
            labels=self.checked_labels(_mapping(metadata.get("labels")), f"{path}metadata.labels"),
            taints=tuple(self._node_taints(spec.get("taints") or [], f"{path}spec.taints")),
            capacity=capacity,
            allocatable=self.amounts(_mapping(status.get("allocatable")), f"{path}status.allocatable"),
            unschedulable=spec.get("unschedulable") is True,
        )

    def _node_taints(self, data: Sequence[Any], path: str) -> Iterator[Taint]:
        for place, each in enumerate(data):
            taint = _mapping(each)
            key, effect = str(taint.get("key", "")), taint.get("effect")
            if effect not in EFFECTS:
                self.refuse(f"{path}[{place}].effect", f"is {effect!r}, want {', '.join(EFFECTS)}")
            elif not key.startswith(_LIFECYCLE):
                yield Taint(key, str(taint.get("value", "")), str(effect))


def _mapping(data: object) -> Mapping[str, Any]:
    return data if isinstance(data, Mapping) else {}
