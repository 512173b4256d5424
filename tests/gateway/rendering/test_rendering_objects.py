"""One object in each form, against what a kube-apiserver answered and what the codec prints."""

from __future__ import annotations

import json

import pytest
import yaml

from rollplane.apps import v1 as apps
from rollplane.autoscaling.v1 import Scale
from rollplane.core import v1 as core
from rollplane.events.v1 import Event as NewerEvent
from rollplane.meta.v1 import FieldsV1, ManagedFieldsEntry, ObjectMeta, PartialObjectMetadata
from rollplane_gateway.negotiation import Wanted
from rollplane_gateway.rendering import Form, Renderer, render_message, unwrapped, wrapped
from rollplane_machinery import codec
from rollplane_machinery.errors import BadRequestError, InternalError
from rollplane_machinery.kinds import KINDS, POD, Encoded
from tests.gateway.rendering.recorded_objects import Recorded, recorded_objects

RECORDED = recorded_objects()
each_recorded = pytest.mark.parametrize("recorded", RECORDED, ids=[case.name for case in RECORDED])


def shown_as(encoded: Encoded, form: Form) -> bytes:
    """Return an object in its storage version, or its metadata."""
    return Renderer().object(encoded, form, Wanted(form).api_version(encoded.kind.api_version))


@each_recorded
def test_json_is_the_codecs(recorded: Recorded) -> None:
    text = shown_as(recorded.encoded, Form.JSON)
    assert text.decode() == codec.dumps(recorded.encoded.parse()) + "\n"
    # A StatefulSet's availableReplicas is printed since 1.22 only: the codec's own tests know of it.
    shown = json.loads(text)
    assert {name: shown[name] for name in ("kind", "apiVersion", "metadata")} == {
        name: recorded.json[name] for name in ("kind", "apiVersion", "metadata")
    }


@each_recorded
def test_protobuf_is_what_kubernetes_sent(recorded: Recorded) -> None:
    assert shown_as(recorded.encoded, Form.PROTOBUF) == recorded.envelope


@each_recorded
def test_yaml_holds_the_same(recorded: Recorded) -> None:
    text = shown_as(recorded.encoded, Form.YAML)
    assert text.decode() == codec.dump_yaml(recorded.encoded.parse())
    assert yaml.safe_load(text)["kind"] == recorded.json["kind"]


@each_recorded
def test_metadata_alone(recorded: Recorded) -> None:
    metadata = recorded.encoded.parse().metadata
    bare = PartialObjectMetadata(metadata=metadata)
    assert shown_as(recorded.encoded, Form.PARTIAL_JSON).decode() == codec.dumps(bare) + "\n"
    api_version, kind, raw = unwrapped(shown_as(recorded.encoded, Form.PARTIAL_PROTOBUF))
    assert (api_version, kind) == ("meta.k8s.io/v1", "PartialObjectMetadata")
    assert PartialObjectMetadata.FromString(raw) == bare


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_an_empty_object_of_every_kind(kind: object) -> None:
    for each in (each for each in KINDS if each is kind):
        empty = Encoded.of(each.new())
        assert shown_as(empty, Form.JSON).decode() == codec.dumps(empty.parse()) + "\n"
        assert shown_as(empty, Form.PARTIAL_JSON).decode() == codec.dumps(PartialObjectMetadata()) + "\n"


def test_another_version_shows_its_type_and_its_fields() -> None:
    event = Encoded.of(core.Event(metadata=ObjectMeta(name="a"), message="Scaled up"))
    renderer = Renderer()
    for _ in range(2):
        newer = json.loads(renderer.object(event, Form.JSON, "events.k8s.io/v1"))
        assert (newer["apiVersion"], newer["kind"], newer["note"]) == ("events.k8s.io/v1", "Event", "Scaled up")
        assert json.loads(renderer.object(event, Form.JSON, "v1"))["message"] == "Scaled up"
    api_version, kind, raw = unwrapped(renderer.object(event, Form.PROTOBUF, "events.k8s.io/v1"))
    assert (api_version, kind) == ("events.k8s.io/v1", "Event")
    assert NewerEvent.FromString(raw).note == "Scaled up"


