"""Bodies of requests: objects, and the smaller messages that go with deletions, evictions, bindings and scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError, Message

from rollplane.meta.v1 import Unknown
from rollplane_gateway.negotiation import BodyForm, body_form
from rollplane_gateway.requests import Request
from rollplane_machinery.codec import Sent, read_sent, understand
from rollplane_machinery.errors import BadRequestError, Cause, CauseReason, InvalidError
from rollplane_machinery.field_validation import FieldValidation, field_sentence, strict_sentence
from rollplane_machinery.served import ServedType

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


def read_body(request: Request, wanted: ServedType) -> Body[Message]:
    """Return what was sent, which must be of the ``wanted`` type; where it does not say its type, it is taken to be.

    Raises BadRequestError for what is malformed, of another type, or in a field that nobody knows when
    ``fieldValidation`` is Strict.
    """
    form = body_form(request.content_type)
    if form is BodyForm.PROTOBUF:
        return Body(_from_protobuf(request.body, wanted))
    sent = read_sent(request.body, is_yaml=form is BodyForm.YAML)
    return _from_json(sent, wanted, validation_of(request), request.body)


def validation_of(request: Request) -> FieldValidation:
    """Return what ``fieldValidation`` asks for, Warn when nothing; raises InvalidError for a word that is none."""
    text = request.query.text("fieldValidation")
    try:
        return FieldValidation(text or FieldValidation.WARN)
    except ValueError:
        known = ", ".join(f'"{value}"' for value in ("", *sorted(FieldValidation)))
        cause = Cause(
            CauseReason.NOT_SUPPORTED, "fieldValidation", f'Unsupported value: "{text}": supported values: {known}'
        )
        raise InvalidError(f'CreateOptions.meta.k8s.io "" is invalid: {cause}', causes=[cause]) from None


def _from_protobuf(body: bytes, wanted: ServedType) -> Message:
    if not body.startswith(PROTOBUF_PREFIX):
        raise BadRequestError("the body is not the protobuf of Kubernetes: it does not begin with k8s and NUL")
    try:
        unknown = Unknown.FromString(body[len(PROTOBUF_PREFIX) :])
        _check_type(unknown.type_meta.api_version, unknown.type_meta.kind, wanted)
        return wanted.message.FromString(unknown.raw)
    except (DecodeError, RuntimeError) as exc:
        raise BadRequestError(f"the body is not the protobuf of a {wanted.name}: {exc}") from exc


def _from_json(sent: Sent, wanted: ServedType, validation: FieldValidation, text: bytes) -> Body[Message]:
    if not isinstance(sent.value, dict):
        shown = text[:_SHOWN_BYTES].decode(errors="replace")
        raise BadRequestError(f"the object provided is unrecognized (must be of type {wanted.name}): {shown!r}")
    defaults = {"apiVersion": str(wanted.group_version), "kind": wanted.name}
    data = {**sent.value, **{name: sent.value.get(name) or value for name, value in defaults.items()}}
    _check_type(data["apiVersion"], data["kind"], wanted)
    found = understand(wanted.message, data, sent.duplicates)
    title = f'{wanted.name} in version "{wanted.group_version.version}" cannot be handled as a {wanted.name}'
    if found.errors:
        raise BadRequestError(f"{title}: {'; '.join(map(str, found.errors))}", causes=found.errors)
    if found.left_out and validation is FieldValidation.STRICT:
        raise BadRequestError(f"{title}: {strict_sentence(found.left_out)}")
    is_told = validation is FieldValidation.WARN
    return Body(found.message, tuple(map(field_sentence, found.left_out)) if is_told else ())


def _check_type(api_version: object, kind: object, wanted: ServedType) -> None:
    if api_version != str(wanted.group_version):
        raise BadRequestError(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({wanted.group_version})"
        )
    if kind != wanted.name:
        raise BadRequestError(
            f"{kind} in version {wanted.group_version.version!r} cannot be handled as a {wanted.name}"
        )
