"""A pod template in words, as ``kubectl rollout history --revision`` shows it.

Levels are two spaces each and values stand behind a tab, since kubectl does not align this text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rollplane.core import v1 as core
from rollplane.meta.v1 import Quantity
from rollplane_machinery import int_or_string
from rollplane_printing.table import NONE


def template_lines(template: core.PodTemplateSpec) -> list[str]:
    """Return the lines of ``template``, beginning with ``Pod Template:``."""
    metadata, spec = template.metadata, template.spec
    lines = ["Pod Template:", *pairs("  Labels", metadata.labels, "=")]
    if metadata.annotations:
        lines += pairs("  Annotations", metadata.annotations, ": ")
    if spec.service_account_name:
        lines.append(f"  Service Account:\t{spec.service_account_name}")
    if spec.init_containers:
        lines += ["  Init Containers:", *_containers(spec.init_containers)]
    lines += ["  Containers:", *_containers(spec.containers), *volume_lines(spec.volumes)]
    if spec.priority_class_name:
        lines.append(f"  Priority Class Name:\t{spec.priority_class_name}")
    lines += pairs("  Node-Selectors", spec.node_selector, "=")
    return [*lines, *listed("  Tolerations", [toleration_text(each) for each in spec.tolerations])]


def pairs(title: str, values: Mapping[str, str], sign: str) -> list[str]:
    """Return labels or annotations under a title, by name."""
    return listed(title, [f"{name}{sign}{values[name]}" for name in sorted(values)])


def listed(title: str, values: Sequence[str]) -> list[str]:
    """Return values under a title: the first behind it, the others below."""
    first, *others = values or [NONE]
    return [f"{title}:\t{first}", *(f"\t{value}" for value in others)]


def _containers(containers: Sequence[core.Container]) -> Iterator[str]:
    for container in containers:
        yield f"   {container.name}:"
        yield from (f"    {line}" for line in container_lines(container))


def container_lines(container: core.Container) -> Iterator[str]:
    """Yield what ``describe`` says of a container, without its name."""
    ports = container.ports
    plural = "s" if len(ports) > 1 else ""
    yield f"Image:\t{container.image}"
    yield f"Port{plural}:\t{_joined(f'{each.container_port}/{each.protocol}' for each in ports)}"
    yield f"Host Port{plural}:\t{_joined(f'{each.host_port}/{each.protocol}' for each in ports)}"
    yield from _words("Command", container.command)
    yield from _words("Args", container.args)
    yield from _amounts("Limits", container.resources.limits)
    yield from _amounts("Requests", container.resources.requests)
    yield from _probes(container)
    yield from _environment(container)
    yield from _block("Mounts", [_mount(each) for each in container.volume_mounts])


def _joined(values: Iterator[str]) -> str:
    return ", ".join(values) or NONE


def _words(title: str, words: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"  {word}" for word in words)] if words else []


def _block(title: str, values: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"  {value}" for value in values)] if values else [f"{title}:\t{NONE}"]


def _amounts(title: str, amounts: Mapping[str, Quantity]) -> list[str]:
    rows = [f"  {name}:\t{amounts[name].string}" for name in sorted(amounts)]
    return [f"{title}:", *rows] if rows else []


def _probes(container: core.Container) -> Iterator[str]:
    if container.HasField("liveness_probe"):
        yield f"Liveness:\t{_probe(container.liveness_probe)}"
    if container.HasField("readiness_probe"):
        yield f"Readiness:\t{_probe(container.readiness_probe)}"
    if container.HasField("startup_probe"):
        yield f"Startup:\t{_probe(container.startup_probe)}"


def _probe(probe: core.Probe) -> str:
    """``http-get http://:80/ delay=0s timeout=1s period=10s #success=1 #failure=3``."""
    timing = (
        f"delay={probe.initial_delay_seconds}s timeout={probe.timeout_seconds}s period={probe.period_seconds}s "
        f"#success={probe.success_threshold} #failure={probe.failure_threshold}"
    )
    return f"{_handler(probe.handler)} {timing}"


