"""A story as a scenario file that holds everything itself: what ``whole`` reads back is the same story."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_kubelet_sim.node_pools.writing import node_document, pool_document
from rollplane_machinery.errors import BadRequestError
from rollplane_rehearsal.rehearse.story import Apply, Change, SetImage, Story
from rollplane_rehearsal.scenario.drawing import drawn, filled

WIDTH = 120


def document_of(story: Story, profile: str | Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return ``story`` as one seed goes it: changes become steps, and what is drawn is filled in.

    ``profile`` is that of the story as it is written. Raises BadRequestError for nodes of both sorts, since a file has
    either.
    """
    manifests = _items(story.before)
    nodes = story.cluster.nodes
    pools = () if isinstance(nodes, int) else nodes
    exact = [each for each in pools if each.exact]
    if exact and len(exact) < len(pools):
        raise BadRequestError("a scenario has nodes of a cluster or pools, not both")
    values = drawn(story.draws, seed)
    document = {
        "name": story.title,
        "nodes": _nodes(nodes),
        "profile": profile,
        "release": story.cluster.release,
        "seed": seed,
        "patience": story.patience_seconds,
        "undo": story.undo,
        "manifests": [*manifests, *map(node_document, exact)],
        "steps": [*map(_step, story.changes), *(_written(filled(step, values)) for step in story.script)],
    }
    return {name: value for name, value in document.items() if value not in ("", None)}


def _nodes(nodes: int | Sequence[NodePool]) -> Any:
    if isinstance(nodes, int):
        return nodes
    return None if any(each.exact for each in nodes) else [pool_document(each) for each in nodes]


def _items(manifests: str) -> list[Any]:
    return list(json.loads(manifests)["items"]) if manifests else []


def _step(change: Change) -> dict[str, Any]:
    if isinstance(change, Apply):
        return {"apply": _items(change.manifests)}
    if isinstance(change, SetImage):
        ((container, image),) = change.images.items()
        if container == "*":
            return {"set image": f"{change.workload}={image}"}
        return {"set image": {"workload": change.workload, "container": container, "image": image}}
    return {"patch": {"workload": change.workload, "patch": json.loads(change.patch)}}


def _written(step: Any) -> Any:
    return step | {"apply": _items(step["apply"])} if "apply" in step else step


def scenario_text(document: Mapping[str, Any]) -> str:
    """Return a document as YAML."""
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


class _Dumper(yaml.SafeDumper):
    """Without anchors: what is twice in a document is written twice."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True
