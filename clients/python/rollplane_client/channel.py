"""How a connection to one or several apiservers is set up."""

from __future__ import annotations

import ipaddress

import grpc

from rollplane_machinery.errors import BadRequestError

MIB = 1024 * 1024

OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.max_receive_message_length", 8 * MIB),
    ("grpc.max_send_message_length", 8 * MIB),
    # A watch may be silent for long: pings find a peer that vanished without a word.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
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
