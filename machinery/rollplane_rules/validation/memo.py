"""Remembered defaulting and validation of pod specs.

A rollout writes the same pod spec over and over: in the Deployment, in its ReplicaSet, in every pod. The result of
defaulting, admission and validation depends on nothing but the spec and its role, so it is kept by the spec's bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from rollplane.core import v1 as core
from rollplane_machinery import qos
from rollplane_machinery.errors import Cause
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.pod_specs import Located, Role, pod_spec_of
from rollplane_rules.defaults import apply_outer_defaults, default_located_spec, set_initial_status
from rollplane_rules.validation.causes import under
from rollplane_rules.validation.pod_spec import check_pod_spec
from rollplane_rules.validation.rules import validate_outer, validate_outer_update


@dataclass(frozen=True, slots=True)
class _Entry:
    """What became of one spec: its defaulted bytes, what is wrong with it (paths relative to it), a pod's class."""

    spec: bytes
    causes: tuple[Cause, ...]
    qos_class: str


class PodSpecMemo:
    """Defaults, admits and validates objects, remembering the last ``capacity`` pod specs seen, in ``max_bytes``.

    The same results as from the plain functions, only sooner. Not for use by several threads at once.
    """

    def __init__(self, capacity: int = 1024, max_bytes: int = 16 * 1024 * 1024) -> None:
        self._capacity = capacity
        self._bytes_left = max_bytes
        self._entries: OrderedDict[tuple[Role, bytes], _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def complete(self, obj: ApiObject) -> list[Cause]:
        """Do to a new object what ``apply_defaults``, ``admit`` and ``validate_create`` do; return what is wrong."""
        apply_outer_defaults(obj)
        located = pod_spec_of(obj)
        if located is None:
            return validate_outer(obj)
        role = Role.NEW_POD if located.role is Role.POD else located.role
        entry = self._fill_in(located.spec, role)
        if isinstance(obj, core.Pod):
            set_initial_status(obj, entry.qos_class)
        return validate_outer(obj) + under(located.path, entry.causes)

    def apply_defaults(self, obj: ApiObject) -> None:
        """Do what ``apply_defaults`` does."""
        apply_outer_defaults(obj)
        if located := pod_spec_of(obj):
            self._fill_in(located.spec, located.role)

    def validate_update(self, new: ApiObject, old: ApiObject) -> list[Cause]:
        """Return what ``validate_update`` returns; ``new`` is defaulted already."""
        found = validate_outer(new, old.metadata)
        if located := pod_spec_of(new):
            found += self._causes(located)
        return found + validate_outer_update(new, old)

    def _causes(self, located: Located) -> list[Cause]:
        return under(located.path, self._fill_in(located.spec, located.role).causes)

    def _fill_in(self, spec: core.PodSpec, role: Role) -> _Entry:
        """Default ``spec`` in place and return what is known of it."""
        before = spec.SerializeToString(deterministic=True)
        entry = self._entries.get((role, before))
        if entry is None:
            return self._remember(spec, role, before)
        self._entries.move_to_end((role, before))
        if entry.spec != before:
            spec.Clear()
            spec.MergeFromString(entry.spec)
        return entry

    def _remember(self, spec: core.PodSpec, role: Role, before: bytes) -> _Entry:
        default_located_spec(spec, role)
        after = spec.SerializeToString(deterministic=True)
        qos_class = qos.qos_class(spec) if role is Role.NEW_POD else ""
        entry = _Entry(after, tuple(check_pod_spec(spec, role)), qos_class)
        for key in dict.fromkeys(((role, before), (role, after))):
            self._entries[key] = entry
            self._bytes_left -= len(key[1]) + len(after)
        while self._entries and (len(self._entries) > self._capacity or self._bytes_left < 0):
            (_, oldest), kept = self._entries.popitem(last=False)
            self._bytes_left += len(oldest) + len(kept.spec)
        return entry
