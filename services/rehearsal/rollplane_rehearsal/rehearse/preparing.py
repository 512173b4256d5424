"""From what files hold to a story: what must have been there is put there, and notes say what was assumed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.codec import Manifest
from rollplane_machinery.errors import BadRequestError
from rollplane_rehearsal.rehearse.assumed import assumed, told
from rollplane_rehearsal.rehearse.exported import Exported, is_needed_by_others, read_exported
from rollplane_rehearsal.rehearse.story import Change, Cluster, Story
from rollplane_rehearsal.scenario.scenario import Scenario, profile_of


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
        before=joined(sorted([*stand_ins, *before.manifests], key=is_needed_by_others)),
        changes=changes,
        cluster=Cluster(nodes or before.pools or scenario.nodes, profile, scenario.release),
        patience_seconds=scenario.patience,
        undo=scenario.undo and bool(before.manifests),
        script=scenario.steps,
        draws=scenario.draw,
        notes=tuple(_notes(stand_ins, (*before.left_out, *left_out))),
    )


def whole(scenario: Scenario) -> Story:
    """Return the story of a scenario that names no files; raises BadRequestError or InvalidError for what is wrong."""
    before = read_exported([("manifests", listed(scenario.manifests))])
    steps = [with_objects(step, before) for step in scenario.steps]
    return prepare(replace(scenario, steps=steps), before, profile_of(scenario.profile, "profile"))


def with_objects(step: Any, before: Exported, namespace: str = "default") -> Any:
    """Return a step that applies a list of objects as it is carried out: with their manifests as text."""
    if not isinstance(step.get("apply"), list):
        return step
    return step | {"apply": to_apply([("apply", listed(step["apply"]))], before, namespace)}


def to_apply(texts: Sequence[tuple[str, str | bytes]], before: Exported, namespace: str) -> str:
    """Return what is applied while ``before`` runs, as one JSON text; raises BadRequestError as ``check_applied``."""
    applied = read_exported(texts, namespace, before.customs)
    check_applied(", ".join(source for source, _ in texts), applied, before)
    return joined(applied.manifests)


def check_applied(source: str, applied: Exported, before: Exported) -> None:
    """Raise BadRequestError when nothing is there to apply, or something that no server would take.

    A kind that nothing defines but that is among what runs already is defined somewhere, and is only left out.
    """
    if new := [told for message, told in applied.undefined.items() if message not in before.undefined]:
        told = "give its CustomResourceDefinition, with what runs before if it is there already"
        raise BadRequestError(f"{source}: a server would refuse {'; '.join(new)}; {told}")
    if not applied.manifests:
        raise BadRequestError(f"{source} holds nothing to apply")


def listed(items: Sequence[Any]) -> str:
    """Return objects as one JSON text."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)})


def _notes(stand_ins: Iterable[Manifest], left_out: Iterable[str]) -> Iterator[str]:
    if names := told(stand_ins):
        yield f"assumed to be there, since what runs now refers to it: {', '.join(names)}"
    yield from (f"left out: {each}" for each in left_out)


def joined(manifests: Iterable[Manifest]) -> str:
    """Return the manifests as one JSON text, "" for none."""
    items = [manifest.written for manifest in manifests]
    return listed(items) if items else ""
