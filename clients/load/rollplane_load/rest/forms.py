"""Answers of a Kubernetes as Encoded objects: protobuf, whose bytes are ours already, or else JSON.

Protobuf is asked for first, since reading twenty thousand events as JSON would cost more than some planes do. What
cannot be had in it comes as JSON. Source: kubernetes/apimachinery pkg/runtime/serializer/protobuf, pkg/watch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from rollplane.meta.v1 import ListMeta, Status, Unknown
from rollplane.meta.v1 import WatchEvent as Frame
from rollplane_machinery.codec import from_json, message_from_json
from rollplane_machinery.errors import InternalError, Reason, RollplaneError
from rollplane_machinery.kinds import Encoded, Kind, metadata_of
from rollplane_machinery.wire.status import make_error

T = TypeVar("T")

PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON = "application/json"
ACCEPT = f"{PROTOBUF}, {JSON};q=0.9"
ACCEPT_WATCH = f"{PROTOBUF};stream=watch, {JSON};q=0.9"
MAGIC = b"k8s\0"
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list."""

    objects: Sequence[Encoded]
    meta: ListMeta


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a watch: ADDED, MODIFIED, DELETED, BOOKMARK; ``object`` is None for an ERROR, which is ``error``."""

    type: str
    object: Encoded | None
    error: RollplaneError | None = None


def read_object(content_type: str, body: bytes, kind: Kind) -> Encoded:
    """Return the object in an answer; raises InternalError for what is none."""
    return _read(lambda: _object(content_type, body, kind))


def read_version(content_type: str, body: bytes) -> int:
    """Return the version of what an answer holds, whatever it is; raises InternalError for what has none."""

    def read() -> int:
        if content_type.startswith(PROTOBUF):
            return number_of(metadata_of(_unwrapped(body).raw).resource_version)
        return number_of(json.loads(body)["metadata"]["resourceVersion"])

    return _read(read)


def number_of(version: str) -> int:
    """Return a version as the number that it is: every Kubernetes has such, and may be asked to keep them in order."""
    return int(version or 0)


def read_list(content_type: str, body: bytes, kind: Kind) -> Listed:
    """Return the page in an answer; raises InternalError for what is none."""
    return _read(lambda: _list(content_type, body, kind))


def read_error(content_type: str, body: bytes, code: int) -> RollplaneError:
    """Return the error that an answer tells of, by its Status or, where it has none, by its HTTP code."""
    try:
        status = _status(content_type, body)
    except (DecodeError, ValueError, RollplaneError):
        status = Status(message=body[:200].decode(errors="replace").strip())
    return _error_of(status, code)


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    except (DecodeError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InternalError(f"the server's answer cannot be read: {exc}") from exc


def _object(content_type: str, body: bytes, kind: Kind) -> Encoded:
    if content_type.startswith(PROTOBUF):
        return Encoded(kind, _unwrapped(body).raw)
    return _from_json(json.loads(body), kind)


def _list(content_type: str, body: bytes, kind: Kind) -> Listed:
    if not content_type.startswith(PROTOBUF):
        data = json.loads(body)
        meta = message_from_json(ListMeta, data.get("metadata") or {}, strict=False)
        return Listed([_from_json(item, kind) for item in data.get("items") or ()], meta)
    descriptor = kind.message.DESCRIPTOR.file.message_types_by_name[f"{kind.name}List"]
    listed: Any = GetMessageClass(descriptor).FromString(_unwrapped(body).raw)
    return Listed([Encoded(kind, item.SerializeToString()) for item in listed.items], listed.metadata)


def _from_json(data: dict[str, Any], kind: Kind) -> Encoded:
    """Items of a list do not say what they are."""
    return Encoded.of(from_json({"apiVersion": kind.api_version, "kind": kind.name, **data}, strict=False))


def _unwrapped(body: bytes) -> Unknown:
    if not body.startswith(MAGIC):
        raise ValueError("it does not begin as Kubernetes' protobuf does")
    return Unknown.FromString(body[len(MAGIC) :])


def _status(content_type: str, body: bytes) -> Status:
    if content_type.startswith(PROTOBUF):
        return Status.FromString(_unwrapped(body).raw)
    return message_from_json(Status, {**json.loads(body), "metadata": {}}, strict=False)


def _error_of(status: Status, code: int) -> RollplaneError:
    reason = _REASONS.get(status.reason) or _OF_CODE.get(code, Reason.INTERNAL_ERROR)
    delay = status.details.retry_after_seconds
    message = status.message or f"the server answers with HTTP code {code}"
    return make_error(reason, message, name=status.details.name, retry_after_seconds=delay or None)


_REASONS = {str(reason): reason for reason in Reason} | {"Gone": Reason.EXPIRED}
_OF_CODE = {
    400: Reason.BAD_REQUEST,
    401: Reason.UNAUTHENTICATED,
    403: Reason.FORBIDDEN,
    404: Reason.NOT_FOUND,
    409: Reason.CONFLICT,
    410: Reason.EXPIRED,
    413: Reason.REQUEST_TOO_LARGE,
    422: Reason.INVALID,
    429: Reason.TOO_MANY_REQUESTS,
    503: Reason.UNAVAILABLE,
    504: Reason.TIMED_OUT,
}


class Frames:
    """Cuts a watch's stream into its events, however it arrives."""

    def __init__(self, content_type: str, kind: Kind) -> None:
        self._is_protobuf = content_type.startswith(PROTOBUF)
        self._kind = kind
        self._rest = b""

    def take(self, data: bytes) -> list[Told]:
        """Return the events that ``data`` completes; raises InternalError for what is none."""
        self._rest += data
        return _read(lambda: list(self._protobuf() if self._is_protobuf else self._json()))

    def _protobuf(self) -> Iterator[Told]:
        at, rest = 0, self._rest
        while at + _LENGTH_BYTES <= len(rest):
            end = at + _LENGTH_BYTES + int.from_bytes(rest[at : at + _LENGTH_BYTES], "big")
            if end > len(rest):
                break
            frame = Frame.FromString(rest[at + _LENGTH_BYTES : end])
            inner = _unwrapped(frame.object.raw)
            if frame.type == "ERROR":
                yield _failed(Status.FromString(inner.raw))
            else:
                yield Told(frame.type, Encoded(self._kind, inner.raw))
            at = end
        self._rest = rest[at:]

    def _json(self) -> Iterator[Told]:
        *lines, self._rest = self._rest.split(b"\n")
        for line in filter(None, lines):
            frame = json.loads(line)
            if frame["type"] == "ERROR":
                yield _failed(_status(JSON, json.dumps(frame["object"]).encode()))
            else:
                yield Told(frame["type"], _from_json(frame["object"], self._kind))


def _failed(status: Status) -> Told:
    return Told("ERROR", None, _error_of(status, status.code))
