"""Whole rehearsals: what comes of good changes and of bad ones, and of going back."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rollplane_machinery.errors import BadRequestError
from rollplane_rehearsal.rehearse.many import rehearse_all
from rollplane_rehearsal.rehearse.run import key_of, rehearse
from rollplane_rehearsal.rehearse.story import Apply, Patch, SetImage
from tests.rehearsal.stories import DEPLOYMENT, STATEFUL_SET, deployment, outcome, story


def test_a_good_change_finishes_keeps_its_promises_and_heals() -> None:
    seen = outcome(story(SetImage(DEPLOYMENT, {"*": "web:v2"})))
    (web,) = seen.workloads
    assert seen.finished
    assert seen.kept
    assert web.changed
    assert (web.least_available.count, web.least_available.promised) == (3, 3)
    assert (web.most_pods.count, web.most_pods.promised) == (5, 5)
    assert seen.undo is not None
    assert 0 < seen.undo.at < (seen.seconds or 0)
    assert seen.undo.seconds
    assert not seen.violations


def test_an_image_that_is_not_there_is_stuck_and_says_why() -> None:
    seen = outcome(story(SetImage(DEPLOYMENT, {"*": "web:404"})))
    (web,) = seen.workloads
    assert (seen.seconds, web.seconds) == (None, None)
    assert web.stuck is not None
    assert web.stuck.reason == "ImagePullBackOff"
    assert len(web.stuck.pods) == 2
    assert seen.undo is not None
    assert seen.undo.seconds is not None, "the old pods are still there"


def test_going_back_does_not_heal_an_ordered_stateful_set() -> None:
    """The trap that kubernetes.io tells of as "forced rollback": the broken pod is waited for."""
    change = SetImage("statefulset/default/db", {"*": "db:404"})
    seen = outcome(story(change, STATEFUL_SET))
    assert seen.undo is not None
    assert seen.undo.seconds is None
    assert [name for name, _ in seen.undo.stuck] == ["statefulset/default/db"]


def test_what_a_new_version_refers_to_is_not_assumed() -> None:
    change = Patch(DEPLOYMENT, '{"spec":{"template":{"spec":{"serviceAccountName":"nobody"}}}}')
    (web,) = outcome(story(change, profile="instant")).workloads
    assert web.stuck is not None
    assert "nobody" in web.stuck.why


def test_a_change_that_is_refused_changes_nothing() -> None:
    bad = (
        deployment()
        .replace("matchLabels: {app: web}", "matchLabels: {app: other}")
        .replace("{app: web}}}", "{app: x}}}")
    )
    seen = outcome(story(Apply(bad), profile="instant"))
    assert seen.refused
    assert not seen.finished
    assert "selector" in seen.refused[0]


def test_what_is_new_promises_nothing_until_it_is_there_and_nothing_changes_for_the_others() -> None:
    other = deployment().replace("web", "other")
    seen = outcome(story(Apply(other), profile="instant"))
    new, old = seen.workloads
    assert (new.name, new.changed, new.least_available.promised) == ("deployment/default/other", True, None)
    assert (old.changed, old.seconds) == (False, 0.0)


def test_between_two_sizes_the_smaller_promise_holds() -> None:
    seen = outcome(story(Apply(deployment(replicas=8)), profile="instant"))
    (web,) = seen.workloads
    assert (web.least_available.promised, web.most_pods.promised) == (3, 10)
    assert seen.kept


def test_what_is_made_smaller_was_larger_and_is_done_when_its_pods_are_gone() -> None:
    seen = outcome(story(Apply(deployment(replicas=0)), undo=False))
    (web,) = seen.workloads
    assert (web.most_pods.count, web.most_pods.at) == (4, 0.0)
    assert (web.least_available.count, web.least_available.promised) == (0, 0)
    assert web.seconds
    assert web.seconds > 0.5, "pods take their time to end"
    assert seen.kept


def test_a_cluster_on_which_not_even_the_old_version_runs_cannot_rehearse() -> None:
    with pytest.raises(BadRequestError, match=r"what is to run before never does: .*web:404"):
        outcome(story(SetImage(DEPLOYMENT, {"*": "web:v2"}), deployment("web:404")))
    with pytest.raises(BadRequestError, match="what is to run before is refused"):
        outcome(story(SetImage(DEPLOYMENT, {"*": "web:v2"}), deployment(replicas=-1)))


def test_a_recorded_run_is_the_same_run() -> None:
    told = story(SetImage(DEPLOYMENT, {"*": "web:v2"}))
    seen, recording = rehearse(told, 3, recorded=True)
    assert seen == outcome(told, 3)
    assert recording.waits
    assert (recording.marks[0].at, recording.begin) == (0.0, -2.0)
    assert all(wait.end > wait.begin for wait in recording.waits)


def test_what_lasted_no_time_is_not_waited_for() -> None:
    """The controller of a StatefulSet sees the change at once, whenever somebody looks."""
    change = SetImage("statefulset/default/db", {"*": "db:v2"})
    _, recording = rehearse(story(change, STATEFUL_SET, undo=False), 1, recorded=True)
    assert [each.sentence for each in recording.waits if "latest change" in each.sentence] == []
    assert recording.waits[0].begin == 0.0
    assert all(one.end <= other.begin for one, other in pairwise(recording.waits))


def test_a_recording_shows_the_way_back_where_the_rollout_was_left() -> None:
    seen, recording = rehearse(story(SetImage(DEPLOYMENT, {"*": "web:404"})), 1, recorded=True)
    assert seen.undo is not None
    assert [each.label for each in recording.marks] == ["the change", "undo"]
    assert recording.marks[1].at == pytest.approx(seen.undo.at, abs=0.001)
    assert not any(wait.lasting for wait in recording.waits)


def test_many_runs_are_those_of_each_seed_and_are_counted() -> None:
    told = story(SetImage(DEPLOYMENT, {"*": "web:v2"}), undo=False)
    counts: list[int] = []
    found = rehearse_all(told, range(1, 7), counts.append)
    assert [each.seed for each in found] == [1, 2, 3, 4, 5, 6]
    assert counts == [1, 2, 3, 4, 5, 6]
    assert len({each.digest for each in found}) == 6
    assert found[0] == outcome(told, 1)


@pytest.mark.parametrize("name", ["web", "deployment/web"])
def test_what_is_changed_is_named_in_full(name: str) -> None:
    with pytest.raises(BadRequestError, match="names nothing"):
        key_of(name)
