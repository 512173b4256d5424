from __future__ import annotations

from typing import Any

import pytest

from rollplane_machinery.releases import release_of
from rollplane_machinery.structural.parsing import parse_schema
from tests.machinery.structural.schemas import array, obj, root

Json = Any
INT = {"type": "integer"}
TEXT = {"type": "string"}
KEEP: dict[str, Json] = {"x-kubernetes-preserve-unknown-fields": True}
IN = "spec.v in body"


def told(schema: Json, value: Json) -> list[str]:
    return [str(cause) for cause in root(obj({"v": schema})).validate({"spec": {"v": value}})]


def of_v(*sentences: str) -> list[str]:
    return [f"spec.v: {sentence}" for sentence in sentences]


GOOD: dict[str, tuple[Json, Json]] = {
    "a whole number without a point": (INT, 3),
    "a whole number with one": (INT, 3.0),
    "a number": ({"type": "number"}, 3),
    "a fraction": ({"type": "number"}, 0.5),
    "null where it is allowed": ({**TEXT, "nullable": True}, None),
    "int-or-string, an int": ({"x-kubernetes-int-or-string": True}, 3),
    "int-or-string, a text": ({"x-kubernetes-int-or-string": True}, "3%"),
    "anything": (KEEP, {"a": [1, None]}),
    "an enum": ({**TEXT, "enum": ["a", "b"]}, "b"),
    "an enum of numbers": ({"type": "number", "enum": [1, 2]}, 1.0),
    "a limit itself": ({**INT, "minimum": 3, "maximum": 3}, 3),
    "a multiple": ({"type": "number", "multipleOf": 0.5}, 2.5),
    "characters, not bytes": ({**TEXT, "maxLength": 2}, "äö"),
    "a pattern anywhere": ({**TEXT, "pattern": "b"}, "abc"),
    "an unknown format": ({**TEXT, "format": "color-of-the-sky"}, "x"),
    "one of": ({**INT, "oneOf": [{"minimum": 5}, {"maximum": 1}]}, 6),
    "any of": ({**INT, "anyOf": [{"minimum": 5}, {"minimum": 1}]}, 6),
    "not": ({**INT, "not": {"minimum": 5}}, 3),
    "a set": (array(TEXT, **{"x-kubernetes-list-type": "set"}), ["a", "b"]),
    "members that nobody declared": (obj(**KEEP), {"a": 1}),
}


@pytest.mark.parametrize(("schema", "value"), GOOD.values(), ids=GOOD)
def test_good(schema: Json, value: Json) -> None:
    assert told(schema, value) == []


