"""Which form a client wants its answer in, and in which form it sent its body."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from rollplane_gateway.rendering import Form
from rollplane_gateway.statuses import RefusedError

_JSON = "application/json"
_YAML = "application/yaml"
_PROTOBUF = "application/vnd.kubernetes.protobuf"
_META_GROUP = "meta.k8s.io"
_META_VERSIONS = ("v1", "v1beta1")
_PARTIAL = ("PartialObjectMetadata", "PartialObjectMetadataList")

OBJECT_FORMS = frozenset({Form.JSON, Form.YAML, Form.PROTOBUF})


class BodyForm(Enum):
    """How a body is to be read."""

    JSON = _JSON
    YAML = _YAML
    PROTOBUF = _PROTOBUF


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form of an answer; ``meta_version`` is that of ``meta.k8s.io`` in a Table or partial metadata."""

    form: Form
    meta_version: str = "v1"

    def api_version(self, stored: str) -> str:
        """Return the apiVersion that an answer bears: ``stored`` is the object's own, which metadata alone do not."""
        return f"{_META_GROUP}/{self.meta_version}" if self.form.is_partial else stored


@dataclass(frozen=True, slots=True)
class _Range:
    """One entry of an Accept header."""

    media: str
    parameters: dict[str, str]
    quality: float


def negotiate(accept: str, offered: Collection[Form] = OBJECT_FORMS) -> Wanted:
    """Return the first form of ``accept`` that is ``offered``, by quality and then in order.

    Raises RefusedError (406) when there is none.
    """
    if not accept.strip():
        return Wanted(Form.JSON)
    for wanted in sorted(_ranges(accept), key=lambda each: -each.quality):
        found = _wanted(wanted)
        if found is not None and wanted.quality > 0 and found.form in offered:
            return found
    known = ", ".join((_JSON, _YAML, _PROTOBUF))
    raise RefusedError(
        HTTPStatus.NOT_ACCEPTABLE, "NotAcceptable", f"only the following media types are accepted: {known}"
    )


def body_form(content_type: str) -> BodyForm:
    """Return how a body of ``content_type`` is read, JSON when it does not say; raises RefusedError (415)."""
    media = content_type.partition(";")[0].strip().lower()
    try:
        return BodyForm(media or _JSON)
    except ValueError:
        known = ", ".join(form.value for form in BodyForm)
        raise unsupported_media_type(
            f"the body of the request was in an unknown format - accepted media types include: {known}"
        ) from None


def unsupported_media_type(message: str) -> RefusedError:
    """The body is in a language nobody reads here."""
    return RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)


def _ranges(accept: str) -> Iterator[_Range]:
    for entry in accept.split(","):
        media, *given = (part.strip() for part in entry.split(";"))
        parameters = dict(part.split("=", 1) for part in given if "=" in part)
        if media:
            yield _Range(media.lower(), parameters, _quality(parameters.get("q", "1")))


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _wanted(wanted: _Range) -> Wanted | None:
    kind = wanted.parameters.get("as")
    if kind is None:
        form = _WHOLE.get(wanted.media)
        return None if form is None else Wanted(form)
    version = wanted.parameters.get("v", "")
    if wanted.parameters.get("g") != _META_GROUP or version not in _META_VERSIONS:
        return None
    form = _form_as(kind, wanted.media)
    return None if form is None else Wanted(form, version)


_WHOLE = {
    _JSON: Form.JSON,
    "application/*": Form.JSON,
    "*/*": Form.JSON,
    _YAML: Form.YAML,
    _PROTOBUF: Form.PROTOBUF,
}


def _form_as(kind: str, media: str) -> Form | None:
    if kind == "Table":
        return Form.TABLE if media in (_JSON, "*/*", "application/*") else None
    if kind not in _PARTIAL:
        return None
    return Form.PARTIAL_PROTOBUF if media == _PROTOBUF else Form.PARTIAL_JSON
