"""Containers of every list of a pod."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rollplane.core import v1 as core
from rollplane_machinery import names
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import (
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    one_of,
    problems,
    required,
    under,
)
from rollplane_rules.validation.env import check_env, check_env_from
from rollplane_rules.validation.parts import check_parts, checks_of, of_each
from rollplane_rules.validation.probes import (
    check_lifecycle,
    check_liveness,
    check_readiness,
    check_resize_policy,
)
from rollplane_rules.validation.resources import check_container_resources
from rollplane_rules.validation.security import check_security_context
from rollplane_rules.validation.volumes import BLOCK_SOURCES, Volumes, check_descending_path

AnyContainer = core.Container | core.EphemeralContainerCommon

_PULL_POLICIES = frozenset({"Always", "IfNotPresent", "Never"})
_MESSAGE_POLICIES = frozenset({"File", "FallbackToLogsOnError"})
_PROTOCOLS = frozenset({"TCP", "UDP", "SCTP"})
_PROPAGATIONS = frozenset({"None", "HostToContainer", "Bidirectional"})
_RECURSIVE_READ_ONLY = frozenset({"Enabled", "Disabled", "IfPossible"})


@dataclass(slots=True)
class Surroundings:
    """What a container shares with the others of its pod.

    ``volumes`` None: any volume may exist. ``is_object`` tells a Pod object from a template. ``host_ports`` are those
    taken so far on the node.
    """

    volumes: Volumes | None
    is_object: bool = False
    host_network: bool = False
    host_ports: set[tuple[int, str, str]] = field(default_factory=set)


def check_container(container: AnyContainer, pod: Surroundings) -> list[Cause]:
    """Return what is wrong with a defaulted container of any list of ``pod``."""
    found = _check_image(container, pod)
    name = container.name
    if not name:
        found.append(required("name", "name the container"))
    elif sentences := names.check_dns1123_label(name):
        found += problems("name", name, sentences)
    if ports := container.ports:
        found += _check_ports(ports, pod)
    return found + check_parts(container, _PARTS) + _check_paths(container, pod)


def _check_image(container: AnyContainer, pod: Surroundings) -> list[Cause]:
    found: list[Cause] = []
    image = container.image
    if not image:
        found.append(required("image", "name the image to run"))
    elif pod.is_object and image != image.strip():
        found.append(invalid("image", image, "drop the white space around it"))
    if container.image_pull_policy not in _PULL_POLICIES:
        found += one_of("imagePullPolicy", container.image_pull_policy, _PULL_POLICIES)
    if container.termination_message_policy not in _MESSAGE_POLICIES:
        found += one_of("terminationMessagePolicy", container.termination_message_policy, _MESSAGE_POLICIES)
    return found


def _check_ports(ports: Iterable[core.ContainerPort], pod: Surroundings) -> list[Cause]:
    found: list[Cause] = []
    taken: set[str] = set()
    for index, port in enumerate(ports):
        if causes := _check_port(port, taken) + _check_host_port(port, pod):
            found += under(f"ports[{index}]", causes)
    return found


def _check_port(port: core.ContainerPort, taken: set[str]) -> list[Cause]:
    found: list[Cause] = []
    name = port.name
    if name:
        if sentences := names.check_port_name(name):
            found += problems("name", name, sentences)
        elif name in taken:
            found.append(duplicate("name", name))
        taken.add(name)
    number = port.container_port
    if not number:
        found.append(required("containerPort", "give the port the container listens on"))
    elif not 0 < number < 65536:
        found += problems("containerPort", number, names.check_port_number(number))
    if port.protocol not in _PROTOCOLS:
        found += one_of("protocol", port.protocol, _PROTOCOLS)
    return found


def _check_host_port(port: core.ContainerPort, pod: Surroundings) -> list[Cause]:
    """Return what is wrong with a port on the node: each is taken once; on the node's network it is that inside."""
    number = port.host_port
    if not number and not pod.host_network:
        return []
    found: list[Cause] = []
    if pod.host_network and number != port.container_port:
        found.append(invalid("containerPort", port.container_port, "on hostNetwork, match hostPort"))
    if number:
        found += problems("hostPort", number, names.check_port_number(number))
        key = (number, port.protocol, port.host_ip)
        if key in pod.host_ports:
            found.append(duplicate("hostPort", "/".join(map(str, key))))
        pod.host_ports.add(key)
    return found


