"""Why the rollouts of a plane are where they are, in the words of ``rollplane why``."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane_machinery.api import ListQuery
from rollplane_machinery.kinds import ApiObject, kind_of
from rollplane_machinery.kinds import Workload as AnyWorkload
from rollplane_machinery.selectors import pod_selector_of
from rollplane_printing.diagnosis import Diagnosis, diagnose_workload
from rollplane_printing.scene import ALL, SELECTED
from rollplane_rehearsal.plane import Plane


async def diagnose(plane: Plane, workload: AnyWorkload) -> Diagnosis:
    """Return what the planner of ``workload`` says now of what it waits for; takes no time and writes nothing."""
    around = await _around(plane, workload)
    return diagnose_workload(workload, around, plane.clock.now(), plane.release)


async def _around(plane: Plane, workload: AnyWorkload) -> Sequence[ApiObject]:
    """Return everything that the workload's planner must see."""
    kind = kind_of(workload)
    namespace, selector = workload.metadata.namespace, str(pod_selector_of(workload))
    queries = [ListQuery(each, namespace, selector) for each in SELECTED[kind]]
    queries += [ListQuery(each, namespace if each.namespaced else "") for each in ALL.get(kind, ())]
    pages = [await plane.api.list(query) for query in queries]
    return [encoded.parse() for page in pages for encoded in page.objects]
