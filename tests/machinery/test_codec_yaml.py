"""Scalars as Kubernetes' YAML reader takes them, and YAML as kubectl prints it."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import ConfigMap
from rollplane_machinery import codec
from rollplane_machinery.codec.scalars import resolve
from rollplane_machinery.codec.text import Fault, read_documents
from rollplane_machinery.codec.yaml_text import sort_names

PLAIN: dict[str, Any] = {
    "abc": "abc",
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "nULL": "nULL",
    "true": True,
    "True": True,
    "tRUE": "tRUE",
    "yes": True,
    "on": True,
    "y": True,
    "Y": True,
    "off": False,
    "NO": False,
    "n": False,
    "0": 0,
    "-0": 0,
    "17": 17,
    "+17": 17,
    "-17": -17,
    "1_000": 1000,
    "0644": 420,
    "-0644": -420,
    "0o17": 15,
    "0x1F": 31,
    "0b101": 5,
    "08": 8,
    "18446744073709551616": 18446744073709551616,
    "1.5": 1.5,
    ".5": 0.5,
    "3.0": 3,
    "5.": 5,
    "1e3": 1000,
    "1E-2": 0.01,
    "1e21": 1e21,
    "1e999": "1e999",
    "22:30": "22:30",
    "1.2.3": "1.2.3",
    "2001-12-14": "2001-12-14",
    "2001-12-14T21:59:43Z": "2001-12-14T21:59:43Z",
    "1.5Gi": "1.5Gi",
    "100m": "100m",
    "0x": "0x",
    "-": "-",
    ".": ".",
    "..": "..",
    "._1": "._1",
    "9" * 500: "9" * 500,
}


@pytest.mark.parametrize(("text", "expected"), PLAIN.items())
def test_plain_scalars(text: str, expected: Any) -> None:
    value = resolve(text)
    assert (type(value), value) == (type(expected), expected)


@pytest.mark.parametrize("text", [".nan", ".inf", "-.INF", "+.Inf"])
def test_numbers_json_does_not_have(text: str) -> None:
    with pytest.raises(ValueError, match="is not a JSON number"):
        resolve(text)


VALUES: dict[str, Any] = {
    "'yes'": "yes",
    '"1"': "1",
    "! 1": 1,
    "!!str 1": "1",
    "!!int '1'": 1,
    "!!float 1": 1,
    "!!bool yes": True,
    "!!null ''": None,
    "!!binary YWI=": "ab",
    "!!timestamp 2001-01-01": "2001-01-01",
    "!!map {a: b}": {"a": "b"},
    "!!seq [a]": ["a"],
    "{1: a, true: b, 1.5: c, 0x10: d}": {"1": "a", "true": "b", "1.5": "c", "16": "d"},
    "|\n a\n b\n": "a\nb\n",
    ">-\n a\n b\n": "a b",
}


@pytest.mark.parametrize(("text", "expected"), VALUES.items())
def test_values(text: str, expected: Any) -> None:
    [document] = read_documents(f"v: {text}")
    assert not isinstance(document, Fault), document
    assert document.value == {"v": expected}


# As `kubectl get -o yaml` shows them.
PRINTED: dict[str, str] = {
    "plain": "plain",
    "": '""',
    "yes": '"yes"',
    "y": '"y"',
    "null": '"null"',
    "0644": '"0644"',
    "1e3": '"1e3"',
    "1.5": '"1.5"',
    "22:30": '"22:30"',
    "2020-01-01": '"2020-01-01"',
    "2020-01-01T00:00:00Z": '"2020-01-01T00:00:00Z"',
    "1.5Gi": "1.5Gi",
    "a: b": "'a: b'",
    "a #b": "'a #b'",
    "- a": "'- a'",
    "#": "'#'",
    "[x]": "'[x]'",
    "it's": "it's",
    "a\nb\n": "|\n    a\n    b",
    "a\nb": "|-\n    a\n    b",
    "tab\t": '"tab\\t"',
    "ü": "ü",
    "x" * 200: "x" * 200,
    "w " * 100 + "w": "w " * 100 + "w",
}


@pytest.mark.parametrize(("text", "expected"), PRINTED.items())
def test_strings_are_printed_as_kubectl_does(text: str, expected: str) -> None:
    printed = codec.dump_yaml({"data": {"k": text}})
    assert printed == f"data:\n  k: {expected}\n"
    [document] = read_documents(printed)
    assert not isinstance(document, Fault)
    assert document.value == {"data": {"k": text}}


def test_objects_and_lists_are_printed_as_kubectl_does() -> None:
    value = {"b": [{"y": 1, "x": None}, [True]], "a": {"empty": {}, "none": []}, "c": 1.5}
    expected = 'a:\n  empty: {}\n  none: []\nb:\n- x: null\n  "y": 1\n- - true\nc: 1.5\n'
    assert codec.dump_yaml(value) == expected


def test_repeated_values_are_printed_in_full() -> None:
    shared = {"a": "b"}
    assert codec.dump_yaml({"x": shared, "z": shared}) == "x:\n  a: b\nz:\n  a: b\n"


def test_names_are_sorted_naturally() -> None:
    expected = ["-", "a", "a-b", "a.b", "a/b", "a1", "a2", "a2b", "a2-", "a10", "aB", "ab", "b"]
    assert sort_names(dict.fromkeys(reversed(expected))) == expected


def test_objects_say_what_they_are() -> None:
    config_map = ConfigMap(data={"a": "b"})
    assert codec.dump_yaml(config_map) == (
        "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  creationTimestamp: null\n"
    )
    assert codec.dumps(config_map) == (
        '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"creationTimestamp":null},"data":{"a":"b"}}'
    )
    assert codec.dumps(config_map, indent=4).splitlines() == [
        "{",
        '    "apiVersion": "v1",',
        '    "data": {',
        '        "a": "b"',
        "    },",
        '    "kind": "ConfigMap",',
        '    "metadata": {',
        '        "creationTimestamp": null',
        "    }",
        "}",
    ]
