"""Whether steps name what can be there: a slip is told before the start, and is no answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from rollplane_machinery.errors import BadRequestError
from rollplane_rehearsal.scenario.acting import told
from rollplane_rehearsal.scenario.steps import Step
from rollplane_rehearsal.scenario.words import is_meant

_OF_WORKLOADS = frozenset({"set image", "patch", "scale", "pause", "resume", "restart", "undo", "delete pods"})
_OF_NODES = frozenset({"drain", "uncordon", "silence", "unready", "restart kubelet"})
FEW = 5
"""Of how many names it is told what is there."""


def check_names(steps: Sequence[Step], workloads: Iterable[str], nodes: Iterable[str]) -> None:
    """Raise BadRequestError for the first step that names a workload or a node that there never is.

    ``workloads`` are ``kind/namespace/name`` of all that ever runs, ``nodes`` the names of nodes.
    """
    there, fleet = sorted(workloads), list(nodes)
    for number, step in enumerate(steps, 1):
        for called in _workloads_of(step):
            if not any(is_meant(called, name) for name in there):
                raise _missing(number, step, f'workload called "{called}"', there)
        if step.action in _OF_NODES and not any(fnmatchcase(name, step.value) for name in fleet):
            raise _missing(number, step, f'node called "{step.value}"', fleet)


def _workloads_of(step: Step) -> Iterator[str]:
    if step.when is not None:
        yield step.when.workload
    if step.action in _OF_WORKLOADS:
        yield step.value if isinstance(step.value, str) else step.value[0]


def _missing(number: int, step: Step, what: str, there: Sequence[str]) -> BadRequestError:
    more = f" and {len(there) - FEW} more" if len(there) > FEW else ""
    known = ", ".join(there[:FEW]) or "none"
    return BadRequestError(f"step {number} ({told(step)}): there is never a {what}; there is {known}{more}")
