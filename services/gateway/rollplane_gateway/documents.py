"""Documents that are the same for everybody: made once, with an ETag, and not sent again to who has them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus

import orjson

JSON = "application/json"


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

    def answer(self, if_none_match: str = "") -> Answer:
        """Return the document, or, where ``if_none_match`` names it, that it has not changed."""
        headers = {"Content-Type": self.content_type, "ETag": f'"{self.digest}"', **self.headers}
        if _names(if_none_match, headers["ETag"]):
            return Answer(HTTPStatus.NOT_MODIFIED, headers)
        return Answer(HTTPStatus.OK, headers, self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent."""

    status: HTTPStatus
    headers: Mapping[str, str]
    body: bytes = b""


def _names(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags
