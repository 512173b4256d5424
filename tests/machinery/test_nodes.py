"""What is said of a node by its conditions."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Node, NodeCondition
from rollplane_machinery.nodes import is_node_ready

CASES: dict[str, tuple[list[tuple[str, str]], bool]] = {
    "ready": ([("MemoryPressure", "False"), ("Ready", "True")], True),
    "not ready": ([("Ready", "False")], False),
    "nobody knows": ([("Ready", "Unknown")], False),
    "another condition": ([("MemoryPressure", "True")], False),
    "never reported": ([], False),
}


@pytest.mark.parametrize(("conditions", "expected"), CASES.values(), ids=CASES)
def test_a_node_is_ready_when_it_says_so(conditions: list[tuple[str, str]], expected: bool) -> None:
    node = Node()
    node.status.conditions.extend(NodeCondition(type=type_, status=status) for type_, status in conditions)
    assert is_node_ready(node) is expected
