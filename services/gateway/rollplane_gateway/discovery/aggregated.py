"""The aggregated form: all groups, versions and resources in one answer (apidiscovery.k8s.io/v2 and v2beta1)."""

from __future__ import annotations

from rollplane_machinery.served import GroupVersion, Resource, Served, ServedType, Subresource

Json = dict[str, object]

VERSIONS = ("v2", "v2beta1")
"""The two say the same; a client takes the one that it asked for, and no other."""


def content_type(version: str) -> str:
    """Return how the answer calls itself; a client that does not read its question back takes it for the plain form."""
    return f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


def group_discovery_list(served: Served, version: str, *, core: bool) -> Json:
    """Return the core group for ``/api``, or all the others for ``/apis``."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": [
            _group(served, group, versions) for group, versions in served.groups.items() if (group == "") is core
        ],
    }


def _group(served: Served, group: str, versions: tuple[GroupVersion, ...]) -> Json:
    metadata = {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None}
    return {"metadata": metadata, "versions": [_version(served, each) for each in versions]}


def _version(served: Served, group_version: GroupVersion) -> Json:
    return {
        "version": group_version.version,
        "resources": [_resource(each) for each in served.by_group_version[group_version]],
        "freshness": "Current",
    }


def _resource(resource: Resource) -> Json:
    told: Json = {
        "resource": resource.plural,
        "responseKind": _kind(resource.type),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    }
    if resource.short_names:
        told["shortNames"] = resource.short_names
    if resource.categories:
        told["categories"] = resource.categories
    if resource.subresources:
        told["subresources"] = [_subresource(each) for each in resource.subresources]
    return told


def _subresource(subresource: Subresource) -> Json:
    return {
        "subresource": subresource.name,
        "responseKind": _kind(subresource.type),
        "verbs": subresource.verbs,
    }


def _kind(type_: ServedType) -> Json:
    return {"group": type_.group_version.group, "version": type_.group_version.version, "kind": type_.name}