BAD: dict[str, tuple[Json, Json, list[str]]] = {
    "another type": (TEXT, 3, of_v(f'Invalid value: "integer": {IN} must be of type string: "integer"')),
    "a fraction for an integer": (INT, 0.5, of_v(f'Invalid value: "number": {IN} must be of type integer: "number"')),
    "a bool is no number": (INT, True, of_v(f'Invalid value: "boolean": {IN} must be of type integer: "boolean"')),
    "null": (TEXT, None, of_v(f'Invalid value: "null": {IN} must be of type string: "null"')),
    "int-or-string, a bool": (
        {"x-kubernetes-int-or-string": True},
        True,
        of_v(f'Invalid value: "boolean": {IN} must be of type integer,string: "boolean"'),
    ),
    "another type where a format is wanted": (
        {**TEXT, "format": "date"},
        3,
        of_v(f'Invalid value: "int64": {IN} must be of type date: "int64"'),
    ),
    "an enum": ({**TEXT, "enum": ["a", "b"]}, "c", of_v('Unsupported value: "c": supported values: "a", "b"')),
    "an enum of numbers": ({**INT, "enum": [1, 2]}, 3, of_v('Unsupported value: 3: supported values: "1", "2"')),
    "too small": ({**INT, "minimum": 3}, 2, of_v(f"Invalid value: 2: {IN} should be greater than or equal to 3")),
    "too large": ({**INT, "maximum": 3}, 4, of_v(f"Invalid value: 4: {IN} should be less than or equal to 3")),
    "not below": (
        {"type": "number", "maximum": 1.5, "exclusiveMaximum": True},
        1.5,
        of_v(f"Invalid value: 1.5: {IN} should be less than 1.5"),
    ),
    "not above": (
        {**INT, "minimum": 3, "exclusiveMinimum": True},
        3,
        of_v(f"Invalid value: 3: {IN} should be greater than 3"),
    ),
    "no multiple": ({**INT, "multipleOf": 5}, 7, of_v(f"Invalid value: 7: {IN} should be a multiple of 5")),
    "no int32": (
        {**INT, "format": "int32"},
        2**31,
        ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.v'],
    ),
    "too long": ({**TEXT, "maxLength": 2}, "abc", of_v("Too long: may not be more than 2 bytes")),
    "too short": ({**TEXT, "minLength": 2}, "a", of_v(f'Invalid value: "a": {IN} should be at least 2 chars long')),
    "a pattern": ({**TEXT, "pattern": "^a$"}, "b", of_v(f"Invalid value: \"b\": {IN} should match '^a$'")),
    "the first thing that is wrong with a text": (
        {**TEXT, "maxLength": 2, "pattern": "^a$"},
        "bbb",
        of_v("Too long: may not be more than 2 bytes"),
    ),
    "a format": (
        {**TEXT, "format": "ipv4"},
        "1.2.3",
        of_v(f'Invalid value: "1.2.3": {IN} must be of type ipv4: "1.2.3"'),
    ),
    "too few items": (array(INT, minItems=2), [1], of_v(f"Invalid value: 1: {IN} should have at least 2 items")),
    "too many items": (array(INT, maxItems=1), [1, 2], of_v("Too many: 2: must have at most 1 item")),
    "too few members": (
        {"type": "object", "additionalProperties": INT, "minProperties": 1},
        {},
        of_v(f"Invalid value: 0: {IN} should have at least 1 properties"),
    ),
    "too many members": (
        {"type": "object", "additionalProperties": INT, "maxProperties": 1},
        {"a": 1, "b": 2},
        of_v("Too many: 2: must have at most 1 item"),
    ),
    "a missing member": (obj({"a": INT}, required=["a"]), {}, ["spec.v.a: Required value"]),
    "an item": (
        array(INT),
        [1, "x"],
        ['spec.v[1]: Invalid value: "string": spec.v[1] in body must be of type integer: "string"'],
    ),
    "a member of a map": (
        {"type": "object", "additionalProperties": INT},
        {"x": "y"},
        ['spec.v.x: Invalid value: "string": spec.v.x in body must be of type integer: "string"'],
    ),
    "any of": (
        {**INT, "anyOf": [{"minimum": 5}, {"maximum": 1}]},
        3,
        [
            '<nil>: Invalid value: "": "spec.v" must validate at least one schema (anyOf)',
            *of_v(f"Invalid value: 3: {IN} should be greater than or equal to 5"),
        ],
    ),
    "none of those of which it must be one": (
        {**INT, "oneOf": [{"minimum": 5}, {"maximum": 1}]},
        3,
        [
            '<nil>: Invalid value: "": "spec.v" must validate one and only one schema (oneOf). Found none valid',
            *of_v(f"Invalid value: 3: {IN} should be greater than or equal to 5"),
        ],
    ),
    "two of those of which it must be one": (
        {**INT, "oneOf": [{"minimum": 1}, {"minimum": 2}]},
        3,
        [
            '<nil>: Invalid value: "": "spec.v" must validate one and only one schema (oneOf). '
            "Found 2 valid alternatives"
        ],
    ),
    "all of": (
        {**INT, "allOf": [{"minimum": 5}, {"maximum": 9}]},
        3,
        [
            *of_v(f"Invalid value: 3: {IN} should be greater than or equal to 5"),
            '<nil>: Invalid value: "": "spec.v" must validate all the schemas (allOf)',
        ],
    ),
    "not": (
        {**INT, "not": {"minimum": 1}},
        3,
        ['<nil>: Invalid value: "": "spec.v" must not validate the schema (not)'],
    ),
    "a set": (
        array(INT, **{"x-kubernetes-list-type": "set"}),
        [1, 2, 1, 1],
        ["spec.v[2]: Duplicate value: 1"],
    ),
    "a map": (
        array(
            obj({"k": {**TEXT, "default": "x"}, "n": INT}),
            **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]},
        ),
        [{"k": "a", "n": 1}, {"n": 2}, {"k": "a"}, {}],
        ['spec.v[2]: Duplicate value: {"k":"a"}', "spec.v[3]: Duplicate value: {}"],
    ),
    "an embedded resource": (
        obj(**{"x-kubernetes-embedded-resource": True}, **KEEP),
        {"apiVersion": "a/b/c", "metadata": {"name": "a/b"}},
        [
            'spec.v.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
            "spec.v.kind: Required value",
            "spec.v.metadata.name: Invalid value: \"a/b\": leave out '/'",
        ],
    ),
    "metadata of an embedded resource": (
        obj(**{"x-kubernetes-embedded-resource": True}, **KEEP),
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": 1}}},
        [
            'spec.v.metadata: Invalid value: {"labels":{"a":1}}: '
            "spec.v.metadata.labels.a: expected string, got integer 1"
        ],
    ),
}


@pytest.mark.parametrize(("schema", "value", "sentences"), BAD.values(), ids=BAD)
def test_bad(schema: Json, value: Json, sentences: list[str]) -> None:
    assert told(schema, value) == sentences


