"""A weakness that was planted is found, made small, and breaks again from the file that says so."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rollplane_cli.main import run
from rollplane_kubelet_sim.node_pools.files import parse_node_file
from rollplane_kubelet_sim.node_pools.pools import NodePool, Taint
from rollplane_kubelet_sim.profiles import shipped_profile
from rollplane_machinery.errors import BadRequestError
from rollplane_rehearsal.rehearse.preparing import whole
from rollplane_rehearsal.rehearse.story import Apply, Change, Cluster, Patch, SetImage, Story
from rollplane_rehearsal.reports.searched import text
from rollplane_rehearsal.reports.shape import search_schema
from rollplane_rehearsal.scenario.scenario import read_scenario
from rollplane_rehearsal.scenario.writing import document_of, scenario_text
from rollplane_rehearsal.search.searching import MOST_SEEDS, Search, Searched, search
from tests.rehearsal.manifests import budget, deployment

SCHEMA = Draft202012Validator(search_schema())
PLANTED = {
    "name": "planted",
    "manifests": [deployment(replicas=6)],
    "nodes": 3,
    "profile": {"rules": [{"stage": "ready", "delay": 4}]},
    "draw": {"version": {"one of": ["v2", "v3"]}},
    "steps": [{"set image": "web=web:${version}"}],
}


TOO_MUCH = ["finishes", "web available >= 5 always"]


def _searched(count: int = 24, processes: int = 1, kinds: tuple[str, ...] = (), **more: object) -> Searched:
    scenario = read_scenario(json.dumps(PLANTED | more), "planted")
    return search(
        whole(scenario), scenario, Search(count, 1, kinds or ("kill controller", "drain"), processes=processes)
    )


@pytest.fixture(scope="module")
def planted() -> Searched:
    """The promise leaves no room for a drain: no budget holds its evictions back."""
    return _searched(expect=TOO_MUCH)


def test_a_planted_weakness_is_found_made_small_and_breaks_again(
    planted: Searched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = planted.found
    assert found is not None
    assert found.expectation.name == "web available >= 5 always"
    assert found.faults == 1
    assert found.is_minimal
    assert found.document["steps"][1:] == [{"at": "0s", "drain": "node-0", "for": "5s"}]
    path = tmp_path / "found.yaml"
    path.write_text(found.text)
    assert run(["rehearse", "--scenario", str(path), "-o", "json"]) == 1
    replayed = json.loads(capsys.readouterr().out)
    assert [each["digest"] for each in replayed["runs"]] == [found.outcome.digest]
    assert replayed["reason"] == found.broken.seen


def test_what_is_found_does_not_depend_on_how_many_processes_look(planted: Searched) -> None:
    two = _searched(processes=2, expect=TOO_MUCH)
    assert planted.found is not None
    assert two.found is not None
    assert (planted.found.text, planted.found.outcome.digest) == (two.found.text, two.found.outcome.digest)
    assert (planted.runs, planted.kinds) == (two.runs, two.kinds)


def test_what_breaks_by_itself_needs_no_fault() -> None:
    found = _searched(expect=["web pods <= 6 always"]).found
    assert found is not None
    assert (found.faults, len(found.document["steps"])) == (0, 1)


def test_when_nothing_breaks_it_is_told_what_was_tried() -> None:
    searched = _searched(20, kinds=("kill controller", "restart controller"))
    assert searched.found is None
    assert searched.runs == 20
    assert searched.runs == 1 + searched.singles + searched.pairs
    assert searched.pairs > 0
    assert set(searched.kinds) == {"kill controller", "restart controller"}


def test_time_ends_a_search() -> None:
    scenario = read_scenario(json.dumps(PLANTED), "planted")
    left = iter([600.0] * MOST_SEEDS + [0.0])  # for the unharmed runs, and then no more
    searched = search(whole(scenario), scenario, Search(500, 1, ("drain",), partial(next, left), processes=1))
    assert (searched.runs, searched.singles, searched.pairs, searched.found) == (MOST_SEEDS, 0, 0, None)
    assert searched.is_late
    assert "The time was up before all was tried." in text("planted", searched).splitlines()


def test_time_ends_a_search_before_its_first_run_has() -> None:
    scenario = read_scenario(json.dumps(PLANTED), "planted")
    with pytest.raises(BadRequestError, match="the time was up before the first run had ended"):
        search(whole(scenario), scenario, Search(1, 1, ("drain",), lambda: 0.0))


def test_a_search_in_every_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "web.yaml").write_text(json.dumps(deployment()))
    reports = [tmp_path / name for name in ("r.html", "r.md", "r.xml")]
    line = f"rehearse --before {tmp_path}/web.yaml --set-image deploy/web/app=web:404 --profile instant --search 3"
    assert run([*line.split(), "-o", "json", *(f"--report={path}" for path in reports)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [each.message for each in SCHEMA.iter_errors(told)] == []
    assert told["verdict"] == 'deploy/web/app=web:404 breaks "finishes" without any fault.'
    assert all("web:404" in path.read_text() for path in reports)
    line = f"rehearse --before {tmp_path}/web.yaml --set-image deploy/web=web:v2 --profile instant --search 2"
    report = tmp_path / "r.json"
    assert run([*line.split(), "--search-faults", "add controller", "--undo=false", f"--report={report}"]) == 0
    told = json.loads(report.read_text())
    assert [each.message for each in SCHEMA.iter_errors(told)] == []
    assert told["found"] is None
    assert capsys.readouterr().out.splitlines() == [
        "kept: deploy/web=web:v2 breaks nothing in 2 runs.",
        "",
        "1 run without faults (seeds 1 to 1)",
        "1 run with one fault, 0 with two",
        "      1 add controller",
    ]


@pytest.mark.parametrize("line", ["--search 0", "--search 5 --search-faults explode"])
def test_what_cannot_be_searched(line: str, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(json.dumps(deployment()))
    given = f"rehearse --before {tmp_path}/web.yaml --set-image deploy/web=web:v2"
    assert run([*given.split(), *line.split()]) == 2


POOLS = (
    NodePool(
        "gpu", 2, zones=("a", "b"), labels={"x": "y"}, taints=(Taint("k", "v", "NoSchedule"),), capacity={"cpu": "8"}
    ),
    NodePool(
        "spot", 1, roles=("worker",), region="eu", instance_type="m", allocatable={"cpu": "7"}, unschedulable=True
    ),
)
NODE = {
    "kind": "Node",
    "metadata": {"name": "n1", "labels": {"a": "b"}},
    "spec": {"taints": [{"key": "k", "effect": "NoExecute"}], "unschedulable": True},
    "status": {"capacity": {"cpu": "4"}, "allocatable": {"cpu": "3"}},
}
EXACT = parse_node_file(json.dumps(NODE), "n")


def _story(nodes: int | tuple[NodePool, ...]) -> Story:
    manifests = [deployment() | {"metadata": {"name": "web", "namespace": "default"}}]
    changes: list[Change] = [
        Apply(json.dumps({"items": [budget(minAvailable=1) | {"metadata": {"name": "web", "namespace": "default"}}]})),
        SetImage("deployment/default/web", {"*": "web:v2"}),
        SetImage("deployment/default/web", {"app": "web:v3"}),
        Patch("deployment/default/web", '{"spec": {"replicas": 5}}'),
    ]
    before = json.dumps({"items": manifests})
    return Story("a story", before, changes, Cluster(nodes, shipped_profile("instant"), "1.30"), 60.0, True)


@pytest.mark.parametrize("nodes", [4, POOLS, EXACT], ids=["a number", "pools", "nodes of a cluster"])
def test_a_story_written_down_is_read_as_the_same_story(nodes: int | tuple[NodePool, ...]) -> None:
    story = _story(nodes)
    document = document_of(story, "instant", 7)
    read = read_scenario(scenario_text(document), "x")
    again = whole(read)
    assert read.seed == 7
    assert (again.cluster, again.patience_seconds, again.undo) == (story.cluster, 60.0, True)
    assert json.loads(again.before)["items"] == json.loads(story.before)["items"]
    assert document_of(replace(again, changes=()), "instant", 7) == document
    assert len(again.script) == 4


def test_nodes_of_both_sorts_cannot_be_written() -> None:
    with pytest.raises(BadRequestError, match="not both"):
        document_of(_story((*POOLS, *EXACT)), "instant", 1)
