"""``python -m rollplane_service.probe ADDRESS``: is the process there serving? The health check of containers.

Asks ``grpc.health.v1``; exit code 0 for SERVING, 1 with one line for anything else. Blocks SECONDS at most.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

SECONDS = 3.0


def run(arguments: Sequence[str]) -> int:
    """Probe the address that is the one argument, and return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m rollplane_service.probe ADDRESS\n")
        return 2
    address = arguments[0]
    try:
        status = check(address)
    except grpc.RpcError as exc:
        sys.stderr.write(f"{address}: {exc.details() if isinstance(exc, grpc.Call) else exc}\n")
        return 1
    if status != HealthCheckResponse.SERVING:
        sys.stderr.write(f"{address}: {HealthCheckResponse.ServingStatus.Name(status)}\n")
        return 1
    return 0


def check(address: str) -> HealthCheckResponse.ServingStatus:
    """Return the status of the whole process at ``address``. Raises grpc.RpcError when it does not answer."""
    with grpc.insecure_channel(address) as channel:
        stub = HealthStub(channel)  # type: ignore[no-untyped-call]
        answer: HealthCheckResponse = stub.Check(HealthCheckRequest(), timeout=SECONDS)
    return answer.status


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