def _handler(handler: core.ProbeHandler) -> str:
    if handler.HasField("exec"):
        return f"exec [{' '.join(handler.exec.command)}]"
    if handler.HasField("http_get"):
        get = handler.http_get
        port = int_or_string.to_plain(get.port)
        return f"http-get {(get.scheme or 'HTTP').lower()}://{get.host}:{port}{get.path}"
    if handler.HasField("tcp_socket"):
        return f"tcp-socket {handler.tcp_socket.host}:{int_or_string.to_plain(handler.tcp_socket.port)}"
    if handler.HasField("grpc"):
        return f"grpc <pod>:{handler.grpc.port} {handler.grpc.service}"
    return "unknown"


def _environment(container: core.Container) -> Iterator[str]:
    if container.env_from:
        yield from _block("Environment Variables from", [_env_source(each) for each in container.env_from])
    yield from _block("Environment", [f"{each.name}:\t{_env_value(each)}" for each in container.env])


def _env_source(source: core.EnvFromSource) -> str:
    is_map = source.HasField("config_map_ref")
    reference = source.config_map_ref if is_map else source.secret_ref
    prefix = f" with prefix '{source.prefix}'" if source.prefix else ""
    name = reference.local_object_reference.name
    return f"{name}\t{'ConfigMap' if is_map else 'Secret'}{prefix}\tOptional: {_boolean(reference.optional)}"


def _env_value(variable: core.EnvVar) -> str:
    source = variable.value_from
    if not variable.HasField("value_from"):
        return variable.value
    if source.HasField("field_ref"):
        return f"({source.field_ref.api_version or 'v1'}:{source.field_ref.field_path})"
    if source.HasField("resource_field_ref"):
        return f"{source.resource_field_ref.container_name} ({source.resource_field_ref.resource})"
    if source.HasField("secret_key_ref"):
        secret = source.secret_key_ref
        where = f"<set to the key '{secret.key}' in secret '{secret.local_object_reference.name}'>"
        return f"{where}\tOptional: {_boolean(secret.optional)}"
    config = source.config_map_key_ref
    where = f"<set to the key '{config.key}' of config map '{config.local_object_reference.name}'>"
    return f"{where}\tOptional: {_boolean(config.optional)}"


def _boolean(value: bool) -> str:
    return str(value).lower()


def _mount(mount: core.VolumeMount) -> str:
    flags = ",".join(
        filter(None, ("ro" if mount.read_only else "rw", f'path="{mount.sub_path}"' * bool(mount.sub_path)))
    )
    return f"{mount.mount_path} from {mount.name} ({flags})"


def volume_lines(volumes: Sequence[core.Volume]) -> Iterator[str]:
    """Yield the volumes under their title, indented as in a template."""
    if not volumes:
        yield f"  Volumes:\t{NONE}"
        return
    yield "  Volumes:"
    for volume in volumes:
        yield f"   {volume.name}:"
        yield from (f"    {line}" for line in _volume(volume.volume_source))


def _volume(source: core.VolumeSource) -> list[str]:
    if source.HasField("empty_dir"):
        limit = source.empty_dir.size_limit.string or "<unset>"
        medium = source.empty_dir.medium
        return ["Type:\tEmptyDir (lives as long as its pod)", f"Medium:\t{medium}", f"SizeLimit:\t{limit}"]
    if source.HasField("config_map"):
        return ["Type:\tConfigMap", f"Name:\t{source.config_map.local_object_reference.name}"]
    if source.HasField("secret"):
        return ["Type:\tSecret", f"SecretName:\t{source.secret.secret_name}"]
    if source.HasField("host_path"):
        return ["Type:\tHostPath", f"Path:\t{source.host_path.path}", f"HostPathType:\t{source.host_path.type}"]
    if source.HasField("persistent_volume_claim"):
        claim = source.persistent_volume_claim
        return [
            "Type:\tPersistentVolumeClaim",
            f"ClaimName:\t{claim.claim_name}",
            f"ReadOnly:\t{_boolean(claim.read_only)}",
        ]
    kinds = [field.name for field, _ in source.ListFields()]
    return [f"Type:\t{kinds[0] if kinds else 'unknown'}"]


def toleration_text(toleration: core.Toleration) -> str:
    """Return ``key=value:Effect op=Exists for 300s``, as far as there is any of it."""
    value = f"={toleration.value}" if toleration.value else ""
    effect = f":{toleration.effect}" if toleration.effect else ""
    exists = " op=Exists" if toleration.operator == "Exists" else ""
    seconds = f" for {toleration.toleration_seconds}s" if toleration.HasField("toleration_seconds") else ""
    return f"{toleration.key}{value}{effect}{exists}{seconds}"
