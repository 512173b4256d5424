"""What may be varied, how it is written, where it goes; and everything that is refused before anything is rehearsed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rollplane_machinery.errors import RollplaneError
from rollplane_rehearsal.compare.axes import MOST, Axis, combinations, read_axis, steps_of
from rollplane_rehearsal.compare.varying import vary
from rollplane_rehearsal.rehearse.story import Apply, Cluster, SetImage, Story
from tests.customs import custom, definition
from tests.rehearsal.manifests import daemon_set, deployment, stateful_set

READ: dict[str, Axis] = {
    "maxSurge=1,25%,50%": Axis("maxSurge", (1, "25%", "50%")),
    "deploy/web:replicas=5,5,10": Axis("replicas", (5, 10), "deploy/web"),
    "release=1.20,1.30": Axis("release", ("1.20", "1.30")),
    "profile=instant,slow.yaml": Axis("profile", ("instant", "slow.yaml")),
    "nodes=3,30": Axis("nodes", (3, 30)),
    'spec.template.spec.nodeSelector={a: "1"},null': Axis("spec.template.spec.nodeSelector", ({"a": "1"}, None)),
    "spec.paused=true,1": Axis("spec.paused", (True, 1)),
}


@pytest.mark.parametrize(("written", "axis"), READ.items(), ids=READ)
def test_what_is_varied_is_read(written: str, axis: Axis) -> None:
    assert read_axis(written) == axis


REFUSED = {
    "maxSurge": "want [TYPE/NAME:]FIELD=VALUE,VALUE,…",
    "maxSurge=": "want [TYPE/NAME:]FIELD=VALUE,VALUE,…",
    "a web:maxSurge=1": "want [TYPE/NAME:]FIELD=VALUE,VALUE,…",
    "maxSurge=[": "values are not YAML",
    "nodes=0": "nodes: 0 is no number above 0",
    "release=1.2": "release",
}


@pytest.mark.parametrize(("written", "told"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_read_is_refused(written: str, told: str) -> None:
    with pytest.raises(RollplaneError) as refused:
        read_axis(written)
    assert told in refused.value.message


def test_all_combinations_are_made_the_last_axis_fastest_and_not_too_many() -> None:
    assert combinations([Axis("a", (1, 2)), Axis("b", (3, 4))]) == [(1, 3), (1, 4), (2, 3), (2, 4)]
    with pytest.raises(RollplaneError, match=f"121 combinations are too many, at most {MOST}"):
        combinations([Axis("a", tuple(range(11))), Axis("b", tuple(range(11)))])
    with pytest.raises(RollplaneError, match="a is varied twice"):
        combinations([Axis("a", (1,)), Axis("a", (2,))])


def test_a_path_has_members_and_items() -> None:
    assert steps_of("spec.containers[web].image") == ["spec", "containers", "web", "image"]
    assert steps_of("metadata.annotations[a.b/c]") == ["metadata", "annotations", "a.b/c"]


def _list(*objects: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


STORY = Story(
    "web",
    _list(deployment(), stateful_set(), daemon_set(), definition(), custom()),
    [Apply(_list(deployment(image="web:v2"))), SetImage("statefulset/default/db", {"*": "db:v2"})],
    Cluster(3),
)


def _varied(written: str, story: Story = STORY) -> Story:
    axis = read_axis(written)
    return vary(story, [axis], axis.values[:1], {})


WHERE: dict[str, list[tuple[str, Any]]] = {
    "maxSurge=2": [
        ("web", {"strategy": {"rollingUpdate": {"maxSurge": 2}}}),
        ("agent", {"updateStrategy": {"rollingUpdate": {"maxSurge": 2}}}),
    ],
    "partition=1": [("db", {"updateStrategy": {"rollingUpdate": {"partition": 1}}})],
    "deploy/web:replicas=7": [("web", {"replicas": 7})],
    "crontab/one:spec.replicas=7": [("one", {"replicas": 7})],
}


@pytest.mark.parametrize(("written", "expected"), WHERE.items(), ids=WHERE)
def test_a_value_goes_where_the_kind_has_it_and_nowhere_else(written: str, expected: list[tuple[str, Any]]) -> None:
    before, after = json.loads(STORY.before)["items"], json.loads(_varied(written).before)["items"]
    changed = [(new["metadata"]["name"], new["spec"]) for old, new in zip(before, after, strict=True) if old != new]
    assert [name for name, _ in changed] == [name for name, _ in expected]
    assert all(spec | part == spec for (_, spec), (_, part) in zip(changed, expected, strict=True))


def test_what_is_applied_later_is_varied_as_what_runs_before() -> None:
    story = _varied("replicas=7")
    assert isinstance(story.changes[0], Apply)
    assert json.loads(story.changes[0].manifests)["items"][0]["spec"]["replicas"] == 7
    assert story.changes[1] == STORY.changes[1]


def test_an_item_of_a_list_is_named_or_counted() -> None:
    for item in ("app", "0"):
        story = _varied(f"deploy/web:spec.template.spec.containers[{item}].image=web:v7", Story("x", STORY.before, []))
        pod = json.loads(story.before)["items"][0]["spec"]["template"]["spec"]
        assert pod["containers"] == [{"name": "app", "image": "web:v7"}]


def test_the_cluster_is_varied() -> None:
    assert _varied("nodes=9").cluster.nodes == 9
    assert _varied("release=1.25").cluster.release == "1.25"


IGNORED = "statefulset/default/db: release 1.30 ignores maxUnavailable: one pod at a time, whatever it says"


@pytest.mark.parametrize(
    ("written", "release", "notes"),
    [
        ("maxUnavailable=2", "1.30", ("a", IGNORED)),
        ("sts/db:spec.updateStrategy.rollingUpdate.maxUnavailable=2", "1.30", ("a", IGNORED)),
        ("deploy/web:maxUnavailable=2", "1.30", ("a",)),
        ("partition=1", "1.30", ("a",)),
        ("maxUnavailable=2", "", ("a",)),
    ],
)
def test_a_field_that_the_release_ignores_is_noted(written: str, release: str, notes: tuple[str, ...]) -> None:
    story = replace(STORY, cluster=Cluster(3, release=release), notes=("a",))
    assert _varied(written, story).notes == notes


NOWHERE: dict[str, tuple[str, str]] = {
    "a kind without it": (
        "maxSurge=1",
        "maxSurge is a field of deployment and daemonset, and none of those is here; varied may be of "
        "statefulset/default/db maxUnavailable, partition, replicas",
    ),
    "no such field": ("maxSurg=1", '"maxSurg" is no field that can be varied; varied may be of'),
    "no such path": ("spec.replicsa=1", "spec.replicsa: statefulset/default/db: spec.replicsa: "),
    "no such item": ("spec.template.spec.containers[x].image=a", 'statefulset/default/db has no "x" on that way'),
    "no such object": ("sts/web:replicas=1", "there is no sts/web that has it"),
    "no such type": ("thing/web:replicas=1", "there is no thing/web that has it"),
    "a wrong type": ("replicas=many", "replicas: statefulset/default/db: spec.replicas: "),
}


@pytest.mark.parametrize(("written", "told"), NOWHERE.values(), ids=NOWHERE)
def test_what_no_object_has_is_told_with_what_may_be_varied(written: str, told: str) -> None:
    with pytest.raises(RollplaneError) as refused:
        _varied(written, Story("x", _list(stateful_set()), []))
    assert told in refused.value.message