def _check_paths(container: AnyContainer, pod: Surroundings) -> list[Cause]:
    """Return what is wrong with what is mounted: every path is taken once, by a volume of the pod."""
    found: list[Cause] = []
    paths: set[str] = set()
    for index, mount in enumerate(container.volume_mounts):
        causes = _check_mount(mount, pod.volumes, paths)
        if propagation := mount.mount_propagation:
            causes += _check_propagation(propagation, container)
        if causes:
            found += under(f"volumeMounts[{index}]", causes)
    for index, device in enumerate(container.volume_devices or ()):
        if causes := _check_device(device, pod.volumes, paths):
            found += under(f"volumeDevices[{index}]", causes)
        paths.add(device.device_path)
    return found


def _check_volume_name(name: str, volumes: Volumes | None) -> list[Cause]:
    if not name:
        return [required("name", "name the volume to mount")]
    if volumes is not None and name not in volumes:
        return [not_found("name", name, "mount a volume that the pod has")]
    return []


def _check_mount(mount: core.VolumeMount, volumes: Volumes | None, paths: set[str]) -> list[Cause]:
    found = _check_volume_name(mount.name, volumes)
    path = mount.mount_path
    if not path:
        found.append(required("mountPath", "give the path inside the container"))
    elif path in paths:
        found.append(invalid("mountPath", path, "mount each path once"))
    paths.add(path)
    sub_path, expression = mount.sub_path, mount.sub_path_expr
    if sub_path:
        found += check_descending_path("subPath", sub_path)
    if expression:
        if sub_path:
            found.append(invalid("subPathExpr", expression, "keep subPath or subPathExpr"))
        found += check_descending_path("subPathExpr", expression)
    return found + _check_recursive_read_only(mount) if mount.recursive_read_only else found


def _check_propagation(propagation: str, container: AnyContainer) -> list[Cause]:
    if propagation not in _PROPAGATIONS:
        return [not_supported("mountPropagation", propagation, _PROPAGATIONS)]
    if propagation == "Bidirectional" and not container.security_context.privileged:
        return [forbidden("mountPropagation", "Bidirectional is for privileged containers only")]
    return []


def _check_recursive_read_only(mount: core.VolumeMount) -> list[Cause]:
    value = mount.recursive_read_only
    if value not in _RECURSIVE_READ_ONLY:
        return [not_supported("recursiveReadOnly", value, _RECURSIVE_READ_ONLY)]
    if value == "Disabled":
        return []
    if not mount.read_only:
        return [forbidden("recursiveReadOnly", "set readOnly too")]
    if mount.mount_propagation not in ("", "None"):
        return [forbidden("recursiveReadOnly", "set mountPropagation None, or drop it")]
    return []


def _check_device(device: core.VolumeDevice, volumes: Volumes | None, paths: set[str]) -> list[Cause]:
    found = _check_volume_name(device.name, volumes)
    source = volumes.get(device.name) if volumes is not None else None
    if source is not None and source not in BLOCK_SOURCES:
        found.append(
            invalid("name", device.name, "block devices come from a persistentVolumeClaim or ephemeral volume")
        )
    path = device.device_path
    if not path:
        found.append(required("devicePath", "give the path inside the container"))
    elif path in paths:
        found.append(invalid("devicePath", path, "use each path once"))
    elif ".." in path.split("/"):
        found.append(invalid("devicePath", path, "drop the '..'"))
    return found


def check_app_container(container: core.Container, pod: Surroundings) -> list[Cause]:
    """Return what is wrong with one of ``containers``."""
    found = check_container(container, pod)
    if container.HasField("restart_policy"):
        found.append(forbidden("restartPolicy", "only init containers may have their own: drop it"))
    return found


def check_init_container(container: core.Container, pod: Surroundings) -> list[Cause]:
    """Return what is wrong with one of ``initContainers``; only one that keeps running may be probed."""
    found = check_container(container, pod)
    if container.restart_policy == "Always":
        return found
    if container.HasField("restart_policy"):
        found.append(not_supported("restartPolicy", container.restart_policy, {"Always"}))
    for hook, json in _HOOKS:
        if container.HasField(hook):  # type: ignore[arg-type]  # the names below are its fields
            found.append(forbidden(json, "only containers that keep running have it: drop it"))
    return found


_PARTS = checks_of(
    core.Container,
    core.EphemeralContainerCommon,
    env_from=of_each(check_env_from),
    env=of_each(check_env),
    resources=check_container_resources,
    resize_policy=of_each(check_resize_policy),
    liveness_probe=check_liveness,
    readiness_probe=check_readiness,
    startup_probe=check_liveness,
    lifecycle=check_lifecycle,
    security_context=check_security_context,
)

_HOOKS = (
    ("lifecycle", "lifecycle"),
    ("liveness_probe", "livenessProbe"),
    ("readiness_probe", "readinessProbe"),
    ("startup_probe", "startupProbe"),
)
