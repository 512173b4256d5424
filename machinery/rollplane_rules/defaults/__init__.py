"""Defaulting: what a field means when a client leaves it out, written into the object.

``apply_defaults`` is for storage versions and every write; ``admit`` adds what Kubernetes' admission plugins add to a
new Pod. What older API versions default otherwise is written out by the codec's conversion, before.
All work in place and are idempotent. A string counts as left out when it is empty, as in Kubernetes; a number or flag
that Kubernetes holds by pointer only when it is not set, so that an explicit zero stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.pod_specs import Role, pod_spec_of
from rollplane_rules.defaults.admission import admit as admit
from rollplane_rules.defaults.admission import admit_pod_spec
from rollplane_rules.defaults.admission import set_initial_status as set_initial_status
from rollplane_rules.defaults.claim import default_claim
from rollplane_rules.defaults.cluster import default_namespace, default_node
from rollplane_rules.defaults.config import default_secret
from rollplane_rules.defaults.daemon_set import default_daemon_set
from rollplane_rules.defaults.deployment import default_deployment
from rollplane_rules.defaults.pod_spec import default_pod_spec as default_pod_spec
from rollplane_rules.defaults.replica_set import default_replica_set, default_replication_controller
from rollplane_rules.defaults.service import default_service
from rollplane_rules.defaults.stateful_set import default_stateful_set
from rollplane_rules.defaults.stored import default_stored

# Beside pod specs. Kinds that are not here are stored as they come: ConfigMap, ControllerRevision, Event, Lease,
# PodDisruptionBudget and ServiceAccount.
_DEFAULTERS: Mapping[type, Callable[[Any], None]] = MappingProxyType(
    {
        core.Namespace: default_namespace,
        core.Node: default_node,
        core.ReplicationController: default_replication_controller,
        core.Secret: default_secret,
        core.Service: default_service,
        core.PersistentVolumeClaim: default_claim,
        apps.Deployment: default_deployment,
        apps.ReplicaSet: default_replica_set,
        apps.StatefulSet: default_stateful_set,
        apps.DaemonSet: default_daemon_set,
        StoredObject: default_stored,
    }
)


def apply_defaults(obj: ApiObject) -> None:
    """Fill in ``obj`` in place what its kind defaults in its storage version; twice is the same as once."""
    apply_outer_defaults(obj)
    if located := pod_spec_of(obj):
        default_located_spec(located.spec, located.role)


def apply_outer_defaults(obj: ApiObject) -> None:
    """Fill in all but the pod spec that ``obj`` may have."""
    defaulter = _DEFAULTERS.get(type(obj))
    if defaulter is not None:
        defaulter(obj)


def default_located_spec(spec: core.PodSpec, role: Role) -> None:
    """Fill in a pod spec in place as its ``role`` wants it; a new pod's also with what admission adds."""
    default_pod_spec(spec, of_object=role is Role.POD or role is Role.NEW_POD)
    if role is Role.NEW_POD:
        admit_pod_spec(spec)
