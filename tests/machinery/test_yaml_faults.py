"""What is wrong with YAML is told in one line."""

from __future__ import annotations

import pytest
import yaml

from rollplane_machinery.yaml_faults import yaml_fault

FAULTS = {
    "unfinished": ("a: [\n b", "line 2: while parsing a flow sequence expected ',' or ']', but got '<stream end>'"),
    "no content": ("a: [}", "line 1: while parsing a flow node expected the node content, but found '}'"),
    "control character": ("a: \x01", "special characters are not allowed"),
}


@pytest.mark.parametrize(("text", "told"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_line(text: str, told: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.safe_load(text)
    assert yaml_fault(caught.value) == told


def test_what_is_no_fault_of_yaml() -> None:
    assert yaml_fault(ValueError("day is\n out of range")) == "day is out of range"
