"""What of a pod's ConfigMaps and Secrets is not there, in the kubelet's words.

Environments are made anew at every start of a container, volumes are mounted once, before anything runs; of an
environment the first fault counts. Source: kubernetes/kubernetes pkg/kubelet/kubelet_pods.go (environment),
pkg/volume/{secret,configmap,projected} and the volume manager's populator, which leaves out volumes nobody mounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from rollplane.core.v1 import Container, EnvFromSource, EnvVarSource, KeyToPath, Pod, Volume, VolumeProjection
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import CONFIG_MAP, SECRET

ROOT_CERTIFICATES = "kube-root-ca.crt"
"""The ConfigMap that a cluster puts into every namespace."""


@dataclass(frozen=True, slots=True)
class KeyNames:
    """The names of an object's keys, never what they hold; ``texts`` are those that an environment may refer to."""

    texts: frozenset[str]
    others: frozenset[str] = frozenset()


Lookup = Callable[[Key], KeyNames | None]
"""Returns an object's keys, None when it is not there."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not there: by container why it cannot be made, and why which volumes cannot be mounted."""

    containers: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.containers or self.volumes)


NOTHING_MISSING = Missing()


@dataclass(frozen=True, slots=True)
class _Reference:
    """An object and the keys of it that must be there."""

    key: Key
    optional: bool
    wants: tuple[str, ...] = ()

    def gone(self) -> str:
        return f'{self.key.kind.name.lower()} "{self.key.name}" not found'


def has_references(pod: Pod) -> bool:
    """Tell whether the pod refers to any ConfigMap or Secret that its kubelet reads."""
    return any(True for container in _containers(pod) for _ in _environment(pod, container)) or any(
        True for volume in pod.spec.volumes for _ in _files(pod, volume)
    )


def wanted_of(pod: Pod) -> Mapping[Key, frozenset[str]]:
    """Return the objects that the pod cannot do without, each with the keys of it that must be there."""
    wanted: dict[Key, frozenset[str]] = {}
    environments = (one for container in _containers(pod) for one in _environment(pod, container))
    files = (one for volume in pod.spec.volumes for one in _files(pod, volume))
    for reference in chain(environments, files):
        if not reference.optional and reference.key.name != ROOT_CERTIFICATES:
            wanted[reference.key] = wanted.get(reference.key, frozenset()).union(reference.wants)
    return wanted


def missing_of(pod: Pod, lookup: Lookup) -> Missing:
    """Return what of the pod's references is not there."""
    faults = {container.name: next(_environment_faults(pod, container, lookup), "") for container in _containers(pod)}
    used = {mount.name for container in _containers(pod) for mount in container.volume_mounts}
    mounts = (_mount_fault(pod, volume, lookup) for volume in pod.spec.volumes if volume.name in used)
    containers = {name: fault for name, fault in faults.items() if fault}
    volumes = tuple(fault for fault in mounts if fault)
    return Missing(containers, volumes) if containers or volumes else NOTHING_MISSING


def _containers(pod: Pod) -> Iterator[Container]:
    yield from pod.spec.init_containers
    yield from pod.spec.containers


# Environments.


def _environment(pod: Pod, container: Container) -> Iterator[_Reference]:
    """Yield what the environment refers to, in the order in which it is made."""
    for source in container.env_from:
        yield from _all_keys(pod, source)
    for variable in container.env:
        if variable.HasField("value_from"):
            yield from _one_key(pod, variable.value_from)


def _all_keys(pod: Pod, source: EnvFromSource) -> Iterator[_Reference]:
    if source.HasField("config_map_ref"):
        named = source.config_map_ref
        yield _Reference(_config_map(pod, named.local_object_reference.name), named.optional)
    if source.HasField("secret_ref"):
        secret = source.secret_ref
        yield _Reference(_secret(pod, secret.local_object_reference.name), secret.optional)


def _one_key(pod: Pod, source: EnvVarSource) -> Iterator[_Reference]:
    if source.HasField("config_map_key_ref"):
        named = source.config_map_key_ref
        yield _Reference(_config_map(pod, named.local_object_reference.name), named.optional, (named.key,))
    elif source.HasField("secret_key_ref"):
        secret = source.secret_key_ref
        yield _Reference(_secret(pod, secret.local_object_reference.name), secret.optional, (secret.key,))


def _environment_faults(pod: Pod, container: Container, lookup: Lookup) -> Iterator[str]:
    for reference in _environment(pod, container):
        if reference.optional:
            continue
        keys = lookup(reference.key)
        if keys is None:
            yield reference.gone()
            continue
        of = f"{reference.key.kind.name} {reference.key.namespace}/{reference.key.name}"
        yield from (f"couldn't find key {name} in {of}" for name in reference.wants if name not in keys.texts)


# Volumes.


def _files(pod: Pod, volume: Volume) -> Iterator[_Reference]:
    """Yield what the files of a volume come from."""
    source = volume.volume_source
    if source.HasField("config_map"):
        named = source.config_map
        key = _config_map(pod, named.local_object_reference.name)
        yield _Reference(key, named.optional, _wanted(named.items))
    elif source.HasField("secret"):
        secret = source.secret
        yield _Reference(_secret(pod, secret.secret_name), secret.optional, _wanted(secret.items))
    elif source.HasField("projected"):
        for projection in source.projected.sources:
            yield from _projected(pod, projection)


def _projected(pod: Pod, source: VolumeProjection) -> Iterator[_Reference]:
    if source.HasField("config_map"):
        named = source.config_map
        key = _config_map(pod, named.local_object_reference.name)
        yield _Reference(key, named.optional, _wanted(named.items))
    elif source.HasField("secret"):
        secret = source.secret
        yield _Reference(_secret(pod, secret.local_object_reference.name), secret.optional, _wanted(secret.items))


def _wanted(items: Sequence[KeyToPath]) -> tuple[str, ...]:
    return tuple(item.key for item in items)


def _mount_fault(pod: Pod, volume: Volume, lookup: Lookup) -> str:
    """Return why the volume cannot be mounted, "" when it can; the faults of several sources in one list."""
    faults = [fault for one in _files(pod, volume) if (fault := _file_fault(one, lookup))]
    if not faults:
        return ""
    listed = faults[0] if len(faults) == 1 else f"[{', '.join(dict.fromkeys(faults))}]"
    return f'MountVolume.SetUp failed for volume "{volume.name}" : {listed}'


def _file_fault(reference: _Reference, lookup: Lookup) -> str:
    if reference.optional:
        return ""
    keys = lookup(reference.key)
    if keys is None:
        return "" if reference.key.name == ROOT_CERTIFICATES else reference.gone()
    absent = next((name for name in reference.wants if name not in keys.texts | keys.others), "")
    if not absent:
        return ""
    is_secret = reference.key.kind is SECRET
    return (
        f"{'references non-existent secret' if is_secret else 'configmap references non-existent config'} key: {absent}"
    )


def _config_map(pod: Pod, name: str) -> Key:
    return Key(CONFIG_MAP, pod.metadata.namespace, name)


def _secret(pod: Pod, name: str) -> Key:
    return Key(SECRET, pod.metadata.namespace, name)
