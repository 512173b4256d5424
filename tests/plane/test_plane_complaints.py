"""What is told of a plane or a child that does not start is what it complained of, not the end of its last line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollplane_plane.child_log import ChildLog
from rollplane_plane.detach import complaint
from tests.end_to_end.up_process import rollplane

COMPLAINTS = {
    "one line": (["warning: port 7070 is taken", "error: the disk is full"], "the disk is full"),
    "several lines": (
        ["warning: w", "error: a.yaml is no YAML", "  a: [", "     ^"],
        "a.yaml is no YAML\n  a: [\n     ^",
    ),
    "a traceback": (["Traceback (most recent call last):", "  File", "KeyError: 1"], "KeyError: 1"),
    "nothing": ([], ""),
}


@pytest.mark.parametrize(("said", "told"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_the_complaint_of_a_plane_in_the_background(said: list[str], told: str) -> None:
    assert complaint(said) == told


CHILDREN = {
    "one line": ("rollplane_kubelet_sim: no profile\n", "no profile"),
    "several lines": ("rollplane_kubelet_sim: not YAML: here\n  a: [\n     ^\n", "not YAML: here"),
    "JSON before it": (json.dumps({"message": "starts"}) + "\nrollplane_apiserver: x\n  y\n", "x"),
    "a traceback": ("Traceback\n  File\nKeyError: 1\n", "KeyError: 1"),
}


@pytest.mark.parametrize(("said", "told"), CHILDREN.values(), ids=CHILDREN)
def test_the_last_words_of_a_child(tmp_path: Path, said: str, told: str) -> None:
    log = ChildLog(tmp_path / "child.log")
    with log.begin() as output:
        output.write(said.encode())
    assert log.last_words(2) == f"{told} (more in {log.path})"


def test_a_broken_kubeconfig_is_told_by_a_plane_in_the_background(tmp_path: Path) -> None:
    users = tmp_path / "config"
    users.write_text("contexts: [}\n")
    line = f"up --nodes 0 --port 0 --detach --merge-kubeconfig --data {tmp_path / 'data'}"
    ran = rollplane(line, environ={"KUBECONFIG": str(users)})
    assert ran.code == 1
    told = "line 1: while parsing a flow node expected the node content, but found '}'"
    assert ran.err == f"error: {users} is no kubeconfig: {told}\n"
