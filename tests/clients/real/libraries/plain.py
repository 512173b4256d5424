"""The REST API as any program speaks it that knows no more than HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECONDS = 30


@dataclass(frozen=True)
class Answered:
    """An answer, its headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Rest:
    """One connection for each request."""

    url: str

    def send(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **headers: str
    ) -> Answered:
        """Send ``body``, text as it is and all else as JSON; header names have _ for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else body if isinstance(body, str) else json.dumps(body)
        if content is not None:
            sent["Content-Type"] = content_type
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=SECONDS)
        try:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answered(answer.status, told, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answered:
        return self.send("GET", path, **headers)

    def read(self, path: str) -> Any:
        """Return the JSON of what must be there."""
        answer = self.get(path)
        assert answer.status == 200, answer.body
        return answer.json
