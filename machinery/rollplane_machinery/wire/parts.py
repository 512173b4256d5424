"""What requests are made of: keys, options, preconditions, objects; and how bytes from outside are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from types import MappingProxyType
from typing import ParamSpec, TypeVar

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from rollplane.api import v1 as pb
from rollplane_machinery.api import (
    DEFAULT_OPTIONS,
    NO_PRECONDITIONS,
    Fence,
    Key,
    Preconditions,
    Propagation,
    WriteOptions,
    WriteToken,
)
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.field_validation import FieldValidation
from rollplane_machinery.kinds import Encoded, by_resource

_SHORT = 64

_P = ParamSpec("_P")
_T = TypeVar("_T")
_M = TypeVar("_M", bound=Message)

_PROPAGATIONS: Mapping[Propagation | None, pb.DeleteRequest.PropagationPolicy.ValueType] = MappingProxyType(
    {
        None: pb.DeleteRequest.PROPAGATION_POLICY_UNSPECIFIED,
        Propagation.BACKGROUND: pb.DeleteRequest.PROPAGATION_POLICY_BACKGROUND,
        Propagation.FOREGROUND: pb.DeleteRequest.PROPAGATION_POLICY_FOREGROUND,
        Propagation.ORPHAN: pb.DeleteRequest.PROPAGATION_POLICY_ORPHAN,
    }
)
_VALIDATIONS: Mapping[FieldValidation, pb.WriteOptions.FieldValidation.ValueType] = MappingProxyType(
    {
        FieldValidation.STRICT: pb.WriteOptions.FIELD_VALIDATION_STRICT,
        FieldValidation.WARN: pb.WriteOptions.FIELD_VALIDATION_WARN,
        FieldValidation.IGNORE: pb.WriteOptions.FIELD_VALIDATION_IGNORE,
    }
)
_VALIDATION_OF = MappingProxyType(
    {pb.WriteOptions.FIELD_VALIDATION_UNSPECIFIED: FieldValidation.STRICT}
    | {number: value for value, number in _VALIDATIONS.items()}
)
_PROPAGATION_OF = MappingProxyType({number: value for value, number in _PROPAGATIONS.items()})


def encoder(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Wrap an encoder so that a value no message can hold raises BadRequestError."""

    @wraps(function)
    def encode(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except (ValueError, TypeError) as exc:  # a number too wide, text that is not UTF-8, a wrong type
            raise BadRequestError(f"cannot be sent: {exc}") from exc

    return encode


def parse(message_type: type[_M], data: bytes) -> _M:
    """Return the message in ``data``; raises BadRequestError when it is not one."""
    message = message_type()
    try:
        message.MergeFromString(data)
    except Exception as exc:  # protobuf raises DecodeError, and on some inputs RuntimeError
        raise BadRequestError(f"not a {message_type.DESCRIPTOR.name}: {exc}") from exc
    return message


@encoder
def encode_key(key: Key) -> pb.ObjectKey:
    """Return ``key`` as a message."""
    return pb.ObjectKey(resource=key.kind.resource, namespace=key.namespace, name=key.name)


def put_key(message: pb.ObjectKey, key: Key) -> None:
    """Write ``key`` into ``message``.

    What is written into the message that is sent is not copied; a message that is handed to another's constructor is,
    with all it holds.
    """
    message.resource, message.namespace, message.name = key.kind.resource, key.namespace, key.name


def put_object(message: Any, encoded: Encoded) -> None:
    """Write an object into ``message``."""
    message.type_url, message.value = encoded.kind.type_url, encoded.value


def decode_key(message: pb.ObjectKey) -> Key:
    """Return the key; raises NotFoundError for an unknown resource."""
    return Key(by_resource(message.resource), message.namespace, message.name)


@encoder
def encode_fence(fence: Fence) -> pb.Fence:
    """Return ``fence`` as a message."""
    return pb.Fence(shard=fence.shard, epoch=fence.epoch)


def decode_fence(message: pb.Fence) -> Fence:
    """Return the fence; raises BadRequestError for an epoch that is no revision."""
    shard = message.shard
    # Each write of a controller bears one of a few; what is kept for long must be small.
    return _fence(shard, message.epoch) if len(shard) <= _SHORT else Fence(shard, message.epoch)


_fence = lru_cache(maxsize=1024)(Fence)


def decode_token(message: pb.WriteToken) -> WriteToken:
    """Return the token; raises BadRequestError for one that names no write."""
    return WriteToken(message.writer, message.sequence)


def encode_options(options: WriteOptions) -> pb.WriteOptions | None:
    """Return ``options`` as a message, None for the default ones, which are not sent."""
    if options == DEFAULT_OPTIONS:
        return None
    message = pb.WriteOptions()
    put_options(message, options)
    return message


def put_options(message: pb.WriteOptions, options: WriteOptions) -> None:
    """Write ``options`` into ``message``; the default ones leave no trace."""
    if options.field_manager:
        message.field_manager = options.field_manager
    if options.dry_run:
        message.dry_run = True
    if options.fence is not None:
        message.fence.shard, message.fence.epoch = options.fence.shard, options.fence.epoch
    if options.omit_object:
        message.omit_object = True
    if options.token is not None:
        message.token.writer, message.token.sequence = options.token.writer, options.token.sequence
    if options.repeat:
        message.repeat = True
    if options.track_fields:
        message.track_fields = True
    if options.field_validation is not FieldValidation.STRICT:
        message.field_validation = _VALIDATIONS[options.field_validation]


def decode_options(message: pb.WriteOptions) -> WriteOptions:
    """Return the options; an absent message is all defaults.

    Raises BadRequestError for a bad fence or token, or a field validation that is none.
    """
    fence = decode_fence(message.fence) if message.HasField("fence") else None
    token = decode_token(message.token) if message.HasField("token") else None
    if (validation := _VALIDATION_OF.get(message.field_validation)) is None:
        raise BadRequestError(f"unknown field validation {message.field_validation}")
    return WriteOptions(
        message.field_manager,
        message.dry_run,
        fence,
        message.omit_object,
        token,
        message.repeat,
        track_fields=message.track_fields,
        field_validation=validation,
    )


def encode_preconditions(preconditions: Preconditions) -> pb.Preconditions | None:
    """Return ``preconditions`` as a message, None when nothing is asked for."""
    if preconditions == NO_PRECONDITIONS:
        return None
    return pb.Preconditions(uid=preconditions.uid, resource_version=preconditions.resource_version)


def put_preconditions(message: pb.Preconditions, preconditions: Preconditions) -> None:
    """Write ``preconditions`` into ``message``; none leave no trace."""
    if preconditions.uid is not None:
        message.uid = preconditions.uid
    if preconditions.resource_version is not None:
        message.resource_version = preconditions.resource_version


def decode_preconditions(message: pb.Preconditions) -> Preconditions:
    """Return the preconditions; an absent message asks for nothing."""
    if not message.HasField("uid") and not message.HasField("resource_version"):
        return NO_PRECONDITIONS
    return Preconditions(
        message.uid if message.HasField("uid") else None,
        message.resource_version if message.HasField("resource_version") else None,
    )


def decode_object(message: Any) -> Encoded:
    """Return the object an Any holds, unparsed; raises BadRequestError when it holds none or no kind."""
    if not message.type_url:
        raise BadRequestError("the request holds no object")
    return Encoded.from_any(message)


def decode_grace_period(request: pb.DeleteRequest | pb.EvictRequest | pb.DeleteCollectionRequest) -> int | None:
    """Return the seconds a deletion asks for, None when it leaves them to the pod."""
    return request.grace_period_seconds if request.HasField("grace_period_seconds") else None


def put_grace_period(request: pb.DeleteRequest | pb.EvictRequest, seconds: int | None) -> None:
    """Write what a deletion asks for into ``request``; None leaves it to the pod."""
    if seconds is not None:
        request.grace_period_seconds = seconds


def encode_propagation(propagation: Propagation | None) -> pb.DeleteRequest.PropagationPolicy.ValueType:
    """Return the policy's number."""
    return _PROPAGATIONS[propagation]


def decode_propagation(number: pb.DeleteRequest.PropagationPolicy.ValueType) -> Propagation | None:
    """Return the policy, None for the kind's own; raises BadRequestError for an unknown one."""
    try:
        return _PROPAGATION_OF[number]
    except KeyError:
        raise BadRequestError(f"unknown propagation policy {number}") from None
