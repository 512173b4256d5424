"""Where the server may listen: this machine only, unless told otherwise in so many words."""

from __future__ import annotations

import ipaddress


def check_address(address: str, *, insecure_bind: bool) -> None:
    """Raise ValueError when ``address`` (``host:port`` or ``unix:path``) is malformed or open to other machines.

    Calls are neither encrypted nor authenticated, so an address that others can reach is refused unless
    ``insecure_bind`` takes the responsibility.
    """
    if address.startswith("unix:"):
        return
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) < 65536):
        raise ValueError(f"{address!r} is no address: want host:port or unix:path")
    if not insecure_bind and not is_loopback(host.removeprefix("[").removesuffix("]")):
        raise ValueError(
            f"refusing to listen on {address}: other machines could reach it, and calls are neither encrypted nor "
            "authenticated. Listen on 127.0.0.1, or give --insecure-bind if the network is private"
        )


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host``; a name other than localhost may mean anything."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def with_port(address: str, port: int) -> str:
    """Return ``address`` with the port that was bound in place of the one asked for."""
    return address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"
