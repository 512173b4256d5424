"""From what files hold to a story: what must have been there is put there, and notes say what was assumed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.codec import Manifest
from rollplane_rehearsal.rehearse.assumed import assumed, told
from rollplane_rehearsal.rehearse.exported import Exported
from rollplane_rehearsal.rehearse.story import Change, Cluster, Story
from rollplane_rehearsal.scenario.scenario import Scenario


def prepare(
    scenario: Scenario,
    before: Exported,
    profile: Profile,
    *,
    changes: Sequence[Change] = (),
    left_out: Sequence[str] = (),
    nodes: int | tuple[NodePool, ...] = (),
) -> Story:
    """Return the story of ``scenario`` on what runs ``before``, after ``changes`` that are not among its steps.

    ``nodes`` are those asked for; without, it is those among what runs before, else the scenario's. ``left_out`` is
    told beside what was left out of what runs before.
    """
    stand_ins = assumed(before.manifests)
    return Story(
        title=scenario.name,
        before=joined([*stand_ins, *before.manifests]),
        changes=changes,
        cluster=Cluster(nodes or before.pools or scenario.nodes, profile, scenario.release),
        patience_seconds=scenario.patience,
        undo=scenario.undo and bool(before.manifests),
        script=scenario.steps,
        draws=scenario.draw,
        notes=tuple(_notes(stand_ins, (*before.left_out, *left_out))),
    )


def _notes(stand_ins: Iterable[Manifest], left_out: Iterable[str]) -> Iterator[str]:
    if names := told(stand_ins):
        yield f"assumed to be there, since what runs now refers to it: {', '.join(names)}"
    yield from (f"left out: {each}" for each in left_out)


def joined(manifests: Iterable[Manifest]) -> str:
    """Return the manifests as one JSON text, "" for none."""
    items = [manifest.written for manifest in manifests]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}) if items else ""
