"""The survey of real manifests tells kept from changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.machinery.survey import differences, survey

CASES: dict[str, tuple[Any, Any, list[str]]] = {
    "equal": ({"a": [1, {"b": "c"}]}, {"a": [1, {"b": "c"}], "more": 1}, []),
    "lost": ({"spec": {"a": "b"}}, {"spec": {}}, ["spec.a: 'b' became None"]),
    "changed": ({"a": [1, 2]}, {"a": [1, 3]}, ["a[1]: 2 became 3"]),
    "shorter": ({"a": [1, 2]}, {"a": [1]}, ["a: [1, 2] became [1]"]),
    "empty is absent": ({"a": "", "b": None, "c": [], "d": {}, "e": 0, "f": False}, {}, []),
    "empty is defaulted": ({"policy": ""}, {"policy": "Always"}, []),
    "a zero stays": ({"replicas": 0}, {"replicas": 1}, ["replicas: 0 became 1"]),
    "quantities are canonical": ({"cpu": "0.5", "memory": 1024}, {"cpu": "500m", "memory": "1024"}, []),
    "older versions": (
        {"apiVersion": "apps/v1beta1", "spec": {"rollbackTo": {}}},
        {"apiVersion": "apps/v1", "spec": {}},
        [],
    ),
}


@pytest.mark.parametrize(("given", "kept", "expected"), CASES.values(), ids=CASES)
def test_differences(given: Any, kept: Any, expected: list[str]) -> None:
    assert list(differences(given, kept)) == expected


def test_survey_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n---\nkind: Other\n")
    (tmp_path / "bad.yml").write_text("apiVersion: v1\nkind: ConfigMap\ndat: {a: b}\n")
    (tmp_path / "template.yaml").write_text("a: {{ .Values }}\n  b\n")
    (tmp_path / "ignored.txt").write_text("apiVersion: v1\n")
    found = survey(tmp_path)
    assert found.counts == {
        "files": 3,
        "objects": 2,
        "kept": 1,
        "refused": 1,
        "other objects": 1,
        "files that are no YAML or JSON": 1,
    }
    assert found.problems == ["bad.yml:1: refused: dat: unknown field"]