def test_a_version_of_the_same_fields_shows_its_type() -> None:
    deployment = Encoded.of(apps.Deployment(metadata=ObjectMeta(name="a")))
    renderer = Renderer()
    assert json.loads(renderer.object(deployment, Form.JSON, "apps/v1beta2"))["apiVersion"] == "apps/v1beta2"
    assert unwrapped(renderer.object(deployment, Form.PROTOBUF, "apps/v1beta2"))[0] == "apps/v1beta2"


def test_raw_json_keeps_large_numbers_fractions_and_halves_of_pairs() -> None:
    raw = b'{"f:a":1e400000,"f:b":123456789012345678901234567890,"f:c":1e16,"f:d":"\\ud800"}'
    managed = ManagedFieldsEntry(fields_v1=FieldsV1(raw=raw.replace(b"1e400000", b"0.1")))
    pod = Encoded.of(core.Pod(metadata=ObjectMeta(managed_fields=[managed])))
    shown = json.loads(shown_as(pod, Form.JSON))["metadata"]["managedFields"][0]["fieldsV1"]
    assert shown == {"f:a": 0.1, "f:b": 123456789012345678901234567890, "f:c": 1e16, "f:d": "\ud800"}


@pytest.mark.parametrize("value", [b"\x0a\x05\x0a", b"\xff", b"\x0a\x03\x0a\x01\xff", b"\x0b"])
@pytest.mark.parametrize("form", [Form.JSON, Form.PARTIAL_JSON])
def test_bytes_that_are_no_object(value: bytes, form: Form) -> None:
    with pytest.raises(BadRequestError):
        shown_as(Encoded(POD, value), form)


def test_raw_data_that_is_not_json() -> None:
    managed = ManagedFieldsEntry(fields_v1=FieldsV1(raw=b"{"))
    pod = Encoded.of(core.Pod(metadata=ObjectMeta(managed_fields=[managed])))
    with pytest.raises(InternalError):
        shown_as(pod, Form.JSON)


def test_messages_that_are_not_stored() -> None:
    scale = Scale(metadata=ObjectMeta(name="web"))
    told = ("autoscaling/v1", "Scale")
    assert render_message(scale, Form.JSON, *told).decode() == codec.dumps(scale) + "\n"
    assert render_message(scale, Form.YAML, *told).decode() == codec.dump_yaml(scale)
    assert render_message(scale, Form.PROTOBUF, *told) == wrapped(*told, scale.SerializeToString())


@pytest.mark.parametrize("body", [b"", b"k8s", b"k8s\0\x0a\x7f", b"k8s\0\x0b", b"k8s\0\x0a\x03\x0a\x01\xff"])
def test_what_is_no_envelope(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        unwrapped(body)


def test_what_is_an_objects_own_is_not_told_of_another() -> None:
    """All are rendered by what the first left behind: more or less of their own, with what looks like a gap."""
    renderer = Renderer()
    for name, node, address, container in (
        ("web-0", "n0", "10.0.0.1", "sim://0"),
        ("web-1", "n1", "10.0.0.2", "sim://1"),
        ("%b", "", "", "%%"),
        ("", "n1", "10.0.0.2", ""),
        ('"ü%s', "%(a)b", "%", "sim://1"),
    ):
        statuses = [core.ContainerStatus(name="main", container_id=container, image="nginx:%b")]
        pod = core.Pod(
            metadata=ObjectMeta(name=name, uid=name, annotations={"50%": "%b%d%%"}),
            spec=core.PodSpec(node_name=node, scheduler_name="100%"),
            status=core.PodStatus(
                pod_ip=address, pod_ips=[core.PodIP(ip=address)], phase="Running", container_statuses=statuses
            ),
        )
        assert renderer.object(Encoded.of(pod), Form.JSON, "v1").decode() == codec.dumps(pod) + "\n"


def test_a_field_that_is_there_and_empty_is_told_as_the_codec_tells_it() -> None:
    renderer = Renderer()
    for spec in (core.PodSpec(), core.PodSpec(node_name=""), core.PodSpec(node_name="n")):
        value = core.Pod(spec=spec).SerializeToString()
        for more in (b"", b"\x1a\x00", b"\x12\x02\x52\x00"):
            encoded = Encoded(POD, value + more)
            assert renderer.object(encoded, Form.JSON, "v1").decode() == codec.dumps(encoded.parse()) + "\n"
