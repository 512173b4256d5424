"""The messages are, byte for byte, those of the Kubernetes API: recorded objects, and the rules that make it so."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from rollplane.apps import v1 as apps
from rollplane.authentication import v1 as authentication
from rollplane.authorization import v1 as authorization
from rollplane.autoscaling import v1 as autoscaling
from rollplane.coordination import v1 as coordination
from rollplane.core import v1 as core
from rollplane.events import v1 as events
from rollplane.json.v1 import inline
from rollplane.meta import v1 as meta
from rollplane.policy import v1 as policy
from rollplane_machinery.kinds import BY_API_VERSION_KIND, TYPED_KINDS, Kind

GOLDEN = Path(__file__).parents[1] / "golden" / "objects.json"
ACCEPTED: dict[str, dict[str, Any]] = {
    case["name"]: case for case in json.loads(GOLDEN.read_text())["cases"] if "protobuf_hex" in case
}
# The four bytes that open every protobuf body of a kube-apiserver.
MAGIC = b"k8s\x00"
# Every message that mirrors a published one.
MESSAGES = [
    exported.DESCRIPTOR
    for package in (apps, authentication, authorization, autoscaling, coordination, core, events, meta, policy)
    for exported in vars(package).values()
    if isinstance(exported, type) and issubclass(exported, Message)
]
FIELDS = [field for message in MESSAGES for field in message.fields]
UNPACKABLE = {FieldDescriptor.CPPTYPE_STRING, FieldDescriptor.CPPTYPE_MESSAGE}


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def members(message: Message) -> Iterator[tuple[str, Message]]:
    """Yield the messages directly inside ``message``, each with its field path."""
    for field, value in message.ListFields():
        if is_map(field):
            held = ((f"{field.name}[{key}]", value[key]) for key in value)
            yield from (item for item in held if isinstance(item[1], Message))
        elif field.message_type is not None and field.is_repeated:
            yield from ((f"{field.name}[{index}]", item) for index, item in enumerate(value))
        elif field.message_type is not None:
            yield field.name, value


def unknown_fields(message: Message, path: str = "") -> Iterator[str]:
    """Yield path and number of every field in ``message`` that its type does not know."""
    unknown = UnknownFieldSet(message)
    yield from (f"{path}.{unknown[index].field_number}" for index in range(len(unknown)))
    for name, member in members(message):
        yield from unknown_fields(member, f"{path}.{name}")


@pytest.mark.parametrize("case", ACCEPTED.values(), ids=ACCEPTED)
def test_recorded_object_comes_back_as_the_same_bytes(case: dict[str, Any]) -> None:
    body = bytes.fromhex(case["protobuf_hex"])
    assert body.startswith(MAGIC)
    envelope = meta.Unknown.FromString(body.removeprefix(MAGIC))
    kind = BY_API_VERSION_KIND[envelope.type_meta.api_version, envelope.type_meta.kind]
    message = kind.parse(envelope.raw)
    assert list(unknown_fields(message, kind.name)) == []
    assert message.SerializeToString(deterministic=True) == envelope.raw
    assert MAGIC + envelope.SerializeToString(deterministic=True) == body


def test_unknown_fields_are_found_wherever_they_stand() -> None:
    """The walk above must see through lists, maps and single messages, or the test that uses it proves nothing."""
    stray = b"\xfa\x3f\x01x"  # field 1023, one byte long
    pod = core.Pod.FromString(stray)
    pod.spec.containers.add().MergeFromString(stray)
    pod.status.allocated_resources["cpu"].MergeFromString(stray)
    assert set(unknown_fields(pod, "Pod")) == {
        "Pod.1023",
        "Pod.spec.containers[0].1023",
        "Pod.status.allocated_resources[cpu].1023",
    }


def test_singular_fields_tell_an_explicit_zero_from_nothing() -> None:
    assert [f.full_name for f in FIELDS if not f.is_repeated and not f.has_presence] == []


def test_lists_of_numbers_are_not_packed() -> None:
    """Kubernetes is proto2: one tag for each number."""
    numbers = [f for f in FIELDS if f.is_repeated and f.cpp_type not in UNPACKABLE]
    assert numbers != []
    assert [f.full_name for f in numbers if f.is_packed] == []


def test_no_message_type_exists_twice() -> None:
    """But Event: core and events.k8s.io show the same object under different names."""
    twice = {name for name, count in Counter(m.name for m in MESSAGES).items() if count > 1}
    assert twice == {"Event", "EventList"}


@pytest.mark.parametrize("kind", TYPED_KINDS, ids=[kind.resource for kind in TYPED_KINDS])
def test_kind_has_a_list(kind: Kind) -> None:
    listed = kind.message.DESCRIPTOR.file.message_types_by_name[f"{kind.name}List"]
    assert listed.fields_by_number[1].message_type is meta.ListMeta.DESCRIPTOR
    assert listed.fields_by_number[2].name == "items"
    assert listed.fields_by_number[2].is_repeated
    assert listed.fields_by_number[2].message_type is kind.message.DESCRIPTOR


def test_field_names_are_their_json_names_in_snake_case() -> None:
    """podIPs is pod_ips: a name is never invented, so who knows Kubernetes' JSON knows every field here."""
    snake_case = {f.full_name: re.sub(r"(?<=[a-z0-9])([A-Z]+)", r"_\1", f.json_name).lower() for f in FIELDS}
    assert [f.full_name for f in FIELDS if f.name != snake_case[f.full_name]] == []


def test_only_messages_are_inlined() -> None:
    """Their members must find free names in the object around them, too."""
    for message in MESSAGES:
        inlined = [f for f in message.fields if f.GetOptions().Extensions[inline]]
        assert all(f.message_type is not None and not f.is_repeated for f in inlined)
        own = [f.json_name for f in message.fields if f not in inlined]
        lifted = [f.json_name for outer in inlined if outer.message_type for f in outer.message_type.fields]
        assert not set(own) & set(lifted)
