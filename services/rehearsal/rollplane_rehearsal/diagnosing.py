"""Why the rollouts of a plane are where they are, in the words of ``rollplane why``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollplane_machinery.kinds import ApiObject, Kind, kind_of
from rollplane_machinery.kinds import Workload as AnyWorkload
from rollplane_machinery.selectors import pod_selector_of
from rollplane_printing.diagnosis import Diagnosis, diagnose_workload
from rollplane_printing.scene import ALL, SELECTED
from rollplane_rehearsal.plane import Plane
from rollplane_rehearsal.rollouts import KINDS, Workload


def workloads(plane: Plane) -> list[Workload]:
    """Return all workloads as they are now, by kind, namespace and name; takes no turn of the loop."""
    return [each for kind in KINDS for each in _held(plane, kind) if isinstance(each, Workload)]


def diagnose(plane: Plane, workload: AnyWorkload) -> Diagnosis:
    """Return what the planner of ``workload`` says now of what it waits for.

    Who looks on changes nothing, not even whose turn it is: a plane that is looked at lives as it would alone.
    """
    return diagnose_workload(workload, _around(plane, workload), plane.clock.now(), plane.release)


def _around(plane: Plane, workload: AnyWorkload) -> Sequence[ApiObject]:
    """Return everything that the workload's planner must see."""
    owner, namespace = kind_of(workload), workload.metadata.namespace
    selects = pod_selector_of(workload).matches
    chosen = (each for kind in SELECTED[owner] for each in _held(plane, kind, namespace))
    others = (each for kind in ALL.get(owner, ()) for each in _held(plane, kind, namespace))
    return [*(each for each in chosen if selects(each.metadata.labels)), *others]


def _held(plane: Plane, kind: Kind, namespace: str = "") -> Iterator[ApiObject]:
    """Yield the objects of a kind, of one namespace if it has any: read from the store, which waits for nobody."""
    within = f"{namespace}/" if namespace and kind.namespaced else ""
    return (kind.parse(each.value) for each in plane.store.held(kind.resource) if each.key.startswith(within))
