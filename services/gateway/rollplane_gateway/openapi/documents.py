"""The documents below ``/openapi``, made when first asked for: an index, one of version 3 for each group and version,
and one of version 2 for all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from http import HTTPStatus

from rollplane_gateway.documents import Document
from rollplane_gateway.openapi.names import Json
from rollplane_gateway.openapi.specification import specification
from rollplane_gateway.openapi.swagger import swagger
from rollplane_gateway.openapi.swagger_protobuf import swagger_protobuf
from rollplane_gateway.replies import Reply
from rollplane_machinery.kinds import CustomKind
from rollplane_machinery.releases import Release
from rollplane_machinery.served import GroupVersion, Resource, Served, served

_FOR_EVER = {"Cache-Control": "public, immutable, max-age=31536000"}
"""Of an address that names its content: another content has another one."""


_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_PROTOBUF_TOLD = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""How it calls itself: a type with an @ in it is none, and clients refuse it."""


class OpenApi:
    """Making them takes some tenths of a second, in ``make_version_3`` and ``make_version_2``; the rest is quick.

    Those of what is ``now`` served, None for what is built in. What has not changed is taken from the documents
    ``before``.
    """

    def __init__(self, release: Release, now: Served | None = None, before: OpenApi | None = None) -> None:
        self._release = release
        self._built_in = served(release)
        self._served = now or self._built_in
        self._before = before

    def make_version_3(self) -> None:
        """Make the index and the documents that it names, where they are not yet made."""
        _ = self.index

    def make_version_2(self) -> None:
        """Make the document of version 2 in both forms, where it is not yet made."""
        _ = self._version_2

    @cached_property
    def index(self) -> Document:
        """Return where each document of version 3 is; the address changes with its content."""
        paths = {name: {"serverRelativeURL": _address(name, each)} for name, each in self._documents.items()}
        return Document.of({"paths": paths})

    def version_3(self, name: str, digest: str, if_none_match: str = "") -> Reply | None:
        """Return the document ``name`` (``apis/apps/v1``); None when there is none.

        With its ``digest`` it may be kept for ever; with an old one the client is sent on to the new one.
        """
        document = self._documents.get(name)
        if document is None:
            return None
        if not digest:
            return document.reply(if_none_match)
        if digest != document.digest:
            return Reply(b"", status=HTTPStatus.MOVED_PERMANENTLY, headers={"Location": _address(name, document)})
        return document.reply(if_none_match, _FOR_EVER)

    def version_2(self, accept: str) -> Document:
        """Return the document of version 2: as protobuf to who accepts that, else as JSON."""
        as_json, as_protobuf = self._version_2
        return as_protobuf if _PROTOBUF in accept else as_json

    @cached_property
    def _specifications(self) -> dict[GroupVersion, Json]:
        """What each version's document says; ``before`` is let go of once it has given what it has."""
        made = {version: self._specification(version) for version in self._served.by_group_version}
        kept = self._before._documents if self._before is not None else {}
        same = self._before._specifications if self._before is not None else {}
        self._kept = {_name(each): kept[_name(each)] for each, told in made.items() if told is same.get(each)}
        self._before = None
        return made

    def _specification(self, version: GroupVersion) -> Json:
        resources = self._served.by_group_version[version]
        before = self._before
        if before is not None and _basis(resources) == _basis(before._served.by_group_version.get(version, ())):
            return before._specifications[version]
        versions = dict.fromkeys((*self._built_in.by_group_version, version))
        return specification(resources, self._release.version, versions)

    @cached_property
    def _documents(self) -> dict[str, Document]:
        specifications = self._specifications
        return {_name(each): self._kept.get(_name(each)) or Document.of(made) for each, made in specifications.items()}

    @cached_property
    def _version_2(self) -> tuple[Document, Document]:
        document = swagger(self._specifications.values())
        protobuf = swagger_protobuf(document)
        return Document.of(document, Vary="Accept"), Document(protobuf, _PROTOBUF_TOLD, {"Vary": "Accept"})


def _name(version: GroupVersion) -> str:
    return version.path.removeprefix("/")


def _basis(resources: Sequence[Resource]) -> list[object]:
    """Return what the document of ``resources`` depends on: what a definition says is the same as long as it is one."""
    return [
        (each.plural, each.stored.definition if isinstance(each.stored, CustomKind) else each.type.message)
        for each in resources
    ]


def _address(name: str, document: Document) -> str:
    return f"/openapi/v3/{name}?hash={document.digest}"
