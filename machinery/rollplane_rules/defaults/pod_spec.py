"""Defaults of a pod's spec, most of which hold in Pod objects and in templates alike.

Source of the rules: kubernetes/kubernetes pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from rollplane.core import v1 as core
from rollplane.meta.v1 import Quantity
from rollplane_machinery import quantity
from rollplane_machinery.errors import BadRequestError
from rollplane_rules.defaults.volumes import default_volume

_FINE = ("n", "u")
"""Suffixes of billionths and millionths."""

AnyContainer = core.Container | core.EphemeralContainerCommon
"""The two messages that carry a container's fields."""

AnyHandler = core.ProbeHandler | core.LifecycleHandler
"""What a probe asks or a hook does."""


def default_pod_spec(spec: core.PodSpec, *, of_object: bool = False) -> None:
    """Fill in ``spec`` in place.

    That of a Pod object also gets service links, and requests of what is limited and not requested.
    """
    for container in spec.init_containers:
        default_container(container, copy_limits=of_object)
    for container in spec.containers:
        default_container(container, copy_limits=of_object)
    for ephemeral in spec.ephemeral_containers:
        default_container(ephemeral.ephemeral_container_common)
    if of_object and not spec.HasField("enable_service_links"):
        spec.enable_service_links = True
    for volume in spec.volumes:
        default_volume(volume)
    if spec.host_network:
        _default_host_ports(spec.init_containers)
        _default_host_ports(spec.containers)
    _default_scalars(spec)


def _default_scalars(spec: core.PodSpec) -> None:
    if not spec.restart_policy:
        spec.restart_policy = "Always"
    if not spec.dns_policy:
        spec.dns_policy = "ClusterFirst"
    if not spec.scheduler_name:
        spec.scheduler_name = "default-scheduler"
    if not spec.HasField("termination_grace_period_seconds"):
        spec.termination_grace_period_seconds = 30
    if not spec.HasField("security_context"):
        spec.security_context.SetInParent()
    name = spec.service_account_name or spec.service_account
    if name and name != spec.service_account:
        spec.service_account = name
    if name and name != spec.service_account_name:
        spec.service_account_name = name


def default_container(container: AnyContainer, *, copy_limits: bool = False) -> None:
    """Fill in one container in place, of whichever list; with ``copy_limits`` requests too."""
    if not container.image_pull_policy:
        container.image_pull_policy = pull_policy(container.image)
    if not container.termination_message_path:
        container.termination_message_path = "/dev/termination-log"
    if not container.termination_message_policy:
        container.termination_message_policy = "File"
    for port in container.ports:
        if not port.protocol:
            port.protocol = "TCP"
    for variable in container.env:
        if variable.HasField("value_from") and variable.value_from.HasField("field_ref"):
            default_field_ref(variable.value_from.field_ref)
    if container.HasField("resources"):
        _default_resources(container.resources, copy_limits)
    _default_hooks(container)


def default_field_ref(ref: core.ObjectFieldSelector) -> None:
    """Fill in the API version in which a reference to one of the pod's own fields is meant."""
    if not ref.api_version:
        ref.api_version = "v1"


def _default_hooks(container: AnyContainer) -> None:
    if container.HasField("liveness_probe"):
        default_probe(container.liveness_probe)
    if container.HasField("readiness_probe"):
        default_probe(container.readiness_probe)
    if container.HasField("startup_probe"):
        default_probe(container.startup_probe)
    if container.HasField("lifecycle"):
        lifecycle = container.lifecycle
        if lifecycle.HasField("post_start"):
            _default_handler(lifecycle.post_start)
        if lifecycle.HasField("pre_stop"):
            _default_handler(lifecycle.pre_stop)


def default_probe(probe: core.Probe) -> None:
    """Fill in a probe in place; zero seconds or times count as left out."""
    if not probe.timeout_seconds:
        probe.timeout_seconds = 1
    if not probe.period_seconds:
        probe.period_seconds = 10
    if not probe.success_threshold:
        probe.success_threshold = 1
    if not probe.failure_threshold:
        probe.failure_threshold = 3
    if probe.HasField("handler"):
        handler = probe.handler
        _default_handler(handler)
        if handler.HasField("grpc") and not handler.grpc.HasField("service"):
            handler.grpc.service = ""


def _default_handler(handler: AnyHandler) -> None:
    if handler.HasField("http_get"):
        get = handler.http_get
        if not get.path:
            get.path = "/"
        if not get.scheme:
            get.scheme = "HTTP"


def _default_host_ports(containers: Iterable[core.Container]) -> None:
    """On the node's own network a port is the same inside and outside."""
    for container in containers:
        for port in container.ports:
            if not port.host_port:
                port.host_port = port.container_port


def _default_resources(resources: core.ResourceRequirements, copy_limits: bool) -> None:
    limits, requests = resources.limits, resources.requests
    for name in limits:  # items() of a protobuf map is slower
        _round_up(limits[name])
        if copy_limits and name not in requests:
            requests[name].CopyFrom(limits[name])
    for name in requests:
        _round_up(requests[name])


def _round_up(amount: Quantity) -> None:
    """Scheduling counts thousandths: finer amounts are rounded up. What is no quantity is left to validation."""
    if amount.string[-1:] in _FINE:
        with suppress(BadRequestError):
            amount.string = quantity.round_up_to_milli(amount.string)


def pull_policy(image: str) -> str:
    """Return when to pull ``image``: always if it moves (tag ``latest``, or neither tag nor digest), else once.

    ``reg:5000/web`` has no tag, ``web@sha256:…`` is pinned.
    """
    name, _, digest = image.partition("@")
    _, _, tag = name.rpartition("/")[2].partition(":")
    moves = tag == "latest" or (not tag and not digest)
    return "Always" if moves and name else "IfNotPresent"
