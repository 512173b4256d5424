"""Functions of texts that Kubernetes adds: what matches a pattern, and the parts of URLs.

Source: kubernetes/apiserver pkg/cel/library/regex.go and urls.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from cel_expr_python.cel import Type
from google.protobuf.message import Message

from rollplane_machinery.structural.cel.functions import Function, function, member
from rollplane_machinery.structural.cel.messages import URL, maker, text_of
from rollplane_machinery.structural.grammars import FORMATS
from rollplane_machinery.structural.patterns import PatternError, finder

_url = maker("kubernetes.URL")
_TEXTS = Type.List(Type.STRING)
_KEPT_IN_PATHS = "%/:;@&=+$,!*'()~-._"


def _find(text: str, pattern: str) -> str:
    return next(iter(_find_all(text, pattern, 1)), "")


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    try:
        return finder(pattern)(text, limit)
    except PatternError as error:
        raise ValueError(f"Illegal regex: {error}") from error


def _to_url(text: str) -> Message:
    if not FORMATS["uri"](text):
        raise ValueError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return _url(text)


def _split(value: Message) -> SplitResult:
    return urlsplit(text_of(value))


def _host(value: Message) -> str:
    return _split(value).netloc.rpartition("@")[2]


def _hostname(value: Message) -> str:
    host = _host(value)
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _port(value: Message) -> str:
    return _host(value).rpartition("]")[2].partition(":")[2]


def _path(value: Message) -> str:
    return quote(_split(value).path, safe=_KEPT_IN_PATHS)


def _query(value: Message) -> dict[str, list[str]]:
    return parse_qs(_split(value).query, keep_blank_values=True)


FUNCTIONS: Sequence[Function] = (
    member("find", _find, Type.STRING, Type.STRING, Type.STRING),
    member("findAll", _find_all, _TEXTS, Type.STRING, Type.STRING),
    member("findAll", _find_all, _TEXTS, Type.STRING, Type.STRING, Type.INT),
    function("url", _to_url, URL, Type.STRING),
    function("isURL", FORMATS["uri"], Type.BOOL, Type.STRING),
    member("getScheme", lambda value: _split(value).scheme, Type.STRING, URL),
    member("getHost", _host, Type.STRING, URL),
    member("getHostname", _hostname, Type.STRING, URL),
    member("getPort", _port, Type.STRING, URL),
    member("getEscapedPath", _path, Type.STRING, URL),
    member("getQuery", _query, Type.Map(Type.STRING, _TEXTS), URL),
)
