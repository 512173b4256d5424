"""RolloutService's requests and answers: dataclasses to messages of rollplane.api.v1, and back.

The rules are those of the package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rollplane.api import v1 as pb
from rollplane.meta.v1 import Time
from rollplane_machinery.api import (
    Key,
    Revision,
    RolloutState,
    RolloutStatus,
    Scale,
    SetImage,
    Undone,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.errors import InternalError
from rollplane_machinery.wire.parts import (
    decode_key,
    decode_object,
    decode_options,
    decode_preconditions,
    encode_key,
    encode_options,
    encode_preconditions,
    encoder,
)

_MICROS = 1_000_000  # as much of a second as a float of today's date can tell

STATES: Mapping[RolloutState, pb.StatusResponse.State.ValueType] = MappingProxyType(
    {
        RolloutState.PROGRESSING: pb.StatusResponse.STATE_PROGRESSING,
        RolloutState.DONE: pb.StatusResponse.STATE_DONE,
        RolloutState.FAILED: pb.StatusResponse.STATE_FAILED,
    }
)
STATE_OF = MappingProxyType({number: value for value, number in STATES.items()})


@encoder
def encode_set_image(request: SetImage) -> pb.SetImageRequest:
    """Return the request as a message."""
    return pb.SetImageRequest(
        key=encode_key(request.key),
        images=request.images,
        change_cause=request.change_cause,
        options=encode_options(request.options),
    )


def decode_set_image(message: pb.SetImageRequest) -> SetImage:
    """Return what is asked for."""
    change_cause = message.change_cause if message.HasField("change_cause") else None
    return SetImage(decode_key(message.key), dict(message.images), change_cause, decode_options(message.options))


@encoder
def encode_scale(request: Scale) -> pb.ScaleRequest:
    """Return the request as a message."""
    return pb.ScaleRequest(
        key=encode_key(request.key),
        replicas=request.replicas,
        current_replicas=request.current_replicas,
        preconditions=encode_preconditions(request.preconditions),
        options=encode_options(request.options),
    )


def decode_scale(message: pb.ScaleRequest) -> Scale:
    """Return what is asked for."""
    return Scale(
        decode_key(message.key),
        message.replicas,
        message.current_replicas if message.HasField("current_replicas") else None,
        decode_preconditions(message.preconditions),
        decode_options(message.options),
    )


@encoder
def encode_pause(key: Key, options: WriteOptions) -> pb.PauseRequest:
    """Return the request as a message."""
    return pb.PauseRequest(key=encode_key(key), options=encode_options(options))


@encoder
def encode_resume(key: Key, options: WriteOptions) -> pb.ResumeRequest:
    """Return the request as a message."""
    return pb.ResumeRequest(key=encode_key(key), options=encode_options(options))


@encoder
def encode_restart(key: Key, options: WriteOptions) -> pb.RestartRequest:
    """Return the request as a message."""
    return pb.RestartRequest(key=encode_key(key), options=encode_options(options))


def decode_target(message: pb.PauseRequest | pb.ResumeRequest | pb.RestartRequest) -> tuple[Key, WriteOptions]:
    """Return which workload is to be paused, resumed or restarted, and how."""
    return decode_key(message.key), decode_options(message.options)


@encoder
def encode_history(key: Key, revision: int) -> pb.HistoryRequest:
    """Return the request as a message."""
    return pb.HistoryRequest(key=encode_key(key), revision=revision)


def decode_history(message: pb.HistoryRequest) -> tuple[Key, int]:
    """Return whose history is asked for, and which revision of it (0: all)."""
    return decode_key(message.key), message.revision


def encode_revision(revision: Revision) -> pb.Revision:
    """Return one step of a history as a message."""
    seconds, micros = divmod(round(revision.creation_seconds * _MICROS), _MICROS)
    return pb.Revision(
        number=revision.number,
        change_cause=revision.change_cause,
        name=revision.name,
        template=revision.template,
        creation_timestamp=Time(seconds=seconds, nanos=micros * 1000),
    )


def decode_revision(message: pb.Revision) -> Revision:
    """Return one step of a history."""
    created = message.creation_timestamp
    return Revision(
        message.number,
        message.change_cause,
        message.name,
        message.template,
        (created.seconds * _MICROS + created.nanos // 1000) / _MICROS,
    )


def encode_revisions(revisions: Sequence[Revision]) -> pb.HistoryResponse:
    """Return a history as a message."""
    return pb.HistoryResponse(revisions=[encode_revision(revision) for revision in revisions])


def decode_revisions(message: pb.HistoryResponse) -> list[Revision]:
    """Return a history."""
    return [decode_revision(revision) for revision in message.revisions]


@encoder
def encode_undo(key: Key, to_revision: int, options: WriteOptions) -> pb.UndoRequest:
    """Return the request as a message."""
    return pb.UndoRequest(key=encode_key(key), to_revision=to_revision, options=encode_options(options))


def decode_undo(message: pb.UndoRequest) -> tuple[Key, int, WriteOptions]:
    """Return what is to be rolled back, to which revision (0: the one before), and how."""
    return decode_key(message.key), message.to_revision, decode_options(message.options)


def encode_undone(undone: Undone) -> pb.UndoResponse:
    """Return an undo's outcome as a message."""
    stored = undone.result.object
    return pb.UndoResponse(
        object=None if stored is None else stored.to_any(),
        revision=undone.result.revision,
        skipped=undone.skipped,
        target=encode_revision(undone.target),
    )


def decode_undone(message: pb.UndoResponse) -> Undone:
    """Return an undo's outcome."""
    stored = decode_object(message.object) if message.HasField("object") else None
    return Undone(WriteResult(message.revision, stored), decode_revision(message.target), message.skipped)


@encoder
def encode_status(key: Key, revision: int) -> pb.StatusRequest:
    """Return the request of a status stream as a message."""
    return pb.StatusRequest(key=encode_key(key), revision=revision)


def decode_status(message: pb.StatusRequest) -> tuple[Key, int]:
    """Return whose rollout is to be followed, and which revision only (0: the latest)."""
    return decode_key(message.key), message.revision


def encode_rollout_status(status: RolloutStatus) -> pb.StatusResponse:
    """Return one look at a rollout as a message."""
    return pb.StatusResponse(
        state=STATES[status.state],
        message=status.message,
        reason=status.reason,
        desired=status.desired,
        updated=status.updated,
        ready=status.ready,
        available=status.available,
        total=status.total,
        revision=status.revision,
    )


def decode_rollout_status(message: pb.StatusResponse) -> RolloutStatus:
    """Return one look at a rollout; raises InternalError for a state we do not know."""
    if (state := STATE_OF.get(message.state)) is None:
        raise InternalError(f"the server sent an unknown rollout state {message.state}")
    return RolloutStatus(
        state,
        message.message,
        message.reason,
        message.desired,
        message.updated,
        message.ready,
        message.available,
        message.total,
        message.revision,
    )
