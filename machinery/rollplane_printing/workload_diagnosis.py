"""Why a workload of any kind is where it is, and which objects one must see to tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeGuard

from rollplane.apps.v1 import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import Pod
from rollplane_machinery import kinds
from rollplane_machinery.kinds import ApiObject, Kind, Workload
from rollplane_printing.daemon_set_diagnosis import diagnose_daemon_set
from rollplane_printing.daemon_set_view import daemon_set_view
from rollplane_printing.diagnosis import diagnose
from rollplane_printing.findings import Diagnosis
from rollplane_printing.replicas_diagnosis import diagnose_replicas, replicas_view
from rollplane_printing.rollout_view import view_of
from rollplane_printing.stateful_set_diagnosis import diagnose_stateful_set
from rollplane_printing.stateful_set_view import stateful_set_view

SEEN_WITH: Mapping[Kind, tuple[Kind, ...]] = MappingProxyType(
    {
        kinds.DEPLOYMENT: (kinds.REPLICA_SET, kinds.POD),
        kinds.STATEFUL_SET: (kinds.POD,),
        kinds.DAEMON_SET: (kinds.CONTROLLER_REVISION, kinds.POD),
        kinds.REPLICA_SET: (kinds.POD,),
        kinds.REPLICATION_CONTROLLER: (kinds.POD,),
    }
)
"""For each kind of workload the kinds of which its selector chooses what is to be seen."""


def is_workload(message: ApiObject) -> TypeGuard[Workload]:
    """Return whether there is anything to diagnose."""
    return isinstance(message, Workload)


def diagnose_workload(workload: Workload, around: Iterable[ApiObject], now: float) -> Diagnosis:
    """Return why ``workload`` is where it is as of ``now`` (seconds since the epoch).

    ``around`` holds objects of the kinds in SEEN_WITH, foreign ones among them.
    """
    objects = list(around)
    pods = [each for each in objects if isinstance(each, Pod)]
    match workload:
        case Deployment():
            sets = [each for each in objects if isinstance(each, ReplicaSet)]
            return diagnose(view_of(workload, sets, pods), now)
        case StatefulSet():
            return diagnose_stateful_set(stateful_set_view(workload, pods), now)
        case DaemonSet():
            revisions = [each for each in objects if isinstance(each, ControllerRevision)]
            return diagnose_daemon_set(daemon_set_view(workload, revisions, pods), now)
        case _:
            return diagnose_replicas(replicas_view(workload, pods, now))
