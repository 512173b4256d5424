"""Defaults of API versions that are read but no longer stored: extensions/v1beta1, apps/v1beta1 and apps/v1beta2.

They are part of the conversion: only where the older version means something else than the storage version is it
written out; the defaults of the storage version, on the write, fill in the rest. What a manifest means is thereby
decided by the version it was written for: a DaemonSet of extensions/v1beta1 is OnDelete, one of apps/v1 RollingUpdate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from rollplane.apps import v1 as apps
from rollplane_machinery import int_or_string
from rollplane_machinery.kinds import ApiObject

EXTENSIONS = "extensions/v1beta1"
APPS_V1BETA1 = "apps/v1beta1"

NO_LIMIT = 2**31 - 1
"""As a history limit: keep all. As a deadline: none."""

_Workload = apps.Deployment | apps.ReplicaSet | apps.StatefulSet | apps.DaemonSet


def apply_legacy_defaults(obj: ApiObject, api_version: str) -> None:
    """Fill in ``obj``, converted from ``api_version``, what that version defaults otherwise than the storage version.

    In place. A version or kind without defaults of its own (apps/v1beta2 has none) changes nothing.
    """
    defaulter = _DEFAULTERS.get((api_version, type(obj)))
    if defaulter is not None:
        defaulter(obj)


def _copy_labels(obj: _Workload) -> None:
    """Selector and labels come from the template where they are missing."""
    labels = obj.spec.template.metadata.labels
    if not labels:
        return
    if not obj.spec.HasField("selector"):
        obj.spec.selector.match_labels.update(labels)
    if not obj.metadata.labels:
        obj.metadata.labels.update(labels)


def _default_deployment_v1beta1(deployment: apps.Deployment) -> None:
    _copy_labels(deployment)
    if not deployment.spec.HasField("revision_history_limit"):
        deployment.spec.revision_history_limit = 2


def _default_extensions_deployment(deployment: apps.Deployment) -> None:
    _copy_labels(deployment)
    spec = deployment.spec
    _default_limits(spec.strategy)
    if not spec.HasField("revision_history_limit"):
        spec.revision_history_limit = NO_LIMIT
    if not spec.HasField("progress_deadline_seconds"):
        spec.progress_deadline_seconds = NO_LIMIT


def _default_limits(strategy: apps.DeploymentStrategy) -> None:
    """One pod more or less at a time, where apps/v1 has a quarter of them."""
    if strategy.type not in ("", "RollingUpdate"):
        return
    rolling = strategy.rolling_update
    if not rolling.HasField("max_unavailable"):
        rolling.max_unavailable.CopyFrom(int_or_string.of(1))
    if not rolling.HasField("max_surge"):
        rolling.max_surge.CopyFrom(int_or_string.of(1))


def _default_stateful_set_v1beta1(stateful_set: apps.StatefulSet) -> None:
    _copy_labels(stateful_set)
    if not stateful_set.spec.update_strategy.type:
        stateful_set.spec.update_strategy.type = "OnDelete"


def _default_extensions_daemon_set(daemon_set: apps.DaemonSet) -> None:
    _copy_labels(daemon_set)
    if not daemon_set.spec.update_strategy.type:
        daemon_set.spec.update_strategy.type = "OnDelete"


_DEFAULTERS: Mapping[tuple[str, type], Callable[[Any], None]] = MappingProxyType(
    {
        (APPS_V1BETA1, apps.Deployment): _default_deployment_v1beta1,
        (APPS_V1BETA1, apps.StatefulSet): _default_stateful_set_v1beta1,
        (EXTENSIONS, apps.Deployment): _default_extensions_deployment,
        (EXTENSIONS, apps.ReplicaSet): _copy_labels,
        (EXTENSIONS, apps.DaemonSet): _default_extensions_daemon_set,
    }
)
