"""What must be there because what runs today refers to it, although nobody exported it.

Only for what runs *before*: what a new version refers to and nobody brings is what a rehearsal is to find.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rollplane.core.v1 import ConfigMap, Namespace, PersistentVolumeClaim, Pod, PodSpec, Secret, ServiceAccount
from rollplane_kubelet_sim.stages.references import wanted_of
from rollplane_machinery.api import Key
from rollplane_machinery.codec import Manifest
from rollplane_machinery.codec.manifests import written_of
from rollplane_machinery.kinds import (
    CONFIG_MAP,
    NAMESPACE,
    ApiObject,
    kind_of,
)
from rollplane_machinery.pod_specs import pod_spec_of

M = TypeVar("M", bound=ApiObject)

PRESENT = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
"""Namespaces that every plane has."""
ANYTHING = "assumed"


def assumed(manifests: Iterable[Manifest], given: Iterable[Manifest] = ()) -> list[Manifest]:
    """Return stand-ins for what ``manifests`` refer to and neither they nor ``given`` bring, namespaces first."""
    ours = list(manifests)
    there = {_key(each.object) for each in (*ours, *given)}
    wanted: dict[Key, ApiObject] = {}
    for manifest in ours:
        for stand_in in _referred(manifest.object):
            wanted.setdefault(_key(stand_in), stand_in)
    missing = [each for key, each in sorted(wanted.items(), key=_order) if key not in there]
    return [Manifest(each, 1, 1, ANYTHING, written_of(each)) for each in missing]


def _order(item: tuple[Key, ApiObject]) -> tuple[bool, str]:
    return item[0].kind is not NAMESPACE, str(item[0])


def _key(message: ApiObject) -> Key:
    return Key(kind_of(message), message.metadata.namespace, message.metadata.name)


def _referred(message: ApiObject) -> Iterator[ApiObject]:
    namespace = message.metadata.namespace
    if namespace and namespace not in PRESENT:
        yield _named(Namespace(), "", namespace)
    located = pod_spec_of(message)
    if located is None:
        return
    account = located.spec.service_account_name
    if account and account != "default":
        yield _named(ServiceAccount(), namespace, account)
    for volume in located.spec.volumes:
        if claim := volume.volume_source.persistent_volume_claim.claim_name:
            yield _claim(namespace, claim)
    yield from _configuration(namespace, located.spec)


def _configuration(namespace: str, spec: PodSpec) -> Iterator[ApiObject]:
    pod = Pod(spec=spec)
    pod.metadata.namespace = namespace
    for key, names in wanted_of(pod).items():
        if key.kind is CONFIG_MAP:
            config_map = _named(ConfigMap(), namespace, key.name)
            config_map.data.update(dict.fromkeys(sorted(names), ""))
            yield config_map
        else:
            secret = _named(Secret(), namespace, key.name)
            secret.data.update(dict.fromkeys(sorted(names), b""))
            yield secret


def _claim(namespace: str, name: str) -> PersistentVolumeClaim:
    claim = _named(PersistentVolumeClaim(), namespace, name)
    claim.spec.access_modes.append("ReadWriteOnce")
    claim.spec.resources.requests["storage"].string = "1Gi"
    return claim


def _named(message: M, namespace: str, name: str) -> M:
    message.metadata.namespace, message.metadata.name = namespace, name
    return message


def told(stand_ins: Iterable[Manifest]) -> list[str]:
    """Return the stand-ins as people read them: ``secret shop/web``."""
    keys = [_key(each.object) for each in stand_ins]
    return [f"{key.kind.singular} {f'{key.namespace}/' if key.namespace else ''}{key.name}" for key in keys]
