"""Definitions of known projects, as they were released, and what they let in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollplane_machinery.structural.definition import Definition, parse_definition
from rollplane_machinery.structural.definition_rules import validate_definition
from rollplane_machinery.structural.printer_columns import compile_column
from rollplane_machinery.structural.shape import DEFINITION, completed

Json = Any
FOLDER = Path(__file__).parents[2] / "golden" / "definitions"
FILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def definition(name: str) -> Definition:
    crd = completed(yaml.safe_load((FOLDER / f"{name}.yaml").read_text()))
    assert validate_definition(crd) == []
    assert (DEFINITION.prune(crd), DEFINITION.undeclared(crd)) == ((crd, ()), [])
    return parse_definition(crd)


def resource(known: Definition, spec: Json) -> Json:
    api_version = f"{known.group}/{known.stored.name}"
    return {"apiVersion": api_version, "kind": known.names.kind, "metadata": {"name": "x"}, "spec": spec}


@pytest.mark.parametrize("name", FILES)
def test_definition_is_let_in(name: str) -> None:
    assert definition(name).names.plural == name


TOPIC = {"partitions": 1, "replicas": 1, "config": {"retention.ms": 7200000, "any": [{"thing": 1}]}}
PUBLICATION = {"cluster": {"name": "c"}, "name": "pub", "dbname": "app", "target": {"allTables": True}}
GRANT = {
    "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "a"}],
    "to": [{"group": "", "kind": "Service"}],
}
GOOD: dict[str, tuple[str, Json]] = {
    "a topic": ("kafkatopics", TOPIC),
    "a publication": ("publications", PUBLICATION),
    "a publication of tables": (
        "publications",
        {**PUBLICATION, "target": {"objects": [{"table": {"name": "t"}}, {"tablesInSchema": "s"}]}},
    ),
    "a grant": ("referencegrants", GRANT),
}


@pytest.mark.parametrize(("name", "spec"), GOOD.values(), ids=GOOD)
def test_good(name: str, spec: Json) -> None:
    known = definition(name)
    schema, value = known.stored.schema, resource(known, spec)
    assert (schema.prune(value), schema.undeclared(value)) == ((value, ()), [])
    assert schema.validate(schema.default(value)) == []


BAD: dict[str, tuple[str, Json, list[str]]] = {
    "no partition": (
        "kafkatopics",
        {**TOPIC, "partitions": 0},
        ["spec.partitions: Invalid value: 0: spec.partitions in body should be greater than or equal to 1"],
    ),
    "both ways of a publication": (
        "publications",
        {**PUBLICATION, "target": {"allTables": True, "objects": [{"tablesInSchema": "s"}]}},
        ["spec.target: Invalid value: allTables and objects are mutually exclusive"],
    ),
    "columns beside a whole schema": (
        "publications",
        {**PUBLICATION, "target": {"objects": [{"table": {"name": "t", "columns": ["a"]}}, {"tablesInSchema": "s"}]}},
        [
            "spec.target.objects: Invalid value: specifying a column list when the publication also publishes "
            "tablesInSchema is not supported"
        ],
    ),
    "a grant to nobody": (
        "referencegrants",
        {**GRANT, "from": []},
        ["spec.from: Invalid value: 0: spec.from in body should have at least 1 items"],
    ),
}


@pytest.mark.parametrize(("name", "spec", "sentences"), BAD.values(), ids=BAD)
def test_bad(name: str, spec: Json, sentences: list[str]) -> None:
    known = definition(name)
    assert [str(cause) for cause in known.stored.schema.validate(resource(known, spec))] == sentences


def test_a_publication_never_changes_its_name() -> None:
    known = definition("publications")
    old = resource(known, PUBLICATION)
    new = resource(known, {**PUBLICATION, "name": "other"})
    assert [str(cause) for cause in known.stored.schema.validate(new, old)] == [
        'spec.name: Invalid value: "other": name is immutable'
    ]


def test_defaults_of_a_publication() -> None:
    known = definition("publications")
    filled: Json = known.stored.schema.default(resource(known, PUBLICATION))
    assert filled["spec"]["publicationReclaimPolicy"] == "retain"


def test_columns_of_a_topic() -> None:
    known = definition("kafkatopics")
    topic = resource(known, TOPIC)
    topic["metadata"]["labels"] = {"strimzi.io/cluster": "my-cluster"}
    topic["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
    readers = {column.name: compile_column(column.type, column.json_path) for column in known.stored.columns}
    cells = {name: read(topic) for name, read in readers.items() if read is not None}
    assert cells == {"Cluster": "my-cluster", "Partitions": 1, "Replication factor": 1, "Ready": "True"}


def test_grants_are_merged_as_one_value() -> None:
    fields = json.dumps(repr(definition("referencegrants").stored.schema.fields.member("spec")))
    assert "ListOf" not in fields
