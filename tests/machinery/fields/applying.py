"""One stored object, and writers that apply to it or change it, without defaults and without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rollplane_machinery.codec import from_json, to_json
from rollplane_machinery.fields import (
    Managers,
    Writer,
    apply_configuration,
    owners_after_update,
    read_configuration,
    read_managers,
    written_managers,
)
from rollplane_machinery.fields.elements import printed
from rollplane_machinery.kinds import BY_API_VERSION_KIND, ApiObject

DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}}


def deployment(**spec: Any) -> dict[str, Any]:
    """A configuration of a Deployment with just this spec."""
    return {**DEPLOYMENT, "spec": spec}


def containers(*listed: dict[str, Any]) -> dict[str, Any]:
    """A configuration of a Deployment with just these containers."""
    return deployment(template={"spec": {"containers": list(listed)}})


@dataclass
class Stored:
    """An object and its owners; each write comes a second after the one before."""

    found: ApiObject | None = None
    now: float = 1_000.0

    def apply(self, manager: str, config: dict[str, Any], *, force: bool = False, subresource: str = "") -> None:
        self.now += 1
        kind = BY_API_VERSION_KIND[config["apiVersion"], config["kind"]]
        configuration = read_configuration(json.dumps(config).encode(), kind)
        writer = Writer(manager, subresource, self.now)
        merged = apply_configuration(configuration, self.found, writer, force=force)
        self._store(merged.object, merged.managers)

    def create(self, manager: str, data: dict[str, Any]) -> None:
        self.now += 1
        new: ApiObject = from_json(data)
        kind = BY_API_VERSION_KIND[data["apiVersion"], data["kind"]]
        self._store(new, owners_after_update(kind, new, None, Writer(manager, "", self.now)))

    def update(self, manager: str, change: Callable[[dict[str, Any]], object], subresource: str = "") -> None:
        self.now += 1
        assert self.found is not None
        data = to_json(self.found)
        change(data)
        new: ApiObject = from_json(data)
        kind = BY_API_VERSION_KIND[data["apiVersion"], data["kind"]]
        self._store(new, owners_after_update(kind, new, self.found, Writer(manager, subresource, self.now)))

    def _store(self, new: ApiObject, managers: Managers) -> None:
        new.metadata.ClearField("managed_fields")
        new.metadata.managed_fields.extend(written_managers(managers))
        self.found = new

    @property
    def json(self) -> dict[str, Any]:
        """The object without its owners."""
        assert self.found is not None
        data = to_json(self.found)
        data["metadata"].pop("managedFields", None)
        return data

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.json["spec"]
        return spec

    @property
    def containers(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.spec["template"]["spec"]["containers"]
        return [{name: value for name, value in each.items() if value != {}} for each in listed or []]

    def owned(self, manager: str) -> list[str]:
        """The paths that ``manager`` owns by any entry."""
        assert self.found is not None
        managers = read_managers(self.found.metadata.managed_fields)
        return [printed(p) for each, owned in managers.items() if each.name == manager for p in owned.fields.paths()]
