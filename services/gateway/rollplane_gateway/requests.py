"""One HTTP request as a value, whatever server read it: path, parameters, headers and body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qsl

from rollplane_machinery.api import MAX_NUMBER
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.showing import cut

_NO = ("false", "0")
MAX_PARAMETERS = 1000
IMPERSONATE = "impersonate-"


class Query:
    """The parameters of a URL; of one that is given several times the first counts, as in Go."""

    def __init__(self, text: str = "") -> None:
        self._values: dict[str, str] = {}
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
        except ValueError as exc:
            raise BadRequestError(f"the query has more than {MAX_PARAMETERS} parameters") from exc
        for name, value in pairs:
            self._values.setdefault(name, value)

    def text(self, name: str) -> str:
        """Return the parameter, empty when it is not given."""
        return self._values.get(name, "")

    def given(self, name: str) -> bool:
        """Return whether the parameter is there, if only with an empty value."""
        return name in self._values

    def flag(self, name: str) -> bool:
        """Return whether the parameter is given and neither ``false`` nor ``0``, as Kubernetes reads it."""
        return name in self._values and self._values[name].lower() not in _NO

    def number(self, name: str) -> int | None:
        """Return the parameter as a whole number, None when it is not given; raises BadRequestError for another."""
        text = self.text(name)
        if not text:
            return None
        try:
            return _parsed(text, "ParseInt")
        except ValueError as exc:
            raise BadRequestError(f"{name}: {exc}") from exc

    def version(self) -> int:
        """Return ``resourceVersion``, 0 for any; raises BadRequestError for what is none."""
        text = self.text("resourceVersion")
        if not text:
            return 0
        try:
            return _parsed(text, "ParseUint")
        except ValueError as exc:
            raise BadRequestError(f'resourceVersion: Invalid value: "{cut(text)}": {exc}') from exc


def _parsed(text: str, function: str) -> int:
    """Return ``text`` as a number; raises ValueError with what Go's ``function`` would say."""
    digits = text.removeprefix("-") if function == "ParseInt" else text
    if not (digits.isascii() and digits.isdecimal()):
        raise ValueError(f'strconv.{function}: parsing "{cut(text)}": invalid syntax')
    if len(digits) > len(str(MAX_NUMBER)) or int(digits) > MAX_NUMBER:
        raise ValueError(f'strconv.{function}: parsing "{cut(text)}": value out of range')
    return int(text)


NO_QUERY = Query()


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent.

    ``path`` is as it was written, still quoted, without the query. ``headers`` are by lower-case name. ``body`` is
    whole, and read only for methods that may bring one. ``impersonation`` holds the ``Impersonate-*`` headers as they
    came, since one name may come several times.
    """

    method: str
    path: str
    query: Query = NO_QUERY
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""
    impersonation: tuple[tuple[str, str], ...] = ()

    @property
    def accept(self) -> str:
        """The media types wanted, empty for any."""
        return self.headers.get("accept", "")

    @property
    def content_type(self) -> str:
        """The media type of the body with its parameters, empty when it does not say."""
        return self.headers.get("content-type", "")

    @property
    def if_none_match(self) -> str:
        """Which versions of a document the client has."""
        return self.headers.get("if-none-match", "")

    @property
    def user_agent(self) -> str:
        """The client's name for itself."""
        return self.headers.get("user-agent", "")
