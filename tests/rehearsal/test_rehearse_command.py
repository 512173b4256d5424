"""``rollplane rehearse`` as a process: what it prints and writes, and its three exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollplane_cli.main import run
from tests.customs import custom, definition
from tests.end_to_end.up_process import Ran, rollplane
from tests.rehearsal.stories import deployment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "before.yaml").write_text(deployment())
    (tmp_path / "after.yaml").write_text(deployment("web:404"))
    (tmp_path / "web.yaml").write_text(deployment().replace("name: web}", "name: web, namespace: default}", 1))
    pair = (deployment().replace("name: web}", f"name: web, namespace: {each}}}", 1) for each in "ab")
    (tmp_path / "pair.yaml").write_text("---".join(pair))
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    (tmp_path / "custom.json").write_text(json.dumps(custom(metadata={"name": "nightly"})))
    (tmp_path / "wob.yaml").write_text("before: web.yaml\nsteps: [{set image: wob=web:2}]")
    (tmp_path / "node.yaml").write_text("before: web.yaml\nsteps: [{drain: node-77}]")
    (tmp_path / "r.html").mkdir()
    for name, file in (("chart", "Chart.yaml"), ("kust", "kustomization.yaml")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("name: web")
    return tmp_path


def _rehearse(line: str, folder: Path) -> Ran:
    return rollplane(f"rehearse --profile instant {line}", cwd=folder)


def test_a_change_that_is_kept(folder: Path) -> None:
    ran = _rehearse("--before before.yaml --set-image deploy/web=web:v2 --runs 2 --seed 7", folder)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("kept: deploy/web=web:v2 finishes in 0.0 s and keeps every expectation in 2 runs.\n")


def test_a_change_that_is_broken_in_every_form(folder: Path) -> None:
    reports = [folder / name for name in ("report.html", "r.json", "r.xml", "r.md", "r.txt")]
    line = "--before before.yaml --after after.yaml -o json " + " ".join(f"--report {path}" for path in reports)
    ran = _rehearse(line, folder)
    assert ran.code == 1
    assert json.loads(ran.out)["kept"] is False
    assert reports[1].read_text() == ran.out
    assert all("web:404" in path.read_text() for path in reports)


def test_what_names_no_namespace_is_in_the_one_asked_for(folder: Path) -> None:
    ran = _rehearse("-n shop --before before.yaml --set-image deploy/web=web:v2 --undo=false", folder)
    assert (ran.code, ran.err) == (0, "")
    assert "deployment/shop/web: least available" in ran.out


def test_stand_ins_are_put_into_namespaces_that_the_files_bring(folder: Path) -> None:
    (folder / "before.yaml").write_text(
        deployment(serviceAccountName="web") + "---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n"
    )
    ran = _rehearse("-n shop --before before.yaml --set-image deploy/web=web:v2 --undo=false", folder)
    assert (ran.code, ran.err) == (0, "")
    assert "assumed to be there, since what runs now refers to it: serviceaccount shop/web" in ran.out


def test_custom_objects_come_along_and_those_that_nothing_defines_are_told(folder: Path) -> None:
    objects = [custom(metadata={"name": "nightly"}), definition(), custom(kind="Unknown")]
    (folder / "operator.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    ran = _rehearse("--before before.yaml,operator.json --set-image deploy/web=web:v2 --undo=false", folder)
    assert (ran.code, ran.err) == (0, "")
    assert [line for line in ran.out.splitlines() if line.startswith("note: left out")] == [
        'note: left out: 1 object: no matches for kind "Unknown" in version "example.com/v1", '
        "and nothing given defines it (operator.json line 1)"
    ]


def test_kinds_that_run_already_are_defined_somewhere(folder: Path) -> None:
    ran = _rehearse("--before before.yaml,custom.json --after after.yaml,custom.json --undo=false", folder)
    assert ran.code == 1
    assert "note: left out: 1 object" in ran.out


def test_what_is_not_applied_stays_and_is_told(folder: Path) -> None:
    ran = _rehearse("--before pair.yaml --after web.yaml --nodes 4 --node-pool name=a,count=2 --undo=false", folder)
    assert (ran.code, ran.err) == (0, "")
    assert "note: not among what is applied, and stays as it is: deployment a/web, deployment b/web" in ran.out


def test_what_changes_nothing_says_so(folder: Path) -> None:
    ran = _rehearse("--before before.yaml --after before.yaml --title again", folder)
    assert ran.code == 0
    assert ran.out.startswith("kept: again finishes in 0.0 s")
    assert "note: no workload is changed by it" in ran.out


COULD_NOT: dict[str, tuple[str, str]] = {
    "nothing changes": ("--before before.yaml", "nothing is to change"),
    "no file": ("--before nowhere.yaml --after after.yaml", 'the path "nowhere.yaml" does not exist'),
    "no such flag": ("--before before.yaml --after after.yaml --no-such", "unknown flag: --no-such"),
    "no runs": ("--before before.yaml --after after.yaml --runs 0", '"0" for "--runs" flag: at least one'),
    "no such report": ("--before before.yaml --after after.yaml --report r.pdf", "its ending must be one of .txt"),
    "no such profile": ("--before before.yaml --after after.yaml --profile slow.yaml", "cannot read slow.yaml"),
    "no image": ("--before before.yaml --set-image web", "want TYPE/NAME[/CONTAINER]=IMAGE"),
    "no nodes": ("--before before.yaml --after after.yaml --nodes 0", '"0" for "--nodes" flag: at least one'),
    "less than no nodes": ("--before before.yaml --after after.yaml --nodes=-3", '"-3" for "--nodes" flag'),
    "nobody's image": (
        "--before before.yaml --set-image sts/web=web:2",
        "there is no sts/web in what runs or is to run; there is deployment/default/web",
    ),
    "nobody's patch": ("--before before.yaml --patch deploy/api={}", "there is no deploy/api in what runs"),
    "no container": (
        "--before before.yaml --set-image deploy/web/x=web:2",
        'deployment/default/web has no container "x"; it has web',
    ),
    "no such folder of reports": (
        "--before before.yaml --after after.yaml --report nowhere/r.html",
        "cannot write nowhere/r.html: there is no folder nowhere",
    ),
    "a folder for a report": ("--before before.yaml --after after.yaml --report r.html", "r.html: it is a folder"),
    "no such file of nodes": (
        "--before before.yaml --after after.yaml --node-file missing",
        "error: cannot read missing: No such file",
    ),
    "no shipped profile": (
        "--before before.yaml --after after.yaml --profile relistic",
        'no profile "relistic": there are instant, realistic, flaky, manual, or give a file',
    ),
    "no patience": ("--before before.yaml --after after.yaml --patience 0", '"0" for "--patience" flag: want more'),
    "no time to search": ("--before before.yaml --after after.yaml --search-for 0s", "want more than nothing"),
    "an argument of no flag": ("--before before.yaml after.yaml", 'unknown argument "after.yaml": give each file a'),
    "a comparison of an argument": ("compare --before before.yaml bogus --vary maxSurge=1", 'unknown argument "bogus"'),
    "a chart": ("--before chart --after after.yaml", "chart is a Helm chart: render it first: helm template release"),
    "a kustomization": ("--before before.yaml --after kust", "kust is a kustomization: render it first: kubectl"),
    "nothing to apply": ("--before before.yaml --after empty.yaml", "error: empty.yaml holds nothing to apply"),
    "kinds that nothing defines": (
        "--before before.yaml --after custom.json",
        'custom.json: a server would refuse 1 object: no matches for kind "CronTab"',
    ),
    "nobody's step": (
        "--scenario wob.yaml",
        'step 1 (set image wob=web:2): there is never a workload called "wob"; there is deployment/default/web',
    ),
    "nobody's node": (
        "--scenario node.yaml",
        'never a node called "node-77"; there is node-0, node-1, node-2',
    ),
    "too many nodes": (
        "--before before.yaml --after after.yaml --nodes 1 --node-pool name=a,count=2",
        "nodes is 1, but",
    ),
    "no patch": ("--before before.yaml --patch deploy/web=garbage", "a patch is a mapping"),
    "a patch of no field": (
        '--before before.yaml --patch deploy/web={"spec":{"replicaz":2}}',
        "the patch of deployment/default/web cannot be",
    ),
    "no such object": ("--before before.yaml --patch cm/web={}", "there is no cm/web in what runs"),
    "elsewhere": ("-n shop --before web.yaml --set-image web=web:2", "there is no web in what runs or is to run"),
    "one of two": (
        "--before web.yaml,pair.yaml --set-image web=web:2 -n else",
        "there is no web in what runs or is to run; there is deployment/a/web, deployment/b/web, deployment/",
    ),
    "either": (
        "--before pair.yaml --set-image deploy/web=web:2",
        "deploy/web may be each of deployment/a/web, deployment/b/web: name one of them",
    ),
    "no release": ("--before before.yaml --after after.yaml --release 1.2", "no release"),
}


@pytest.mark.parametrize(("line", "told"), COULD_NOT.values(), ids=COULD_NOT)
def test_what_cannot_be_rehearsed_is_told_with_a_code_of_its_own(
    folder: Path, line: str, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    code = run(["rehearse", *line.split()])
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert told in said.err


def test_a_fault_of_ours_is_no_verdict(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("rollplane_rehearsal.commands.rehearse.recorded_run", fail)
    before = str(folder / "before.yaml")
    assert run(["rehearse", "--before", before, "--set-image", "deploy/web=web:2"]) == 2
    assert capsys.readouterr().err.rstrip().endswith("ZeroDivisionError: ours")


SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers: [{name: first, image: first:1}]
      containers: [{name: web, image: web:1}, {name: proxy, image: proxy:1}]
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: web, namespace: shop}, data: {a: b}}
"""


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--set-image web=web:2", "has 2 containers, web, proxy: name one, as in deployment/shop/web/web=IMAGE"),
        ("--set-image web/web=web:2", ""),
        ("--set-image deploy/web/*=web:2", ""),
        ("--set-image deployment/shop/web/first=first:2", ""),
        ("--set-image deployment/shop/web/web=web:2 -n other", ""),
        ("--set-image deploy/web/web=web:2 -n other", "there is no deploy/web/web in what runs"),
        ('--patch web={"spec":{"replicas":2}}', ""),
        (
            '--patch web={"spec":{"template":{"spec":{"containers":[{"name":"proxy","$patch":"delete"}]}}}}',
            "",
        ),
        ('--patch cm/web={"data":{"a":"c"}}', ""),
        ('--patch configmap/shop/web={"data":{"a":null}}', ""),
    ],
)
def test_objects_are_named_as_in_scenarios(
    tmp_path: Path, line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)
    before = f"rehearse --profile instant --undo=false --before {tmp_path / 'shop.yaml'}"
    code = run([*before.split(), *line.split()])
    assert (code, told in capsys.readouterr().err) == (2 if told else 0, True)
