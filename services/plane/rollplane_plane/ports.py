"""Which ports a plane listens on: those that everybody knows if they are free, others if they are not, and says so."""

from __future__ import annotations

import socket

from rollplane_machinery.errors import SetupError

HOST = "127.0.0.1"
ANY = 0
MAX_PORT = 65_535


def is_free(port: int) -> bool:
    """Return whether nobody listens on ``port`` of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port of the system's choice that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, ANY))
        return int(probe.getsockname()[1])


def server_port(asked: int | None, usual: int, flag: str = "--port") -> int:
    """Return the port to serve on: the one asked for, 0 for any; else the usual one, another if that is taken.

    Raises SetupError when the one asked for is taken: whoever asked would talk to somebody else there.
    """
    if asked == ANY:
        return free_port()
    if asked is not None and not is_free(asked):
        raise SetupError(
            f"port {asked} is taken: another plane or another program listens there; "
            f"name another with {flag}, or {flag} 0 for any free one"
        )
    port = usual if asked is None else asked
    return port if is_free(port) else free_port()


def untaken(address: str) -> str:
    """Return ``address``, with another port if that one is taken."""
    return address if is_free(int(address.rpartition(":")[2])) else f"{HOST}:{free_port()}"
