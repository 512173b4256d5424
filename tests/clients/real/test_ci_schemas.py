"""The examples for CI are what GitHub and GitLab take, by the schemas that are published for both."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.end_to_end.pages import ROOT

pytest.importorskip("check_jsonschema", reason="check-jsonschema cannot be had")


@pytest.mark.parametrize(("file", "schema"), [("github.yml", "github-workflows"), ("gitlab.yml", "gitlab-ci")])
def test_a_file_is_valid(file: str, schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    ran = subprocess.run([*command, str(ROOT / "examples" / "ci" / file)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
