"""Fields of text that hold one of a few words.

Only where the set is closed for every object the rules let through; the tests hold each row against the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from google.protobuf.message import Message

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane.policy import v1 as policy

_Words = tuple[str, ...]

_PULL: _Words = ("Always", "IfNotPresent", "Never")
_PROTOCOL: _Words = ("SCTP", "TCP", "UDP")
_PROFILE: _Words = ("Localhost", "RuntimeDefault", "Unconfined")
_TRAFFIC: _Words = ("Cluster", "Local")
_NODES: _Words = ("Honor", "Ignore")
_EFFECT: _Words = ("NoExecute", "NoSchedule", "PreferNoSchedule")
_RETENTION: _Words = ("Delete", "Retain")
_CONTAINER: Mapping[str, _Words] = {
    "image_pull_policy": _PULL,
    "termination_message_policy": ("FallbackToLogsOnError", "File"),
}

_TABLE: Mapping[type[Message], Mapping[str, _Words]] = {
    apps.DaemonSetUpdateStrategy: {"type": ("OnDelete", "RollingUpdate")},
    apps.DeploymentStrategy: {"type": ("Recreate", "RollingUpdate")},
    apps.StatefulSetSpec: {"pod_management_policy": ("OrderedReady", "Parallel")},
    apps.StatefulSetPersistentVolumeClaimRetentionPolicy: {"when_deleted": _RETENTION, "when_scaled": _RETENTION},
    core.AppArmorProfile: {"type": _PROFILE},
    core.Container: _CONTAINER,
    core.ContainerPort: {"protocol": _PROTOCOL},
    core.EphemeralContainerCommon: _CONTAINER,
    core.HTTPGetAction: {"scheme": ("HTTP", "HTTPS")},
    core.HostPathVolumeSource: {
        "type": (
            "",
            "BlockDevice",
            "CharDevice",
            "Directory",
            "DirectoryOrCreate",
            "File",
            "FileOrCreate",
            "Socket",
        )
    },
    core.PersistentVolumeClaimSpec: {"volume_mode": ("Block", "Filesystem")},
    core.PodOS: {"name": ("linux", "windows")},
    core.PodSecurityContext: {
        "fs_group_change_policy": ("Always", "OnRootMismatch"),
        "supplemental_groups_policy": ("Merge", "Strict"),
    },
    core.PodSpec: {
        "dns_policy": ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        "preemption_policy": ("Never", "PreemptLowerPriority"),
        "restart_policy": ("Always", "Never", "OnFailure"),
    },
    core.SeccompProfile: {"type": _PROFILE},
    core.SecurityContext: {"proc_mount": ("Default", "Unmasked")},
    core.ServicePort: {"protocol": _PROTOCOL},
    core.ServiceSpec: {
        "external_traffic_policy": _TRAFFIC,
        "internal_traffic_policy": _TRAFFIC,
        "session_affinity": ("ClientIP", "None"),
        "type": ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    },
    core.Taint: {"effect": _EFFECT},
    core.Toleration: {"effect": _EFFECT, "operator": ("Equal", "Exists")},
    core.TopologySpreadConstraint: {
        "node_affinity_policy": _NODES,
        "node_taints_policy": _NODES,
        "when_unsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
    },
    core.VolumeMount: {
        "mount_propagation": ("Bidirectional", "HostToContainer", "None"),
        "recursive_read_only": ("Disabled", "Enabled", "IfPossible"),
    },
    policy.PodDisruptionBudgetSpec: {"unhealthy_pod_eviction_policy": ("AlwaysAllow", "IfHealthyBudget")},
}

ENUMS: Mapping[str, _Words] = MappingProxyType(
    {
        f"{message.DESCRIPTOR.full_name}.{name}": words
        for message, fields in _TABLE.items()
        for name, words in fields.items()
    }
)
"""The words by the full name of the field."""
