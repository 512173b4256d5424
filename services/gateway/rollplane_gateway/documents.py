"""Documents that are the same for everybody: made once, with an ETag, and not sent again to who has them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from types import MappingProxyType

import orjson

from rollplane_gateway.replies import JSON, Reply


@dataclass(frozen=True, eq=False)
class Document:
    """Bytes of one ``content_type``, and the headers that go with them."""

    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, content_type: str = JSON, **headers: str) -> Document:
        """Return ``value`` as JSON; underscores in the names of ``headers`` stand for hyphens."""
        return cls(orjson.dumps(value), content_type, {name.replace("_", "-"): text for name, text in headers.items()})

    @cached_property
    def digest(self) -> str:
        """A hash of the bytes: another content has another one."""
        return hashlib.sha256(self.body).hexdigest().upper()

    def reply(self, if_none_match: str = "", more: Mapping[str, str] = MappingProxyType({})) -> Reply:
        """Return the document with ``more`` headers, or, where ``if_none_match`` names it, that it has not changed."""
        headers = {"ETag": f'"{self.digest}"', **self.headers, **more}
        if _names(if_none_match, headers["ETag"]):
            return Reply(b"", self.content_type, HTTPStatus.NOT_MODIFIED, headers)
        return Reply(self.body, self.content_type, HTTPStatus.OK, headers)


def _names(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags
