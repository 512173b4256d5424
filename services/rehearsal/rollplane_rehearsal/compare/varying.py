"""A story with other values: in what runs before, in what is applied later, and of the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from copy import deepcopy
from dataclasses import replace
from typing import Any

from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.codec import read_manifests
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.releases import LATEST, MaxUnavailable, release_of
from rollplane_rehearsal.compare.axes import CLUSTER, FIELDS, NODES, PROFILE, RELEASE, Axis, Step, is_path, steps_of
from rollplane_rehearsal.manifests import defined_in
from rollplane_rehearsal.rehearse.story import Apply, Change, Cluster, Story
from rollplane_rehearsal.scenario.words import is_meant

FEW = 3
"""Of how many workloads it is told what may be varied."""


def vary(story: Story, axes: Sequence[Axis], values: Sequence[Any], profiles: Mapping[str, Profile]) -> Story:
    """Return ``story`` in which each of ``axes`` has its value; ``profiles`` are those that are varied, by name.

    Raises InvalidError for a field that no object has, or a value that is none of its kind; what only a server
    refuses is left to it. What its release ignores is noted.
    """
    varied = _Varied(list(zip(axes, values, strict=True)))
    changed = replace(
        story,
        before=varied.text(story.before),
        changes=[varied.change(each) for each in story.changes],
        script=[varied.step(each) for each in story.script],
        cluster=_cluster(story.cluster, dict(zip((axis.name for axis in axes), values, strict=True)), profiles),
    )
    varied.check()
    return replace(changed, notes=(*story.notes, *varied.ignored(changed.cluster.release)))


def _cluster(cluster: Cluster, chosen: Mapping[str, Any], profiles: Mapping[str, Profile]) -> Cluster:
    return Cluster(
        chosen.get(NODES, cluster.nodes),
        profiles[chosen[PROFILE]] if PROFILE in chosen else cluster.profile,
        chosen.get(RELEASE, cluster.release),
    )


class _Varied:
    """Puts values into manifests; remembers which objects there were and which axes found one."""

    def __init__(self, chosen: Sequence[tuple[Axis, Any]]) -> None:
        self._chosen = [(axis, value) for axis, value in chosen if axis.name not in CLUSTER]
        self._found: set[str] = set()
        self._names: dict[str, None] = {}
        self._max_unavailable: dict[str, None] = {}

    def text(self, manifests: str) -> str:
        if not manifests:
            return ""
        items = json.loads(manifests)["items"]
        customs = defined_in([manifests])
        varied = [self._object(item, customs) for item in items]
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": varied})

    def change(self, change: Change) -> Change:
        return Apply(self.text(change.manifests)) if isinstance(change, Apply) else change

    def step(self, step: Any) -> Any:
        return step | {"apply": self.text(step["apply"])} if "apply" in step else step

    def check(self) -> None:
        """Raise InvalidError for an axis that no object has."""
        for axis, _ in self._chosen:
            if axis.name not in self._found:
                raise InvalidError(f"{_nowhere(axis, list(self._names))}; {_may_be_varied(list(self._names))}")

    def ignored(self, name: str) -> Iterator[str]:
        """Tell of the fields varied that do nothing in the release of that name."""
        release = release_of(name) if name else LATEST
        if release.max_unavailable is MaxUnavailable.IGNORED:
            told = f"release {release.name} ignores maxUnavailable: {release.max_unavailable.value}"
            yield from (f"{each}: {told}" for each in self._max_unavailable)

    def _object(self, item: Mapping[str, Any], customs: Any) -> Any:
        name = _full_name(item)
        kind = name.partition("/")[0]
        if kind in FIELDS:
            self._names[name] = None
        varied: Any = item
        for axis, value in self._chosen:
            meant = is_meant(axis.target, name) if axis.target else kind in FIELDS
            steps = axis.paths(kind) if meant else None
            if steps is not None:
                varied = _with(varied, steps, value, axis, name)
                self._found.add(axis.name)
                if kind == "statefulset" and steps == steps_of(FIELDS[kind]["maxUnavailable"]):
                    self._max_unavailable[name] = None
                _check_reading(item, varied, customs, axis, name)
        return varied


def _full_name(item: Mapping[str, Any]) -> str:
    metadata = item.get("metadata") or {}
    return f"{str(item.get('kind')).lower()}/{metadata.get('namespace', 'default')}/{metadata.get('name', '')}"


def _with(item: Mapping[str, Any], steps: Sequence[Step], value: Any, axis: Axis, name: str) -> Any:
    """Return a copy of an object with ``value`` at the end of ``steps``; mappings that are missing are made."""
    copy = deepcopy(item)
    at: Any = copy
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        key = _key(at, step)
        if key is None:
            raise InvalidError(f'{axis.name}: {name} has no "{step}" on that way')
        if following is None:
            at[key] = value
        else:
            if isinstance(at, dict) and at.get(key) is None:
                at[key] = {}
            at = at[key]
    return copy


def _key(at: Any, step: Step) -> Any:
    """Return the key of a step in a mapping, or the place in a list by number or by name; None for none."""
    if isinstance(at, dict):
        return step
    if not isinstance(at, list):
        return None
    if step.isdigit():
        return int(step) if int(step) < len(at) else None
    return next((place for place, each in enumerate(at) if isinstance(each, dict) and each.get("name") == step), None)


def _check_reading(before: Any, varied: Any, customs: Any, axis: Axis, name: str) -> None:
    """Raise InvalidError when a strict reader finds faults that are not the object's own."""
    if new := sorted(_faults(varied, customs) - _faults(before, customs)):
        raise InvalidError(f"{axis.name}: {name}: {'; '.join(new)}")


def _faults(item: Any, customs: Any) -> Set[str]:
    loaded = read_manifests(json.dumps(item), customs=customs)
    return {f"{each.field}: {each.message}" for each in loaded.problems}


def _nowhere(axis: Axis, names: Sequence[str]) -> str:
    if axis.target:
        return f"{axis.name}: there is no {axis.target} that has it"
    kinds = [kind for kind, fields in FIELDS.items() if axis.field in fields]
    if kinds:
        return f"{axis.field} is a field of {' and '.join(kinds)}, and none of those is here"
    what = "path in any object here" if is_path(axis.field) else "field that can be varied"
    return f'"{axis.field}" is no {what}'


def _may_be_varied(names: Sequence[str]) -> str:
    fields = [(f"of {name}", FIELDS[name.partition("/")[0]]) for name in names[:FEW]]
    told = "; ".join(f"{whose} {', '.join(each)}" for whose, each in [*fields, ("of the cluster", CLUSTER)])
    return f"varied may be {told}; and any path, such as spec.template.spec.priorityClassName"
