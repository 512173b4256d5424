"""Containers of every list of a pod."""

from __future__ import annotations

from collections.abc import Iterable

from rollplane.core import v1 as core
from rollplane_machinery import names
from rollplane_machinery.errors import Cause
from rollplane_machinery.validation.causes import (
    duplicate,
    each,
    forbidden,
    invalid,
    not_found,
    not_supported,
    one_of,
    problems,
    required,
    under,
)
from rollplane_machinery.validation.env import check_env, check_env_from
from rollplane_machinery.validation.probes import (
    check_lifecycle,
    check_liveness,
    check_readiness,
    check_resize_policy,
)
from rollplane_machinery.validation.resources import check_container_resources
from rollplane_machinery.validation.security import check_security_context
from rollplane_machinery.validation.volumes import Volumes, check_descending_path

AnyContainer = core.Container | core.EphemeralContainerCommon

_PULL_POLICIES = frozenset({"Always", "IfNotPresent", "Never"})
_MESSAGE_POLICIES = frozenset({"File", "FallbackToLogsOnError"})
_PROTOCOLS = frozenset({"TCP", "UDP", "SCTP"})
_PROPAGATIONS = frozenset({"None", "HostToContainer", "Bidirectional"})
_RECURSIVE_READ_ONLY = frozenset({"Enabled", "Disabled", "IfPossible"})
_BLOCK_SOURCES = frozenset({"persistent_volume_claim", "ephemeral"})


def check_container(container: AnyContainer, volumes: Volumes | None) -> list[Cause]:
    """Return what is wrong with a defaulted container whose pod has ``volumes``; None: any volume may exist."""
    found: list[Cause] = []
    name = container.name
    if not name:
        found.append(required("name", "name the container"))
    elif sentences := names.check_dns1123_label(name):
        found += problems("name", name, sentences)
    if not container.image:
        found.append(required("image", "name the image to run"))
    if container.image_pull_policy not in _PULL_POLICIES:
        found += one_of("imagePullPolicy", container.image_pull_policy, _PULL_POLICIES)
    if container.termination_message_policy not in _MESSAGE_POLICIES:
        found += one_of("terminationMessagePolicy", container.termination_message_policy, _MESSAGE_POLICIES)
    found += _check_ports(container.ports)
    found += each("envFrom", container.env_from, check_env_from)
    found += each("env", container.env, check_env)
    found += _check_mounts(container, volumes)
    if container.HasField("resources") and (causes := check_container_resources(container.resources)):
        found += under("resources", causes)
    if container.HasField("security_context") and (causes := check_security_context(container.security_context)):
        found += under("securityContext", causes)
    found += _check_hooks(container)
    return found + each("resizePolicy", container.resize_policy, check_resize_policy)


def _check_hooks(container: AnyContainer) -> list[Cause]:
    found: list[Cause] = []
    if container.HasField("liveness_probe") and (causes := check_liveness(container.liveness_probe)):
        found += under("livenessProbe", causes)
    if container.HasField("readiness_probe") and (causes := check_readiness(container.readiness_probe)):
        found += under("readinessProbe", causes)
    if container.HasField("startup_probe") and (causes := check_liveness(container.startup_probe)):
        found += under("startupProbe", causes)
    if container.HasField("lifecycle") and (causes := check_lifecycle(container.lifecycle)):
        found += under("lifecycle", causes)
    return found


def _check_ports(ports: Iterable[core.ContainerPort]) -> list[Cause]:
    found: list[Cause] = []
    taken: set[str] = set()
    for index, port in enumerate(ports):
        if causes := _check_port(port, taken):
            found += under(f"ports[{index}]", causes)
        taken.add(port.name)
    return found


def _check_port(port: core.ContainerPort, taken: set[str]) -> list[Cause]:
    found: list[Cause] = []
    name = port.name
    if name:
        if sentences := names.check_port_name(name):
            found += problems("name", name, sentences)
        elif name in taken:
            found.append(duplicate("name", name))
    number = port.container_port
    if not number:
        found.append(required("containerPort", "give the port the container listens on"))
    elif sentences := names.check_port_number(number):
        found += problems("containerPort", number, sentences)
    if port.host_port:
        found += problems("hostPort", port.host_port, names.check_port_number(port.host_port))
    if port.protocol not in _PROTOCOLS:
        found += one_of("protocol", port.protocol, _PROTOCOLS)
    return found


def _check_mounts(container: AnyContainer, volumes: Volumes | None) -> list[Cause]:
    found: list[Cause] = []
    paths: set[str] = set()
    for index, mount in enumerate(container.volume_mounts):
        causes = _check_mount(mount, volumes, paths)
        propagation = mount.mount_propagation
        if propagation == "Bidirectional" and not container.security_context.privileged:
            causes.append(forbidden("mountPropagation", "Bidirectional is for privileged containers only"))
        if causes:
            found += under(f"volumeMounts[{index}]", causes)
        paths.add(mount.mount_path)
    for index, device in enumerate(container.volume_devices):
        if causes := _check_device(device, volumes, paths):
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
    if mount.sub_path:
        found += check_descending_path("subPath", mount.sub_path)
    if mount.sub_path_expr:
        if mount.sub_path:
            found.append(invalid("subPathExpr", mount.sub_path_expr, "keep subPath or subPathExpr"))
        found += check_descending_path("subPathExpr", mount.sub_path_expr)
    if mount.HasField("mount_propagation") and mount.mount_propagation not in _PROPAGATIONS:
        found.append(not_supported("mountPropagation", mount.mount_propagation, _PROPAGATIONS))
    if mount.HasField("recursive_read_only"):
        found += _check_recursive_read_only(mount)
    return found


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
    if source is not None and source not in _BLOCK_SOURCES:
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


def check_app_container(container: core.Container, volumes: Volumes | None) -> list[Cause]:
    """Return what is wrong with one of ``containers``."""
    found = check_container(container, volumes)
    if container.HasField("restart_policy"):
        found.append(forbidden("restartPolicy", "only init containers may have their own: drop it"))
    return found


def check_init_container(container: core.Container, volumes: Volumes | None) -> list[Cause]:
    """Return what is wrong with one of ``initContainers``; only one that keeps running may be probed."""
    found = check_container(container, volumes)
    if container.restart_policy == "Always":
        return found
    if container.HasField("restart_policy"):
        found.append(not_supported("restartPolicy", container.restart_policy, {"Always"}))
    for field, json in _HOOKS:
        if container.HasField(field):  # type: ignore[arg-type]  # the names below are its fields
            found.append(forbidden(json, "only containers that keep running have it: drop it"))
    return found


_HOOKS = (
    ("lifecycle", "lifecycle"),
    ("liveness_probe", "livenessProbe"),
    ("readiness_probe", "readinessProbe"),
    ("startup_probe", "startupProbe"),
)


def check_host_ports(containers: Iterable[core.Container], *, host_network: bool) -> list[Cause]:
    """Return what is wrong with ports on the node: each taken once, and on the node's network the same as inside."""
    found: list[Cause] = []
    taken: set[tuple[int, str, str]] = set()
    for at, container in enumerate(containers):
        for index, port in enumerate(container.ports):
            field = f"containers[{at}].ports[{index}]"
            if host_network and port.host_port != port.container_port:
                found.append(invalid(f"{field}.containerPort", port.container_port, "on hostNetwork, match hostPort"))
            if not port.host_port:
                continue
            key = (port.host_port, port.protocol, port.host_ip)
            if key in taken:
                found.append(duplicate(f"{field}.hostPort", "/".join(map(str, key))))
            taken.add(key)
    return found
