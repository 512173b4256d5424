"""RolloutService's part for rolling updates: dataclasses to messages of rollplane.api.v1, and back."""

from __future__ import annotations

from rollplane.api import v1 as pb
from rollplane_machinery.api import (
    Key,
    RollBackRollingUpdate,
    RollingUpdate,
    RollingUpdateProgress,
    StartRollingUpdate,
)
from rollplane_machinery.errors import InternalError
from rollplane_machinery.rolling_update import DEFAULT_LABEL_KEY, DEFAULT_PACE, UpdatePace
from rollplane_machinery.wire.parts import (
    decode_key,
    decode_object,
    decode_options,
    encode_key,
    encode_options,
    encoder,
)
from rollplane_machinery.wire.rollouts import STATE_OF, STATES


@encoder
def encode_start(request: StartRollingUpdate) -> pb.StartRollingUpdateRequest:
    """Return the request as a message."""
    return pb.StartRollingUpdateRequest(
        old=encode_key(request.old),
        new=None if request.new is None else request.new.to_any(),
        new_name=request.new_name,
        image=request.image,
        container=request.container,
        image_pull_policy=request.image_pull_policy,
        deployment_label_key=request.deployment_label_key,
        pace=_encode_pace(request.pace),
        options=encode_options(request.options),
    )


def decode_start(message: pb.StartRollingUpdateRequest) -> StartRollingUpdate:
    """Return what is asked for."""
    label_key = message.deployment_label_key if message.HasField("deployment_label_key") else DEFAULT_LABEL_KEY
    return StartRollingUpdate(
        decode_key(message.old),
        decode_object(message.new) if message.HasField("new") else None,
        message.new_name,
        message.image,
        message.container,
        message.image_pull_policy,
        label_key,
        _decode_pace(message.pace),
        decode_options(message.options),
    )


@encoder
def encode_roll_back(request: RollBackRollingUpdate) -> pb.RollBackRollingUpdateRequest:
    """Return the request as a message."""
    return pb.RollBackRollingUpdateRequest(
        old=encode_key(request.old),
        new_name=request.new_name,
        pace=_encode_pace(request.pace),
        options=encode_options(request.options),
    )


def decode_roll_back(message: pb.RollBackRollingUpdateRequest) -> RollBackRollingUpdate:
    """Return what is asked for."""
    return RollBackRollingUpdate(
        decode_key(message.old), message.new_name, _decode_pace(message.pace), decode_options(message.options)
    )


def encode_rolling_update(update: RollingUpdate) -> pb.RollingUpdate:
    """Return an update under way as a message."""
    return pb.RollingUpdate(
        target=encode_key(update.target),
        source=update.source,
        revision=update.revision,
        messages=update.messages,
        new=update.new.to_any(),
        old=None if update.old is None else update.old.to_any(),
    )


def decode_rolling_update(message: pb.RollingUpdate) -> RollingUpdate:
    """Return an update under way."""
    return RollingUpdate(
        decode_key(message.target),
        message.source,
        message.revision,
        tuple(message.messages),
        decode_object(message.new),
        decode_object(message.old) if message.HasField("old") else None,
    )


@encoder
def encode_follow(target: Key, source: str, revision: int) -> pb.WatchRollingUpdateRequest:
    """Return the request of a progress stream as a message."""
    return pb.WatchRollingUpdateRequest(target=encode_key(target), source=source, revision=revision)


def decode_follow(message: pb.WatchRollingUpdateRequest) -> tuple[Key, str, int]:
    """Return whose progress is asked for: the target, the source's name, and the revision to follow from."""
    return decode_key(message.target), message.source, message.revision


def encode_progress(progress: RollingUpdateProgress) -> pb.WatchRollingUpdateResponse:
    """Return one step as a message."""
    return pb.WatchRollingUpdateResponse(
        state=STATES[progress.state], message=progress.message, revision=progress.revision, name=progress.name
    )


def decode_progress(message: pb.WatchRollingUpdateResponse) -> RollingUpdateProgress:
    """Return one step; raises InternalError for a state we do not know."""
    if (state := STATE_OF.get(message.state)) is None:
        raise InternalError(f"the server sent an unknown rollout state {message.state}")
    return RollingUpdateProgress(state, message.message, message.revision, message.name)


def _encode_pace(pace: UpdatePace) -> pb.RollingUpdatePace:
    return pb.RollingUpdatePace(
        update_period_seconds=pace.update_period_seconds,
        poll_interval_seconds=pace.poll_interval_seconds,
        timeout_seconds=pace.timeout_seconds,
    )


def _decode_pace(message: pb.RollingUpdatePace) -> UpdatePace:
    """Return the pace, kubectl's where the message says nothing."""
    return UpdatePace(
        *(
            getattr(message, name) if message.HasField(name) else getattr(DEFAULT_PACE, name)
            for name in ("update_period_seconds", "poll_interval_seconds", "timeout_seconds")
        )
    )
