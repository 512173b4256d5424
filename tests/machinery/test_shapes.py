"""What is known of kinds that are kept as JSON: every one of them has a shape, and what the facts say holds of it."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from rollplane.core.v1 import PodTemplateSpec
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.codec import from_json, to_json
from rollplane_machinery.codec.shaped import from_protobuf, read_shaped, to_protobuf
from rollplane_machinery.errors import BadRequestError, NotFoundError
from rollplane_machinery.fields.schema import ListOf, SetOf, Struct, node_of
from rollplane_machinery.kinds import STORED_KINDS, Kind
from rollplane_machinery.patch.schema import schema_of
from rollplane_machinery.shapes.building import facts, fields_of, snake_case
from rollplane_machinery.shapes.shapes import shape_of
from tests.machinery.strategies import of_kind

WITH_SHAPE = [kind for kind in STORED_KINDS if kind.shape is not StoredObject.DESCRIPTOR]
_kinds = pytest.mark.parametrize("kind", WITH_SHAPE, ids=str)


def test_every_kind_but_the_one_that_defines_others_has_a_shape() -> None:
    assert {kind.name for kind in STORED_KINDS} - {kind.name for kind in WITH_SHAPE} <= {"CustomResourceDefinition"}
    assert shape_of("v1", "Nope") is None
    assert shape_of("example.com/v1", "Job") is None


@_kinds
def test_its_first_field_is_the_metadata(kind: Kind) -> None:
    assert kind.shape.fields_by_number[1].name == "metadata"


def test_templates_are_the_messages_that_rules_know() -> None:
    job = new("Job")
    assert isinstance(job.spec.template, PodTemplateSpec)


def new(name: str) -> Any:
    return GetMessageClass(kind_named(name).shape)()


def kind_named(name: str) -> Kind:
    return next(kind for kind in STORED_KINDS if kind.name == name)


@given(st.sampled_from(WITH_SHAPE).flatmap(of_kind))
@settings(deadline=None)
def test_protobuf_goes_there_and_back(obj: StoredObject) -> None:
    read = from_protobuf(to_protobuf(obj), obj.api_version, obj.kind)
    shown, again = to_json(obj), to_json(read)
    assert {**again, "metadata": None} == {**shown, "metadata": None}
    assert read.metadata == obj.metadata


def test_what_has_no_shape_has_no_protobuf() -> None:
    obj = StoredObject(api_version="example.com/v1", kind="Thing")
    with pytest.raises(NotFoundError):
        to_protobuf(obj)
    with pytest.raises(NotFoundError):
        from_protobuf(b"", "example.com/v1", "Thing")
    assert read_shaped(obj) is None


JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}}
BAD = {
    "a wrong type": ({"spec": {"parallelism": "2"}}, "spec.parallelism"),
    "inside of the template": ({"spec": {"template": {"spec": {"containers": [{"name": 1}]}}}}, "spec.template.spec"),
    "an unknown field": ({"spec": {"paralellism": 2}}, "spec.paralellism"),
    "beside the spec": ({"specs": {}}, "specs"),
}


@pytest.mark.parametrize(("more", "field"), BAD.values(), ids=BAD)
def test_json_is_read_as_strictly_as_that_of_every_kind(more: dict[str, object], field: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        from_json({**JOB, **more})
    (cause,) = refused.value.causes
    assert cause.field.startswith(field)


def test_what_is_kept_is_what_a_server_shows() -> None:
    told = from_json({**JOB, "spec": {"template": {"spec": {"containers": [{"name": "a"}]}}, "suspend": None}})
    shown = to_json(told)
    assert shown["status"] == {}
    assert shown["spec"]["template"]["spec"]["containers"] == [{"name": "a", "resources": {}}]
    assert "suspend" not in shown["spec"]


def test_lists_are_merged_by_what_the_types_say() -> None:
    hooks = kind_named("ValidatingWebhookConfiguration").shape
    assert schema_of(hooks).members["webhooks"].rule.merge_key == "name"
    node = node_of(hooks)
    assert isinstance(node, Struct)
    assert isinstance(node.members["webhooks"], ListOf)
    quota = node_of(kind_named("FlowSchema").shape)
    assert isinstance(quota, Struct)
    rules = new("FlowSchema").spec.rules.add().resource_rules.add()
    resource_rule = node_of(rules.DESCRIPTOR)
    assert isinstance(resource_rule, Struct)
    assert isinstance(resource_rule.members["verbs"], SetOf)


def test_facts_hold_no_number_or_name_twice() -> None:
    for structs in facts().values():
        for struct in structs.values():
            fields = fields_of(struct)
            assert len({field[1] for field in fields}) == len({snake_case(field[0]) for field in fields}) == len(fields)
