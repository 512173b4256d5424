"""Continue tokens: where a list goes on, at which revision, and of which question it is the answer."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from typing import Self

from rollplane_machinery.api import ListQuery
from rollplane_machinery.errors import BadRequestError

_VERSION = 1


@dataclass(frozen=True, slots=True)
class ContinueToken:
    """The list as it was at ``revision`` goes on behind the store key ``after``; any apiserver can continue it."""

    revision: int
    after: str
    question: int

    @classmethod
    def of(cls, query: ListQuery, revision: int, after: str) -> Self:
        return cls(revision, after, _question(query))

    @classmethod
    def parse(cls, query: ListQuery) -> Self:
        """Return the token in ``query``; raises BadRequestError when it is none or belongs to another question."""
        try:
            content = json.loads(base64.urlsafe_b64decode(query.continue_token))
            version, revision, after, question = content
        except (ValueError, TypeError, binascii.Error) as exc:
            raise BadRequestError("the continue token is not valid", resource=query.kind.resource) from exc
        if version != _VERSION or not isinstance(revision, int) or not isinstance(after, str):
            raise BadRequestError("the continue token is not valid", resource=query.kind.resource)
        if question != _question(query):
            raise BadRequestError("the continue token belongs to another list", resource=query.kind.resource)
        return cls(revision, after, question)

    def __str__(self) -> str:
        content = json.dumps([_VERSION, self.revision, self.after, self.question], separators=(",", ":"))
        return base64.urlsafe_b64encode(content.encode()).decode()


def _question(query: ListQuery) -> int:
    """A checksum of what must stay the same from page to page."""
    asked = [query.kind.resource, query.namespace, query.label_selector, query.field_selector]
    return zlib.crc32(json.dumps(asked).encode())
