"""What holds for every message and every input: parse ∘ print is the identity, and nothing crashes the codec."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rollplane.core.v1 import PodSpec, PodTemplateSpec
from rollplane_machinery import codec
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import KINDS, ApiObject
from tests.machinery.strategies import json_values, messages, objects


@given(objects())
@settings(deadline=None)
def test_json_round_trip(obj: ApiObject) -> None:
    printed = codec.to_json(obj)
    assert codec.from_json(printed) == obj
    assert codec.from_json(json.loads(codec.dumps(obj))) == obj


@given(objects())
@settings(deadline=None)
def test_yaml_round_trip(obj: ApiObject) -> None:
    [manifest] = codec.load_manifests(codec.dump_yaml(obj))
    assert manifest.object == obj


@given(objects())
@settings(deadline=None)
def test_indented_json_is_read_as_a_manifest(obj: ApiObject) -> None:
    [manifest] = codec.load_manifests(codec.dumps(obj, indent=4))
    assert manifest.object == obj


@given(objects(zeros=True))
@settings(deadline=None)
def test_explicit_zeros_change_nothing(obj: ApiObject) -> None:
    printed = codec.to_json(obj)
    read = codec.from_json(printed)
    assert codec.to_json(read) == printed
    assert semantic_equal(read, obj)


@given(messages(PodTemplateSpec))
@settings(deadline=None, max_examples=50)
def test_part_round_trip(template: PodTemplateSpec) -> None:
    assert codec.message_from_json(PodTemplateSpec, codec.message_to_json(template)) == template


@given(objects(), st.data())
@settings(deadline=None)
def test_any_value_in_any_place_is_read_or_refused(obj: ApiObject, data: st.DataObject) -> None:
    """Put a random value in the place of one member; the codec reads it or names a cause at or below that place."""
    printed = codec.to_json(obj)
    path = _replace_one(printed, data)
    error = _refusal(codec.from_json, printed)
    assert error is None or all(cause.field.startswith(path) for cause in error.causes)


def _refusal(read: Callable[[Any], object], value: Any) -> RollplaneError | None:
    """Return the error with which ``value`` is refused, which must have causes; None if it is not."""
    try:
        read(value)
    except RollplaneError as error:
        return error if error.causes else pytest.fail("an error without causes")
    return None


def _replace_one(value: Any, data: st.DataObject) -> str:
    """Replace one random member of ``value`` in place, and return how a path to it must begin."""
    name = data.draw(st.sampled_from(sorted(value)))
    inner = value[name]
    if isinstance(inner, dict) and inner and data.draw(st.booleans()):
        _replace_one(inner, data)
    else:
        value[name] = data.draw(json_values)
    return "" if name == "apiVersion" else str(name)


_KIND_NAMES = st.sampled_from([name for kind in KINDS for name in (kind.name, f"{kind.name}List")] + ["List"])
_RANDOM_OBJECTS = st.fixed_dictionaries(
    {"kind": _KIND_NAMES | json_values, "apiVersion": st.sampled_from(["v1", "apps/v1", "apps/v1beta1"]) | json_values},
    optional={"metadata": json_values, "spec": json_values, "items": json_values | st.lists(json_values)},
)


@given(json_values | _RANDOM_OBJECTS)
@settings(deadline=None)
def test_random_json_never_crashes(value: Any) -> None:
    for manifest in codec.read_manifests(json.dumps(value), strict=False).manifests:
        assert codec.from_json(codec.to_json(manifest.object)) == manifest.object
    _refusal(lambda spec: codec.message_from_json(PodSpec, spec), value)


@given(json_values)
@settings(deadline=None)
def test_random_yaml_never_crashes(value: Any) -> None:
    for flow in (True, False):
        codec.read_manifests(
            yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "spec": value}, default_flow_style=flow)
        )


_SCRAPS = (
    *(
        "a",
        "1",
        ":",
        ": ",
        "- ",
        "? ",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&a ",
        "*a",
        "<<: ",
        "!!int ",
        "!x ",
        "'",
        '"',
    ),
    *("|\n", ">-\n", "---\n", "...\n", "%YAML 1.1\n", "#", "\t", "\\", "@", "\x00", "\ufeff", "\u2028", "\ud800"),
    *('"', "kind: Pod\n", "apiVersion: v1\n"),
)


@given(st.lists(st.sampled_from(_SCRAPS), max_size=30).map("".join) | st.text())
@settings(deadline=None, max_examples=300)
def test_random_text_never_crashes(text: str) -> None:
    codec.read_manifests(text)


@given(st.binary())
@settings(deadline=None)
def test_random_bytes_never_crash(content: bytes) -> None:
    codec.read_manifests(content)
    for kind in KINDS:
        with contextlib.suppress(RollplaneError):
            codec.to_json(kind.parse(content))
