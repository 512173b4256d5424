"""What ``describe`` tells of configuration, claims, budgets and namespaces, and of kinds with no words of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rollplane.core import v1 as core
from rollplane.policy import v1 as policy
from rollplane_machinery import int_or_string
from rollplane_machinery.codec import to_json
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.selectors import label_selector_of
from rollplane_printing.describe_parts import head
from rollplane_printing.others import ACCESS_MODES
from rollplane_printing.table import NONE, or_none
from rollplane_printing.template_text import listed, pairs

_NAMED = ("Name", "Namespace", "Labels", "Annotations")


def claim_lines(claim: core.PersistentVolumeClaim, pods: Sequence[core.Pod]) -> list[str]:
    """Return the description of a claim; ``pods`` are those of its namespace."""
    spec, status = claim.spec, claim.status
    ending = is_being_deleted(claim.metadata)
    users = sorted(pod.metadata.name for pod in pods if claim.metadata.name in _claims_of(pod))
    return [
        *head(claim.metadata, "Name", "Namespace"),
        f"StorageClass:\t{spec.storage_class_name}",
        f"Status:\t{'Terminating' if ending else status.phase}",
        f"Volume:\t{spec.volume_name}",
        *head(claim.metadata, "Labels", "Annotations"),
        f"Finalizers:\t[{' '.join(claim.metadata.finalizers)}]",
        f"Capacity:\t{status.capacity['storage'].string if 'storage' in status.capacity else ''}",
        f"Access Modes:\t{','.join(ACCESS_MODES.get(mode, mode) for mode in status.access_modes)}",
        f"VolumeMode:\t{spec.volume_mode or 'Filesystem'}",
        *listed("Used By", users),
    ]


def _claims_of(pod: core.Pod) -> set[str]:
    sources = [volume.volume_source for volume in pod.spec.volumes]
    return {each.persistent_volume_claim.claim_name for each in sources if each.HasField("persistent_volume_claim")}


def claim_template_lines(claims: Sequence[core.PersistentVolumeClaim]) -> list[str]:
    """Return a StatefulSet's claims."""
    if not claims:
        return [f"Volume Claims:\t{NONE}"]
    lines = ["Volume Claims:"]
    for claim in claims:
        requests = claim.spec.resources.requests
        lines += [
            f"  Name:\t{claim.metadata.name}",
            f"  StorageClass:\t{claim.spec.storage_class_name}",
            *pairs("  Labels", claim.metadata.labels, "="),
            *pairs("  Annotations", claim.metadata.annotations, ": "),
            f"  Capacity:\t{requests['storage'].string if 'storage' in requests else '<default>'}",
            f"  Access Modes:\t[{' '.join(claim.spec.access_modes)}]",
        ]
    return lines


def _budget(budget: policy.PodDisruptionBudget) -> list[str]:
    spec, status = budget.spec, budget.status
    lines = head(budget.metadata, "Name", "Namespace")
    if spec.HasField("min_available"):
        lines.append(f"Min available:\t{int_or_string.to_plain(spec.min_available)}")
    elif spec.HasField("max_unavailable"):
        lines.append(f"Max unavailable:\t{int_or_string.to_plain(spec.max_unavailable)}")
    lines.append(f"Selector:\t{str(label_selector_of(spec.selector)) if spec.HasField('selector') else '<unset>'}")
    counts = {
        "Allowed disruptions": status.disruptions_allowed,
        "Current": status.current_healthy,
        "Desired": status.desired_healthy,
        "Total": status.expected_pods,
    }
    return [*lines, "Status:", *(f"    {title}:\t{count}" for title, count in counts.items())]


def _namespace(namespace: core.Namespace) -> list[str]:
    lines = [*head(namespace.metadata, "Name", "Labels", "Annotations"), f"Status:\t{namespace.status.phase}"]
    return [*lines, "", "No resource quota.", "", "No LimitRange resource."]


def _config_map(config: core.ConfigMap) -> list[str]:
    lines = [*head(config.metadata, *_NAMED), "", "Data", "===="]
    for name in sorted(config.data):
        lines += [f"{name}:", "----", *config.data[name].expandtabs().splitlines(), ""]
    lines += ["", "BinaryData", "===="]
    return [*lines, *(f"{name}: {len(config.binary_data[name])} bytes" for name in sorted(config.binary_data)), ""]


def _secret(secret: core.Secret) -> list[str]:
    """Sizes only: a description is shown to others more readily than a manifest."""
    lines = [*head(secret.metadata, *_NAMED), "", f"Type:\t{secret.type}", "", "Data", "===="]
    return [*lines, *(f"{name}:\t{len(secret.data[name])} bytes" for name in sorted(secret.data))]


def _service(service: core.Service) -> list[str]:
    spec = service.spec
    lines = [
        *head(service.metadata, *_NAMED),
        *pairs("Selector", spec.selector, "="),
        f"Type:\t{spec.type}",
        f"IP:\t{or_none(spec.cluster_ip)}",
    ]
    for port in spec.ports:
        lines.append(f"Port:\t{port.name or '<unset>'}  {port.port}/{port.protocol}")
        lines.append(f"TargetPort:\t{int_or_string.to_plain(port.target_port)}/{port.protocol}")
    return [*lines, f"Session Affinity:\t{spec.session_affinity}"]


def _service_account(account: core.ServiceAccount) -> list[str]:
    return [
        *head(account.metadata, *_NAMED),
        *listed("Image pull secrets", [each.name for each in account.image_pull_secrets]),
        *listed("Mountable secrets", [each.name for each in account.secrets]),
        f"Tokens:\t{NONE}",
    ]


def anything(message: ApiObject) -> list[str]:
    """Return an object of a kind without words of its own: every member of its JSON under a title made of its name."""
    data = to_json(message)
    metadata = data["metadata"]
    for name in ("name", "namespace", "labels", "annotations", "managedFields"):
        metadata.pop(name, None)
    named = head(message.metadata, *_NAMED)
    return [*named, *_members(data, "")]


def _members(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name in sorted(data):
        value, title = data[name], f"{indent}{_title(name)}"
        if isinstance(value, dict):
            yield f"{title}:"
            yield from _members(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{title}:"
            yield from _items(value, indent + "  ")
        else:
            yield f"{title}:\t{_plain(value)}"


def _items(values: Sequence[Any], indent: str) -> Iterator[str]:
    for value in values:
        yield from _members(value, indent) if isinstance(value, dict) else [f"{indent}{_plain(value)}"]


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _title(name: str) -> str:
    """``renewTime`` is told as ``Renew Time``, ``apiVersion`` as ``API Version``."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])|[^A-Za-z0-9]+", name)
    acronyms = {"api": "API", "uid": "UID", "url": "URL"}
    return " ".join(acronyms.get(word.lower(), word[:1].upper() + word[1:]) for word in words) or name


OTHERS: Mapping[type, Callable[[Any], list[str]]] = MappingProxyType(
    {
        core.Namespace: _namespace,
        core.ConfigMap: _config_map,
        core.Secret: _secret,
        core.Service: _service,
        core.ServiceAccount: _service_account,
        policy.PodDisruptionBudget: _budget,
    }
)
"""By message type: kinds that are described by themselves alone."""
