"""resource_version into serialized objects, byte for byte, with one metadata field only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane.core.v1 import ConfigMap
from rollplane_apiserver.watch.entry import with_revision

revisions = st.integers(1, 2**63 - 1)


def config(name: str, annotation: str = "", data: str = "") -> ConfigMap:
    message = ConfigMap()
    message.metadata.name = name
    if annotation:
        message.metadata.annotations["a"] = annotation
    if data:
        message.data["d"] = data
    return message


@given(st.text(), st.integers(0, 40_000), st.text(), revisions)
def test_a_parser_finds_it_and_all_the_rest(name: str, padding: int, data: str, revision: int) -> None:
    message = config(name, "x" * padding, data)
    stored = message.SerializeToString(deterministic=True)
    handed_out = with_revision(stored, revision)
    message.metadata.resource_version = str(revision)
    assert ConfigMap.FromString(handed_out) == message


@given(st.integers(0, 40_000), revisions)
def test_there_is_one_metadata_field(padding: int, revision: int) -> None:
    """A parser that keeps the last of several, as protobufjs does, sees the name all the same."""
    handed_out = with_revision(config("a", "x" * padding).SerializeToString(), revision)
    reserialized = ConfigMap.FromString(handed_out).SerializeToString(deterministic=True)
    assert len(handed_out) == len(reserialized)


@pytest.mark.parametrize("stored", [b"", ConfigMap(data={"a": "b"}).SerializeToString()])
def test_bytes_without_metadata_get_one(stored: bytes) -> None:
    handed_out = with_revision(stored, 42)
    assert ConfigMap.FromString(handed_out).metadata.resource_version == "42"
