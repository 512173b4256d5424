"""Which rules each kind is under; the pod spec inside an object is checked apart, so that it can be remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from rollplane.apps import v1 as apps
from rollplane.coordination import v1 as coordination
from rollplane.core import v1 as core
from rollplane.meta.v1 import ObjectMeta
from rollplane.policy import v1 as policy
from rollplane_machinery import names
from rollplane_machinery.errors import Cause
from rollplane_machinery.kinds import (
    CUSTOM_RESOURCE_DEFINITION,
    LIMIT_RANGE,
    PRIORITY_CLASS,
    RESOURCE_QUOTA,
    ApiObject,
    Kind,
    kind_of,
)
from rollplane_rules.validation import claim as claims
from rollplane_rules.validation import (
    cluster,
    config,
    daemon_set,
    deployment,
    limits,
    pod,
    priority_class,
    records,
    replica_set,
)
from rollplane_rules.validation import service as services
from rollplane_rules.validation import stateful_set as stateful_sets
from rollplane_rules.validation.causes import under
from rollplane_rules.validation.object_meta import NameCheck, check_metadata, check_metadata_update

_NOTHING_STORED = ObjectMeta()


def _nothing(_obj: Any) -> list[Cause]:
    return []


def _anything(_new: Any, _old: Any) -> list[Cause]:
    return []


@dataclass(frozen=True, slots=True)
class Rules:
    """How objects of one kind are checked, metadata and pod spec aside."""

    check: Callable[[Any], list[Cause]] = _nothing
    check_update: Callable[[Any, Any], list[Cause]] = _anything
    check_status: Callable[[Any, Any], list[Cause]] = _anything
    check_name: NameCheck = names.check_dns1123_subdomain
    namespaced: bool = True
    plain_finalizers: bool = False


_RULES: Mapping[type, Rules] = MappingProxyType(
    {
        core.Namespace: Rules(cluster.check_namespace, check_name=names.check_dns1123_label, namespaced=False),
        core.Node: Rules(cluster.check_node, cluster.check_node_update, cluster.check_node_status, namespaced=False),
        core.Pod: Rules(pod.check_pod, pod.check_pod_update, pod.check_pod_status),
        core.ReplicationController: Rules(
            replica_set.check_controller, check_status=replica_set.check_controller_status
        ),
        core.Event: Rules(records.check_event),
        core.ConfigMap: Rules(config.check_config_map, config.check_config_map_update),
        core.Secret: Rules(config.check_secret, config.check_secret_update),
        core.Service: Rules(
            services.check_service, services.check_service_update, check_name=names.check_dns1035_label
        ),
        core.ServiceAccount: Rules(),
        core.PersistentVolumeClaim: Rules(claims.check_claim, claims.check_claim_update),
        apps.Deployment: Rules(
            deployment.check_deployment, deployment.check_deployment_update, deployment.check_deployment_status
        ),
        apps.ReplicaSet: Rules(
            replica_set.check_replica_set, replica_set.check_replica_set_update, replica_set.check_replica_set_status
        ),
        apps.StatefulSet: Rules(
            stateful_sets.check_stateful_set,
            stateful_sets.check_stateful_set_update,
            stateful_sets.check_stateful_set_status,
        ),
        apps.DaemonSet: Rules(
            daemon_set.check_daemon_set, daemon_set.check_daemon_set_update, daemon_set.check_daemon_set_status
        ),
        apps.ControllerRevision: Rules(records.check_revision, records.check_revision_update),
        coordination.Lease: Rules(records.check_lease),
        policy.PodDisruptionBudget: Rules(records.check_budget, check_status=records.check_budget_status),
    }
)


_PATH_SEGMENT_NAMES = frozenset({"clusterroles", "clusterrolebindings", "roles", "rolebindings"})
"""Plurals of the kinds whose names need only fit into a path."""
_READ: Mapping[Kind, Rules] = MappingProxyType(
    {
        LIMIT_RANGE: Rules(limits.check_limit_range),
        PRIORITY_CLASS: Rules(priority_class.check_priority_class, priority_class.check_priority_class_update),
        RESOURCE_QUOTA: Rules(limits.check_quota, limits.check_quota_update),
    }
)
"""What is kept as JSON and read by other rules."""


def _stored_rules(kind: Kind) -> Rules:
    """Return the rules of a kind that is kept as JSON; custom ones come and go, and are not remembered."""
    return _made_rules(kind) if kind.is_custom else _remembered_rules(kind)


def _made_rules(kind: Kind) -> Rules:
    """Return the rules of a kind that is kept as JSON: those of metadata."""
    is_segment = kind.plural in _PATH_SEGMENT_NAMES
    check_name = names.check_path_segment if is_segment else names.check_dns1123_subdomain
    read = _READ.get(kind, Rules())
    return Rules(
        lambda obj: records.check_stored(obj) or read.check(obj),
        read.check_update,
        check_status=records.check_stored_status,
        check_name=check_name,
        namespaced=kind.namespaced,
        plain_finalizers=kind.is_custom or kind is CUSTOM_RESOURCE_DEFINITION,
    )


_remembered_rules = cache(_made_rules)


def _rules_of(obj: ApiObject) -> Rules:
    return _RULES.get(type(obj)) or _stored_rules(kind_of(obj))


def _metadata(rules: Rules, obj: ApiObject, stored: ObjectMeta = _NOTHING_STORED) -> list[Cause]:
    return check_metadata(
        obj.metadata,
        rules.check_name,
        namespaced=rules.namespaced,
        plain_finalizers=rules.plain_finalizers,
        stored=stored,
    )


def validate_outer(obj: ApiObject, stored: ObjectMeta = _NOTHING_STORED) -> list[Cause]:
    """Return what is wrong with ``obj``, its pod spec aside; what of its metadata is ``stored`` was judged before."""
    rules = _rules_of(obj)
    found = under("metadata", _metadata(rules, obj, stored))
    return found + rules.check(obj)


def validate_outer_update(new: ApiObject, old: ApiObject) -> list[Cause]:
    """Return what an update from ``old`` to ``new`` may not change."""
    found = under("metadata", check_metadata_update(new.metadata, old.metadata))
    return found + _rules_of(new).check_update(new, old)


def validate_status_update(new: ApiObject, old: ApiObject) -> list[Cause]:
    """Return what is wrong with the status of ``new``, and with metadata that changed along with it."""
    rules = _rules_of(new)
    found = _metadata(rules, new, old.metadata)
    found += check_metadata_update(new.metadata, old.metadata)
    return under("metadata", found) + rules.check_status(new, old)
