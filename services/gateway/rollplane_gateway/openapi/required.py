"""Whether an object may do without a field.

It may not do without what JSON always shows, unless that is an object, whose zero says the same as its absence. What
Kubernetes decides otherwise is in the two tables.

Source: the +optional and +required markers of k8s.io/api.
"""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rollplane.apps import v1 as apps
from rollplane.authentication import v1 as authentication
from rollplane.authorization import v1 as authorization
from rollplane.core import v1 as core
from rollplane.events import v1 as events
from rollplane.meta import v1 as meta
from rollplane_machinery.codec.fields import is_always_printed, is_null_when_absent
from rollplane_machinery.shapes.building import is_shape, told_of

_Fields = Mapping[type[Message], tuple[str, ...]]

_REQUIRED: _Fields = {
    apps.DaemonSetSpec: ("template",),
    apps.DeploymentSpec: ("template",),
    apps.StatefulSetSpec: ("template",),
    authentication.TokenRequest: ("spec",),
    authentication.TokenReview: ("spec",),
    authorization.LocalSubjectAccessReview: ("spec",),
    authorization.SelfSubjectAccessReview: ("spec",),
    authorization.SelfSubjectRulesReview: ("spec",),
    authorization.SubjectAccessReview: ("spec",),
    core.Binding: ("target",),
    core.ContainerRestartRule: ("action",),
    core.ContainerRestartRuleOnExitCodes: ("operator",),
    core.Event: ("metadata", "involved_object"),
    core.HTTPGetAction: ("port",),
    core.PersistentVolumeClaimTemplate: ("spec",),
    core.PodCertificateProjection: ("signer_name", "key_type"),
    core.PreferredSchedulingTerm: ("preference",),
    core.TCPSocketAction: ("port",),
    core.WeightedPodAffinityTerm: ("pod_affinity_term",),
    events.Event: ("event_time",),
    meta.Condition: ("last_transition_time",),
}
_OPTIONAL: _Fields = {
    apps.StatefulSetOrdinals: ("start",),
    apps.StatefulSetSpec: ("service_name",),
    apps.StatefulSetStatus: ("available_replicas",),
    authentication.TokenRequestSpec: ("expiration_seconds", "bound_object_ref"),
    core.ContainerImage: ("names",),
    core.Event: ("reporting_component", "reporting_instance"),
    core.GRPCAction: ("service",),
    core.NodeRuntimeHandler: ("name",),
    core.ProjectedVolumeSource: ("sources",),
    core.TypedLocalObjectReference: ("api_group",),
    core.TypedObjectReference: ("api_group",),
}


def _names(table: _Fields) -> frozenset[str]:
    return frozenset(f"{message.DESCRIPTOR.full_name}.{name}" for message, names in table.items() for name in names)


_REQUIRED_NAMES, _OPTIONAL_NAMES = _names(_REQUIRED), _names(_OPTIONAL)


def is_required(field: FieldDescriptor) -> bool:
    """Whether an object without ``field`` is incomplete."""
    if is_shape(field):
        return bool(told_of(field).get("required"))
    if field.full_name in _REQUIRED_NAMES or field.full_name in _OPTIONAL_NAMES:
        return field.full_name in _REQUIRED_NAMES
    may_be_empty = field.message_type is not None and not field.is_repeated
    return is_null_when_absent(field) or (is_always_printed(field) and not may_be_empty)
