"""RolloutService: each method reads its request, asks the Api, and writes the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from rollplane.api import v1 as pb
from rollplane_apiserver.core import Identity
from rollplane_apiserver.rpc.calls import Service, Streaming, Unary
from rollplane_machinery.api import RolloutApi
from rollplane_machinery.wire import rolling_updates, rollouts
from rollplane_machinery.wire.writes import encode_result

NAME = "rollplane.api.v1.RolloutService"


def rollout_service(api_of: Callable[[Identity], RolloutApi]) -> Service[RolloutApi]:
    """Return the service over what ``api_of`` gives for a caller."""
    return Service(
        NAME,
        api_of,
        {
            "SetImage": Unary(pb.SetImageRequest, _set_image),
            "Scale": Unary(pb.ScaleRequest, _scale),
            "Pause": Unary(pb.PauseRequest, _pause),
            "Resume": Unary(pb.ResumeRequest, _resume),
            "Restart": Unary(pb.RestartRequest, _restart),
            "History": Unary(pb.HistoryRequest, _history),
            "Undo": Unary(pb.UndoRequest, _undo),
            "Status": Streaming(pb.StatusRequest, _status),
            "StartRollingUpdate": Unary(pb.StartRollingUpdateRequest, _start_rolling_update),
            "RollBackRollingUpdate": Unary(pb.RollBackRollingUpdateRequest, _roll_back_rolling_update),
            "WatchRollingUpdate": Streaming(pb.WatchRollingUpdateRequest, _watch_rolling_update),
        },
    )


async def _set_image(api: RolloutApi, request: pb.SetImageRequest) -> pb.WriteResult:
    return encode_result(await api.set_image(rollouts.decode_set_image(request)))


async def _scale(api: RolloutApi, request: pb.ScaleRequest) -> pb.WriteResult:
    return encode_result(await api.scale(rollouts.decode_scale(request)))


async def _pause(api: RolloutApi, request: pb.PauseRequest) -> pb.WriteResult:
    return encode_result(await api.pause(*rollouts.decode_target(request)))


async def _resume(api: RolloutApi, request: pb.ResumeRequest) -> pb.WriteResult:
    return encode_result(await api.resume(*rollouts.decode_target(request)))


async def _restart(api: RolloutApi, request: pb.RestartRequest) -> pb.WriteResult:
    return encode_result(await api.restart(*rollouts.decode_target(request)))


async def _history(api: RolloutApi, request: pb.HistoryRequest) -> pb.HistoryResponse:
    return rollouts.encode_revisions(await api.history(*rollouts.decode_history(request)))


async def _undo(api: RolloutApi, request: pb.UndoRequest) -> pb.UndoResponse:
    return rollouts.encode_undone(await api.undo(*rollouts.decode_undo(request)))


async def _status(api: RolloutApi, request: pb.StatusRequest) -> AsyncGenerator[bytes, None]:
    async with api.rollout_status(*rollouts.decode_status(request)) as looks:
        async for look in looks:
            yield rollouts.encode_rollout_status(look).SerializeToString()


async def _start_rolling_update(api: RolloutApi, request: pb.StartRollingUpdateRequest) -> pb.RollingUpdate:
    return rolling_updates.encode_rolling_update(await api.start_rolling_update(rolling_updates.decode_start(request)))


async def _roll_back_rolling_update(api: RolloutApi, request: pb.RollBackRollingUpdateRequest) -> pb.RollingUpdate:
    return rolling_updates.encode_rolling_update(
        await api.roll_back_rolling_update(rolling_updates.decode_roll_back(request))
    )


async def _watch_rolling_update(api: RolloutApi, request: pb.WatchRollingUpdateRequest) -> AsyncGenerator[bytes, None]:
    async with api.watch_rolling_update(*rolling_updates.decode_follow(request)) as steps:
        async for step in steps:
            yield rolling_updates.encode_progress(step).SerializeToString()
