"""Fields that a release does not know: it drops them when an object is written, as an apiserver does whose gate is off.

An update keeps what the stored object has already. Source: kubernetes/kubernetes pkg/api/pod/util.go,
dropDisabledFields; docs/semantics/releases.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from google.protobuf.message import Message

from rollplane.core.v1 import PodAffinityTerm, PodSpec
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.pod_specs import pod_spec_of
from rollplane_machinery.releases import Release

Parts = Callable[[PodSpec], Iterable[Message]]
_NONE = PodSpec()


@dataclass(frozen=True, slots=True)
class _Gate:
    """What a switch of the release lets through: ``fields`` of each of the parts of a pod spec that ``of`` yields."""

    switch: Callable[[Release], bool]
    of: Parts
    fields: tuple[str, ...]

    def drop(self, spec: PodSpec, before: PodSpec) -> None:
        """Take the fields out of ``spec``, unless any of them is used in ``before``."""
        if any(_has(part, field) for part in self.of(before) for field in self.fields):
            return
        for part in self.of(spec):
            for field in self.fields:
                part.ClearField(field)


def _has(part: Message, field: str) -> bool:
    return any(descriptor.name == field for descriptor, _ in part.ListFields())


def _whole(spec: PodSpec) -> Iterable[PodSpec]:
    return (spec,)


def affinity_terms(spec: PodSpec) -> Iterator[PodAffinityTerm]:
    """Yield all terms of pod affinity and anti-affinity."""
    for affinity in (spec.affinity.pod_affinity, spec.affinity.pod_anti_affinity):
        yield from affinity.required_during_scheduling_ignored_during_execution
        for one in affinity.preferred_during_scheduling_ignored_during_execution:
            yield one.pod_affinity_term


_INITS: Parts = attrgetter("init_containers")
_SPREADS: Parts = attrgetter("topology_spread_constraints")
_GATES = (
    _Gate(attrgetter("scheduling_gates"), _whole, ("scheduling_gates",)),
    _Gate(attrgetter("sidecars"), _INITS, ("restart_policy",)),
    _Gate(attrgetter("namespace_selectors"), affinity_terms, ("namespace_selector",)),
    _Gate(attrgetter("affinity_by_label_keys"), affinity_terms, ("match_label_keys", "mismatch_label_keys")),
    _Gate(attrgetter("node_inclusion_policies"), _SPREADS, ("node_affinity_policy", "node_taints_policy")),
    _Gate(attrgetter("min_domains"), _SPREADS, ("min_domains",)),
    _Gate(attrgetter("spread_by_label_keys"), _SPREADS, ("match_label_keys",)),
    _Gate(attrgetter("pod_level_resources"), _whole, ("resources",)),
)


@lru_cache
def _closed(release: Release) -> tuple[_Gate, ...]:
    return tuple(gate for gate in _GATES if not gate.switch(release))


def drop_disabled_fields(new: ApiObject, old: ApiObject | None, release: Release) -> None:
    """Take out of ``new``, in place, what ``release`` does not know and ``old``, if any, does not have."""
    gates = _closed(release)
    located = pod_spec_of(new) if gates else None
    if located is None:
        return
    former = pod_spec_of(old) if old is not None else None
    for gate in gates:
        gate.drop(located.spec, former.spec if former is not None else _NONE)
