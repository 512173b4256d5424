"""Which path of discovery is answered by which document."""

from __future__ import annotations

from collections.abc import Callable

from rollplane_gateway.discovery import aggregated, plain
from rollplane_gateway.discovery.negotiation import aggregated_version
from rollplane_gateway.discovery.version import version
from rollplane_gateway.documents import Document
from rollplane_machinery.releases import Release
from rollplane_machinery.served import GroupVersion, Served, served


class Discovery:
    """The documents of ``/version``, ``/api``, ``/apis`` and what stands right below them, each made when first asked
    for, and again when something else is served."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._served = served(release)
        self._documents: dict[str, Document] = {}

    def document(self, path: str, accept: str = "", host: str = "", served: Served | None = None) -> Document | None:
        """Return what stands at ``path``, with or without a slash at its end; None where it is not discovery's.

        ``accept`` is the header, ``host`` the address at which the client reached us, ``served`` what is told of; None
        is what was told last, at first what is built in.
        """
        if served is not None and served is not self._served:
            self._served = served
            self._documents.clear()
        segments = tuple(path.strip("/").split("/"))
        match segments:
            case ("api" | "apis" as root,):
                return self._groups(root, aggregated_version(accept), host)
            case ("version",):
                return self._kept("version", lambda: Document.of(version(self._release)))
            case ("apis", group) if group in self._served.groups:
                return self._kept(group, lambda: Document.of(plain.group(self._served, group)))
            case ("api", number):
                return self._resources(GroupVersion("", number))
            case ("apis", group, number) if group:
                return self._resources(GroupVersion(group, number))
        return None

    def _groups(self, root: str, asked: str | None, host: str) -> Document:
        """The groups, aggregated or plain: which one depends on what the client accepts."""
        if asked is not None:
            return self._kept(f"{root} {asked}", lambda: self._aggregated(asked, core=root == "api"))
        if root == "api":
            return Document.of(plain.api_versions(self._served, host), Vary="Accept")
        return self._kept(root, lambda: Document.of(plain.group_list(self._served), Vary="Accept"))

    def _aggregated(self, asked: str, *, core: bool) -> Document:
        told = aggregated.group_discovery_list(self._served, asked, core=core)
        return Document.of(told, aggregated.content_type(asked), Vary="Accept")

    def _resources(self, group_version: GroupVersion) -> Document | None:
        if group_version not in self._served.by_group_version:
            return None
        return self._kept(str(group_version), lambda: Document.of(plain.resource_list(self._served, group_version)))

    def _kept(self, name: str, make: Callable[[], Document]) -> Document:
        if name not in self._documents:
            self._documents[name] = make()
        return self._documents[name]
