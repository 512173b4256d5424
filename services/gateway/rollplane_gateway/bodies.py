"""Bodies of requests: objects, and the smaller messages that go with deletions, evictions, bindings and scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError, Message

from rollplane.meta.v1 import TypeMeta, Unknown
from rollplane.stored.v1 import StoredObject
from rollplane_gateway.negotiation import BodyForm, body_form, unsupported_media_type
from rollplane_gateway.refusals import refused_options, unsupported
from rollplane_gateway.requests import Request
from rollplane_machinery.codec import Sent, read_sent, understand
from rollplane_machinery.codec.shaped import from_protobuf, has_protobuf
from rollplane_machinery.dresses import by_type
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.field_validation import FieldValidation, field_sentence, strict_sentence
from rollplane_machinery.served import GroupVersion, ServedType

PROTOBUF_PREFIX = b"k8s\0"
_SHOWN_BYTES = 30


M = TypeVar("M", bound=Message)
N = TypeVar("N", bound=Message)


@dataclass(frozen=True, slots=True)
class Body(Generic[M]):
    """A message that was sent, and a sentence for each field of it that was left out."""

    message: M
    warnings: tuple[str, ...] = ()

    def expect(self, type_: type[N]) -> Body[N]:
        """Return it as what it must be by the type it was read as; raises TypeError."""
        if not isinstance(self.message, type_):
            raise TypeError(f"{type_.__name__} was read as {type(self.message).__name__}")
        return Body(self.message, self.warnings)


def read_body(request: Request, wanted: ServedType, also: Sequence[GroupVersion] = ()) -> Body[Message]:
    """Return what was sent, which must be of the ``wanted`` type; where it does not say its type, it is taken to be.

    It may be of the versions ``also`` too, which have the same fields.

    Raises BadRequestError for what is malformed, of another type, or in a field that nobody knows when
    ``fieldValidation`` is Strict.
    """
    form = body_form(request.content_type)
    expected = _Expected(wanted, frozenset({str(wanted.group_version), *map(str, also)}))
    if form is BodyForm.PROTOBUF and not _has_protobuf(wanted):
        raise unsupported_media_type(f"{wanted.name} is kept as JSON, and its protobuf is not read: send JSON or YAML")
    if form is BodyForm.PROTOBUF:
        return Body(_from_protobuf(request.body, expected))
    sent = read_sent(request.body, is_yaml=form is BodyForm.YAML)
    return _from_json(sent, expected, validation_of(request), request.body)


def _has_protobuf(wanted: ServedType) -> bool:
    return wanted.message is not StoredObject or has_protobuf(str(wanted.group_version), wanted.name)


@dataclass(frozen=True, slots=True)
class _Expected:
    """What type a body must be of, and in which versions it may say so."""

    type: ServedType
    api_versions: frozenset[str]

    def check(self, api_version: object, kind: object) -> None:
        if api_version not in self.api_versions:
            raise BadRequestError(
                f"the API version in the data ({api_version}) does not match the expected API version "
                f"({self.type.group_version})"
            )
        if kind != self.type.name:
            version = self.type.group_version.version
            raise BadRequestError(f"{kind} in version {version!r} cannot be handled as a {self.type.name}")


def validation_of(request: Request) -> FieldValidation:
    """Return what ``fieldValidation`` asks for, Warn when nothing; raises InvalidError for a word that is none."""
    text = request.query.text("fieldValidation")
    try:
        return FieldValidation(text or FieldValidation.WARN)
    except ValueError:
        known = ("", *sorted(FieldValidation))
        raise refused_options(request.method, [unsupported("fieldValidation", text, known)]) from None


def _from_protobuf(body: bytes, expected: _Expected) -> Message:
    wanted = expected.type
    if not body.startswith(PROTOBUF_PREFIX):
        raise BadRequestError("the body is not the protobuf of Kubernetes: it does not begin with k8s and NUL")
    try:
        unknown = Unknown.FromString(body[len(PROTOBUF_PREFIX) :])
        expected.check(unknown.type_meta.api_version, unknown.type_meta.kind)
        return _taken_off(unknown.type_meta, _message(unknown.raw, wanted))
    except (DecodeError, RuntimeError) as exc:
        raise BadRequestError(f"the body is not the protobuf of a {wanted.name}") from exc


def _message(raw: bytes, wanted: ServedType) -> Message:
    if wanted.message is StoredObject:
        return from_protobuf(raw, str(wanted.group_version), wanted.name)
    return wanted.message.FromString(raw)


def _taken_off(type_: TypeMeta, sent: Message) -> Message:
    """Return what was sent as it is stored; what comes as JSON the codec converts."""
    found = by_type(type_.api_version, type_.kind)
    return sent if found is None else found[1].take_off(sent)


def _from_json(sent: Sent, expected: _Expected, validation: FieldValidation, text: bytes) -> Body[Message]:
    wanted = expected.type
    if not isinstance(sent.value, dict):
        shown = text[:_SHOWN_BYTES].decode(errors="replace")
        raise BadRequestError(f"the object provided is unrecognized (must be of type {wanted.name}): {shown!r}")
    defaults = {"apiVersion": str(wanted.group_version), "kind": wanted.name}
    data = {**sent.value, **{name: sent.value.get(name) or value for name, value in defaults.items()}}
    expected.check(data["apiVersion"], data["kind"])
    found = understand(wanted.message, data, sent.duplicates)
    title = f'{wanted.name} in version "{wanted.group_version.version}" cannot be handled as a {wanted.name}'
    if found.errors:
        raise BadRequestError(f"{title}: {'; '.join(map(str, found.errors))}", causes=found.errors)
    if found.left_out and validation is FieldValidation.STRICT:
        raise BadRequestError(f"{title}: {strict_sentence(found.left_out)}")
    is_told = validation is FieldValidation.WARN
    return Body(found.message, tuple(map(field_sentence, found.left_out)) if is_told else ())