def test_what_no_update_touches_is_forgiven() -> None:
    schema = root(obj({"a": {**INT, "minimum": 3}, "b": INT, "m": obj({"c": INT}, required=["c"])}))
    old: Json = {"spec": {"a": 1, "b": 1, "m": {}}}
    assert schema.validate({"spec": {"a": 1, "b": 2, "m": {}}}, old) == []
    assert [cause.field for cause in schema.validate({"spec": {"a": 2, "b": 1, "m": {}}}, old)] == ["spec.a"]
    assert [cause.field for cause in schema.validate({"spec": {"a": 2, "b": 1, "m": {}}})] == ["spec.a", "spec.m.c"]


def test_items_of_a_map_are_forgiven_by_their_keys() -> None:
    item = obj({"k": TEXT, "n": {**INT, "minimum": 3}}, required=["k"])
    keyed = root(array(item, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}))
    plain = root(array(item))
    old: Json = {"spec": [{"k": "a", "n": 1}]}
    new: Json = {"spec": [{"k": "b", "n": 3}, {"k": "a", "n": 1}]}
    assert keyed.validate(new, old) == []
    assert [cause.field for cause in plain.validate(new, old)] == ["spec[1].n"]


def test_duplicates_that_were_there_are_forgiven() -> None:
    schema = root(array(INT, **{"x-kubernetes-list-type": "set"}))
    assert schema.validate({"spec": [1, 1, 2, 2]}, {"spec": [1, 1]}) == []


def test_older_releases_forgive_nothing() -> None:
    schema = parse_schema(obj({"a": {**INT, "minimum": 3}, "b": INT}), release=release_of("1.29"))
    assert len(schema.validate({"a": 1, "b": 2}, {"a": 1, "b": 1})) == 1


def test_a_pattern_that_would_take_for_ever_elsewhere() -> None:
    assert told({**TEXT, "pattern": "^(a+)+$"}, "a" * 50_000 + "b") != []


# format: texts that are, texts that are not
FORMATS: dict[str, tuple[list[str], list[str]]] = {
    "date": (["2026-02-28"], ["2026-02-29", "2026-2-1", "x"]),
    "date-time": (
        ["2026-01-01T00:00:00Z", "2026-01-01t23:59:59.5+02:00"],
        ["2026-01-01", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00"],
    ),
    "duration": (["1h30m", "-1.5s", "0", "22 ns", "3 days"], ["", "1", "x"]),
    "email": (["a@b.c", "Ada <ada@example.com>"], ["a", "a@", "@b"]),
    "hostname": (["a", "example.com", "1.example.com"], ["-a", "a_b", "example.c", "a" * 64]),
    "ipv4": (["1.2.3.4", "010.1.1.1"], ["1.2.3", "256.1.1.1", "::1"]),
    "ipv6": (["::1", "2001:db8::1"], ["1.2.3.4", "::1%eth0", "::g"]),
    "cidr": (["10.0.0.0/8", "::/0", "10.0.0.1/8"], ["10.0.0.0", "10.0.0.0/33", "::/129", "x/8"]),
    "uri": (["https://a.b/c?d#e", "/path", "mailto:a@b"], ["a", "", "http://a b", "http://a:b", "/%zz"]),
    "uuid": (["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"], ["x", "123e4567"]),
    "uuid3": (["123e4567-e89b-32d3-a456-426614174000"], ["123e4567-e89b-12d3-a456-426614174000"]),
    "uuid4": (["123e4567-e89b-42d3-a456-426614174000"], ["123e4567-e89b-42d3-c456-426614174000"]),
    "uuid5": (["123e4567-e89b-52d3-a456-426614174000"], ["123e4567-e89b-42d3-a456-426614174000"]),
    "mac": (["00:1a:2b:3c:4d:5e", "001a.2b3c.4d5e", "00-1a-2b-3c-4d-5e"], ["00:1a", "00:1a-2b:3c:4d:5e"]),
    "byte": (["YWJj", "YQ=="], ["", "a", "%%%%"]),
    "bsonobjectid": (["507f1f77bcf86cd799439011"], ["507f"]),
    "isbn": (["0321751043", "978-0321751041"], ["0321751042"]),
    "isbn10": (["0321751043"], ["978-0321751041"]),
    "isbn13": (["978-0321751041"], ["978-0321751042"]),
    "creditcard": (["4111 1111 1111 1111"], ["4111 1111 1111 1112"]),
    "ssn": (["111-22-3333", "111223333"], ["111-2-3333"]),
    "hexcolor": (["#FFF", "a1b2c3"], ["#FFFF"]),
    "rgbcolor": (["rgb(1, 2, 255)"], ["rgb(1, 2, 256)"]),
    "password": (["anything"], []),
    "k8s-short-name": (["a-b"], ["A", "a.b", "a" * 64]),
    "k8s-long-name": (["a.b", "a" * 70], ["a..b", "A", "a" * 254]),
}


@pytest.mark.parametrize(("named", "good", "bad"), [(n, *texts) for n, texts in FORMATS.items()], ids=FORMATS)
def test_format(named: str, good: list[str], bad: list[str]) -> None:
    schema = {**TEXT, "format": named}
    assert [text for text in good if told(schema, text)] == []
    assert [text for text in bad if not told(schema, text)] == []
