"""Two planes in folders of one name: commands in a folder mean its plane, and the user's kubeconfig is none's alone."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import yaml

from tests.end_to_end.up_process import Ran, eventually, rollplane

PROD = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "current-context": "prod"}


def test_two_planes_of_one_name_and_one_is_killed(tmp_path: Path) -> None:
    users, one, two = tmp_path / "config", tmp_path / "x" / "proj", tmp_path / "y" / "proj"
    theirs = {**PROD, "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "me"}}]}
    users.write_text(yaml.safe_dump(theirs))

    def run(line: str, folder: Path) -> Ran:
        folder.mkdir(parents=True, exist_ok=True)
        return rollplane(line, cwd=folder, environ={"KUBECONFIG": str(users)})

    def current() -> str:
        return str(yaml.safe_load(users.read_text())["current-context"])

    up = "up --profile instant --port 0 --merge-kubeconfig --detach"
    try:
        assert run(f"{up} --nodes 1 --node-prefix one", one).code == 0
        started = run(f"{up} --nodes 1 --node-prefix two", two)
        assert "is another plane's: this one is rollplane-proj-2" in started.err
        assert current() == "rollplane-proj-2"
        assert run("get nodes -o name", one).out == "node/one-0\n"
        assert run("get nodes -o name", two).out == "node/two-0\n"
        os.kill(json.loads((two / ".rollplane" / "plane.json").read_text())["pid"], signal.SIGKILL)
        eventually(lambda: run("down", two).out.startswith("no plane runs on "), "a killed plane runs")
        assert current() == "rollplane-proj"
    finally:
        ended = [run("down", folder) for folder in (one, two)]
    assert [each.code for each in ended] == [0, 0]
    assert yaml.safe_load(users.read_text()) == theirs
