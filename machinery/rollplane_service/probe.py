"""``python -m rollplane_service.probe ADDRESS [--ready]``: is the process there alive, is it ready? For containers.

Asks ``grpc.health.v1``; exit code 0 for SERVING, 1 with one line for anything else. Blocks SECONDS at most.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from rollplane_service.health import ALIVE, READY

SECONDS = 3.0


def run(arguments: Sequence[str]) -> int:
    """Probe the address named, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m rollplane_service.probe", description="Is the process there alive?"
    )
    parser.add_argument("address", metavar="ADDRESS", help="host:port of grpc.health.v1")
    parser.add_argument("--ready", action="store_true", help="ask whether it can do its work now")
    given = parser.parse_args(arguments)
    try:
        status = check(given.address, READY if given.ready else ALIVE)
    except grpc.RpcError as exc:
        sys.stderr.write(f"{given.address}: {exc.details() if isinstance(exc, grpc.Call) else exc}\n")
        return 1
    if status != HealthCheckResponse.SERVING:
        sys.stderr.write(f"{given.address}: {HealthCheckResponse.ServingStatus.Name(status)}\n")
        return 1
    return 0


def check(address: str, service: str) -> HealthCheckResponse.ServingStatus:
    """Return the status of ``service`` at ``address``. Raises grpc.RpcError when it does not answer."""
    with grpc.insecure_channel(address) as channel:
        stub = HealthStub(channel)  # type: ignore[no-untyped-call]
        answer: HealthCheckResponse = stub.Check(HealthCheckRequest(service=service), timeout=SECONDS)
    return answer.status


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
