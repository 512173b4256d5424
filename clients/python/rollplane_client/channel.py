"""How a connection to one or several apiservers is set up."""

from __future__ import annotations

import ipaddress

import grpc

from rollplane_machinery.errors import BadRequestError

MAX_REQUEST_BYTES = 8 * 1024 * 1024
"""The largest message that leaves, and that a server takes."""

PING_SECONDS = 1.0
"""A connection on which nothing was heard for so long is asked for a sign of life."""

SILENCE_SECONDS = 2.5
"""How long one waits for that sign. Also a loaded server gives it at once: gRPC's own threads answer."""

OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", MAX_REQUEST_BYTES),
    # Pings find a peer that vanished, or stands still, without a word; its calls then go to another address.
    ("grpc.keepalive_time_ms", int(PING_SECONDS * 1000)),
    ("grpc.keepalive_timeout_ms", int(SILENCE_SECONDS * 1000)),
    # One that gRPC sent to measure the bandwidth stands in for a ping of ours, and would be waited for a minute.
    ("grpc.http2.ping_timeout_ms", int(SILENCE_SECONDS * 1000)),
    ("grpc.http2.max_pings_without_data", 0),
    # An apiserver that restarts is back within a second; gRPC's own default would stay away for up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.lb_policy_name", "round_robin"),
    # Nobody but us decides about retries, least of all a TXT record.
    ("grpc.service_config_disable_resolution", 1),
)


def target_of(address: str) -> str:
    """Return gRPC's name for ``address``; raises BadRequestError when it is not one.

    ``host:port`` is looked up and may have many addresses; ``10.0.0.1:7070,10.0.0.2:7070`` lists them; a URI
    (``unix:/run/x.sock``, ``dns:///host:port``) is taken as it is.
    """
    parts = [part.strip() for part in address.split(",")]
    if not all(parts):
        raise BadRequestError(f"no address: {address!r}")
    if len(parts) == 1:
        return parts[0]
    versions = {_version(part) for part in parts}
    if len(versions) != 1:
        raise BadRequestError(f"IPv4 and IPv6 mixed in {address!r}")
    return f"ipv{versions.pop()}:{','.join(parts)}"


def open_channel(address: str) -> grpc.aio.Channel:
    """Return a channel that connects when it is first used, and spreads calls over all addresses it has."""
    return grpc.aio.insecure_channel(target_of(address), options=OPTIONS)


def _version(part: str) -> int:
    host, _, port = part.rpartition(":")
    if not port.isdigit():
        raise BadRequestError(f"each of several addresses must be ip:port, not {part!r}")
    try:
        return ipaddress.ip_address(host.strip("[]")).version
    except ValueError as exc:
        raise BadRequestError(f"each of several addresses must be ip:port: {exc}") from exc
