"""What embedded resources say of themselves: ``apiVersion``, ``kind`` and ``metadata``.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/objectmeta.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.codec import message_from_json
from rollplane_machinery.errors import BadRequestError, Cause
from rollplane_machinery.names import (
    check_dns1035_label,
    check_label_value,
    check_path_segment,
    check_qualified_name,
)
from rollplane_machinery.patch.json_value import Json, JsonObject
from rollplane_machinery.structural.causes import invalid, required
from rollplane_machinery.structural.faults import join
from rollplane_machinery.structural.schema import Structural
from rollplane_machinery.structural.walks import Look


def look_at_resources(node: Structural) -> Look | None:
    """Return what looks at values of ``node``, None where they are no resources."""
    return _look if node.is_embedded else None


def _look(value: Json, path: str) -> Sequence[Cause]:
    return list(_resource(value, path)) if isinstance(value, dict) else ()


def _resource(value: JsonObject, path: str) -> Iterator[Cause]:
    for name, check in (("apiVersion", _api_version), ("kind", _kind)):
        field = join(path, name)
        if name not in value:
            yield required(field)
        elif not isinstance(text := value[name], str):
            yield invalid(field, text, "must be a string")
        elif not text:
            yield invalid(field, text, "must not be empty")
        else:
            yield from check(text, field)
    if "metadata" in value:
        yield from _metadata(value["metadata"], join(path, "metadata"))


def _api_version(text: str, field: str) -> Iterator[Cause]:
    if text.count("/") > 1:
        yield invalid(field, text, f"unexpected GroupVersion string: {text}")


def _kind(text: str, field: str) -> Iterator[Cause]:
    if sentences := check_dns1035_label(text.lower()):
        yield invalid(field, text, f"may have mixed case, but should otherwise match: {','.join(sentences)}")


def _metadata(value: Json, path: str) -> Iterator[Cause]:
    try:
        metadata = message_from_json(ObjectMeta, value, path, strict=False)
    except BadRequestError as error:
        yield invalid(path, value, "; ".join(map(str, error.causes)))
        return
    yield from _texts(path, metadata)


def _texts(path: str, metadata: ObjectMeta) -> Iterator[Cause]:
    checked = [
        ("name", metadata.name, check_path_segment(metadata.name)),
        ("generateName", metadata.generate_name, check_path_segment(metadata.generate_name)),
        *(("labels", key, check_qualified_name(key)) for key in metadata.labels),
        *(("labels", text, check_label_value(text)) for text in metadata.labels.values()),
        *(("annotations", key, check_qualified_name(key.lower())) for key in metadata.annotations),
        *(("finalizers", text, check_qualified_name(text)) for text in metadata.finalizers),
    ]
    for name, text, sentences in checked:
        for sentence in sentences:
            yield invalid(join(path, name), text, sentence)
