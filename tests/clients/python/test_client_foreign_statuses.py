"""A status that is not our server's own word is no answer to a write, whatever its code says."""

from __future__ import annotations

import grpc
import pytest

from rollplane_client.grpc_api import connect
from rollplane_client.retry import RetryPolicy
from rollplane_machinery.errors import Outcome, RequestTooLargeError, RollplaneError
from rollplane_machinery.kinds import CONFIG_MAP
from tests.clients.python.plane import Plane, config_map, create, key

ONCE = RetryPolicy(give_up_seconds=0.0)
CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


class Refusing(grpc.GenericRpcHandler):
    """Ends every call with one code, as proxies and gRPC itself do."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        async def refuse(_request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            await context.abort(self._code, "larger than max, connections to nobody")

        return grpc.unary_unary_rpc_method_handler(refuse)


async def failed(code: grpc.StatusCode) -> RollplaneError:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Refusing(code),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with connect(f"127.0.0.1:{port}", retry=ONCE) as api:
            with pytest.raises(RollplaneError) as raised:
                await create(api, config_map("a"))
    finally:
        await server.stop(None)
    return raised.value


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
async def test_a_write_that_met_it_is_unclear(code: grpc.StatusCode) -> None:
    assert (await failed(code)).outcome is Outcome.OUTCOME_UNKNOWN


async def test_what_is_too_large_to_leave_is_refused_for_certain(plane: Plane) -> None:
    async with connect(plane.address) as api:
        with pytest.raises(RequestTooLargeError) as raised:
            await create(api, config_map("a", data="x" * 9_000_000))
        assert raised.value.outcome is None


async def test_an_error_of_ours_is_an_answer(plane: Plane) -> None:
    async with connect(plane.address, role="admin") as api:
        with pytest.raises(RollplaneError) as raised:
            await api.get(key(CONFIG_MAP, "none"))
        assert raised.value.outcome is None
