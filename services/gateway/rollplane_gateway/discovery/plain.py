"""The plain form: one answer for the groups, and one for each version of each group."""

from __future__ import annotations

from rollplane_machinery.served import GroupVersion, Resource, Served, ServedType, Subresource

Json = dict[str, object]


def api_versions(served: Served, server_address: str) -> Json:
    """Return the versions of the core group; ``server_address`` is where the client reached us."""
    return {
        "kind": "APIVersions",
        "versions": [each.version for each in served.groups[""]],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}],
    }


def group_list(served: Served) -> Json:
    """Return every group but the core one."""
    groups = [_group(group, versions) for group, versions in served.groups.items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(served: Served, name: str) -> Json:
    """Return the versions of the group ``name``; KeyError when it is not served."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, served.groups[name])}


def _group(name: str, versions: tuple[GroupVersion, ...]) -> Json:
    told = [{"groupVersion": str(each), "version": each.version} for each in versions]
    return {"name": name, "versions": told, "preferredVersion": told[0]}


def resource_list(served: Served, group_version: GroupVersion) -> Json:
    """Return the resources and subresources of ``group_version``; KeyError when it is not served."""
    resources = served.by_group_version[group_version]
    told: Json = {"kind": "APIResourceList"}
    if group_version.group:  # a kube-apiserver forgets it for the core group
        told["apiVersion"] = "v1"
    told["groupVersion"] = str(group_version)
    told["resources"] = [entry for each in resources for entry in (_resource(each), *_subresources(each))]
    return told


def _resource(resource: Resource) -> Json:
    told: Json = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.type.name,
        "verbs": resource.verbs,
    }
    if resource.short_names:
        told["shortNames"] = resource.short_names
    if resource.categories:
        told["categories"] = resource.categories
    if resource.storage_version_hash:
        told["storageVersionHash"] = resource.storage_version_hash
    return told


def _subresources(resource: Resource) -> list[Json]:
    return [_subresource(resource, each) for each in resource.subresources]


def _subresource(resource: Resource, subresource: Subresource) -> Json:
    return {
        "name": f"{resource.plural}/{subresource.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        **_foreign(subresource.type, resource.group_version),
        "kind": subresource.type.name,
        "verbs": subresource.verbs,
    }


def _foreign(type_: ServedType, home: GroupVersion) -> Json:
    """Return group and version of a kind from elsewhere: ``deployments/scale`` is a Scale of autoscaling/v1."""
    if type_.group_version == home:
        return {}
    return {"group": type_.group_version.group, "version": type_.group_version.version}
