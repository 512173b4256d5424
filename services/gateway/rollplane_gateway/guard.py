"""Who may not come in: web pages of other origins, and names that were made to point at this machine.

A browser reaches a loopback server as easily as any other. It says in ``Origin`` whose page asks, and in ``Host`` by
which name it was sent; a name of an attacker's that resolves to 127.0.0.1 (DNS rebinding) shows there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from rollplane_gateway.statuses import RefusedError
from rollplane_machinery.errors import Reason


class Guard:
    """Lets in whoever asked for an address, for localhost or for one of ``hosts`` (names, without port)."""

    def __init__(self, hosts: Collection[str] = ()) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise RefusedError (403) for a request that a web page may have been made to send."""
        host = headers.get("host", "")
        if not self._is_ours(_name_of(f"//{host}")):
            raise _refused(f"this server is not called {host!r}: use its address, or localhost")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise _refused(f"pages of {origin!r} may not use this server")
        if headers.get("sec-fetch-site", "none") == "cross-site":
            raise _refused("pages of other sites may not use this server")

    def _is_ours(self, name: str) -> bool:
        return name == "localhost" or name.endswith(".localhost") or name in self._hosts or _is_address(name)


def _name_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refused(message: str) -> RefusedError:
    return RefusedError(HTTPStatus.FORBIDDEN, Reason.FORBIDDEN, message)
