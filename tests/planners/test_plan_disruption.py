"""What a PodDisruptionBudget allows, and what it keeps of evictions (kubernetes pkg/controller/disruption)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane.core.v1 import Pod
from rollplane.meta.v1 import OwnerReference, Time
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_machinery.int_or_string import of
from rollplane_machinery.times import to_seconds
from rollplane_planners.disruption import DisruptionView, Scale, plan_disruption
from rollplane_planners.model import Plan, UpdateObjectStatus
from rollplane_planners.pods import PodView, pod_view
from tests.planners.pods import said

NOW = 1_700_000_000.0


def pods(*states: str, owner: str = "rs-1", prefix: str = "p") -> list[PodView]:
    """Return pods; each state holds r for ready, t for terminating."""
    return [pod_view(_pod(f"{prefix}{number}", state, owner)) for number, state in enumerate(states)]


def _pod(name: str, state: str, owner: str) -> Pod:
    pod = Pod()
    pod.metadata.name = pod.metadata.uid = name
    if owner:
        pod.metadata.owner_references.append(OwnerReference(uid=owner, kind="ReplicaSet", controller=True))
    if "t" in state:
        pod.metadata.deletion_timestamp.CopyFrom(Time(seconds=1))
    pod.status.conditions.add(type="Ready", status="True" if "r" in state else "False")
    return pod


def budget(
    *, least: int | str | None = None, most: int | str | None = None, disrupted: dict[str, float] | None = None
) -> PodDisruptionBudget:
    message = PodDisruptionBudget()
    message.metadata.namespace, message.metadata.name, message.metadata.generation = "default", "b", 3
    if least is not None:
        message.spec.min_available.CopyFrom(of(least))
    if most is not None:
        message.spec.max_unavailable.CopyFrom(of(most))
    for name, at in (disrupted or {}).items():
        message.status.disrupted_pods[name].CopyFrom(Time(seconds=int(at)))
    return message


def plan(
    message: PodDisruptionBudget, selected: Sequence[PodView], scale: dict[str, int] | None = None, now: float = NOW
) -> Plan:
    scales = {"rs-1": len(selected)} if scale is None else scale

    def scale_of(pod: PodView) -> Scale | None:
        uid = pod.controller_uid or ""
        return Scale(uid, scales[uid]) if uid in scales else None

    return plan_disruption(DisruptionView(message, selected, scale_of), now)


def status_of(planned: Plan) -> PodDisruptionBudget:
    (write,) = planned.writes
    assert isinstance(write, UpdateObjectStatus)
    assert isinstance(write.object, PodDisruptionBudget)
    return write.object


FIVE = pods("r", "r", "r", "r", "r")
FOUR_READY = pods("r", "r", "r", "r", "")
Counts = tuple[int, int, int, int]
CASES: dict[str, tuple[PodDisruptionBudget, list[PodView], dict[str, int] | None, Counts]] = {
    # expected pods, desired healthy, current healthy, allowed
    "at least 3": (budget(least=3), FIVE, None, (5, 3, 5, 2)),
    "at least 3, one not ready": (budget(least=3), FOUR_READY, None, (5, 3, 4, 1)),
    "at least 5": (budget(least=5), FIVE, None, (5, 5, 5, 0)),
    "at least 5, one not ready": (budget(least=5), FOUR_READY, None, (5, 5, 4, 0)),
    "a plain number counts the pods that are there": (budget(least=3), FIVE, {"rs-1": 9}, (5, 3, 5, 2)),
    "at least 50 %, rounded up": (budget(least="50%"), FIVE, None, (5, 3, 5, 2)),
    "percent of what the controller wants": (budget(least="50%"), FIVE, {"rs-1": 10}, (10, 5, 5, 0)),
    "at most 1": (budget(most=1), FIVE, None, (5, 4, 5, 1)),
    "at most 1, of what the controller wants": (budget(most=1), FIVE, {"rs-1": 6}, (6, 5, 5, 0)),
    "at most 30 %, rounded up": (budget(most="30%"), FIVE, None, (5, 3, 5, 2)),
    "at most 100 %": (budget(most="100%"), FIVE, None, (5, 0, 5, 5)),
    "at most more than there are": (budget(most=9), FIVE, None, (5, 0, 5, 5)),
    "terminating pods are not healthy": (budget(least=3), pods("r", "r", "r", "rt"), None, (4, 3, 3, 0)),
    "two controllers": (
        budget(most="25%"),
        [*pods("r", "r", "r", "r"), *pods("r", "r", "r", "r", owner="rs-2", prefix="q")],
        {"rs-1": 4, "rs-2": 4},
        (8, 6, 8, 2),
    ),
    "pods without a controller, plain": (budget(least=1), pods("r", "r", owner=""), {}, (2, 1, 2, 1)),
    "pods without a controller do not count for shares": (budget(most=1), pods("r", "r", owner=""), {}, (0, 0, 2, 0)),
    "no pods allow nothing": (budget(most=1), [], None, (0, 0, 0, 0)),
    "neither limit": (budget(), FIVE, None, (0, 0, 5, 0)),
    "granted and not yet seen counts as missing": (
        budget(least=3, disrupted={"p0": NOW - 5}),
        FIVE,
        None,
        (5, 3, 4, 1),
    ),
}


@pytest.mark.parametrize(("message", "selected", "scale", "counts"), CASES.values(), ids=CASES)
def test_counts(
    message: PodDisruptionBudget, selected: list[PodView], scale: dict[str, int] | None, counts: Counts
) -> None:
    after = status_of(plan(message, selected, scale))
    status = after.status
    seen = (status.expected_pods, status.desired_healthy, status.current_healthy, status.disruptions_allowed)
    assert seen == counts
    assert status.observed_generation == 3
    (condition,) = status.conditions
    told = ("True", "SufficientPods") if counts[3] else ("False", "InsufficientPods")
    assert (condition.type, condition.status, condition.reason) == ("DisruptionAllowed", *told)
    assert condition.observed_generation == 3
    assert plan(after, selected, scale, NOW + 1).writes == ()


def test_condition_keeps_its_time_until_it_turns() -> None:
    first = status_of(plan(budget(least=3), FIVE))
    same = status_of(plan(first, FIVE[:4], now=NOW + 50))
    turned = status_of(plan(same, FIVE[:3], now=NOW + 90))
    times = [to_seconds(one.status.conditions[0].last_transition_time) for one in (first, same, turned)]
    assert times == [NOW, NOW, NOW + 90]


def test_grants_are_forgotten_when_their_pod_goes_or_after_two_minutes() -> None:
    granted = {"p0": NOW - 5, "p1": NOW - 5, "p2": NOW - 121, "gone": NOW - 1}
    selected = pods("r", "rt", "r", "r")
    planned = plan(budget(least=1, disrupted=granted), selected)
    assert dict(status_of(planned).status.disrupted_pods).keys() == {"p0"}
    assert planned.requeue_after == pytest.approx(116)
    (event,) = planned.events
    assert (event.reason, event.severity) == ("NotDeleted", "Warning")
    assert event.message == "Pod p2 was expected by PDB default/b to be deleted but it wasn't"


@pytest.mark.parametrize("message", [budget(most=1), budget(least="10%")], ids=["at most", "percent"])
def test_uncountable_controller_allows_nothing(message: PodDisruptionBudget) -> None:
    message.status.disruptions_allowed = 2
    planned = plan(message, FIVE, {})
    after = status_of(planned)
    assert after.status.disruptions_allowed == 0
    assert (after.status.conditions[0].reason, after.status.conditions[0].status) == ("SyncFailed", "False")
    assert after.status.conditions[0].message == 'found no controllers for pod "p0"'
    assert said(planned) == ['cannot be counted: found no controllers for pod "p0"']
    assert planned.events[0].reason == "CalculateExpectedPodCountFailed"


def test_no_pods_are_told() -> None:
    assert [event.reason for event in plan(budget(least=1), []).events] == ["NoPods"]


@given(
    states=st.lists(st.sampled_from(["r", "", "rt", "t"]), max_size=12),
    least=st.one_of(st.integers(0, 14), st.integers(0, 100).map(lambda share: f"{share}%")),
    granted=st.sets(st.integers(0, 11)),
)
def test_what_is_allowed_never_leaves_fewer_healthy_pods_than_desired(
    states: list[str], least: int | str, granted: set[int]
) -> None:
    selected = pods(*states)
    message = budget(least=least, disrupted={f"p{number}": NOW for number in granted})
    after = status_of(plan(message, selected)).status
    healthy = sum(pod.ready and not pod.terminating for pod in selected)
    assert after.current_healthy <= healthy
    assert after.disruptions_allowed == 0 or after.current_healthy - after.disruptions_allowed >= after.desired_healthy


def test_pods_of_one_owner_count_once_however_many_sets_run_them() -> None:
    selected = [*pods("r", "r", owner="old"), *pods("r", owner="new", prefix="n")]
    view = DisruptionView(budget(most=2), selected, lambda _pod: Scale("deployment", 4))
    (write,) = plan_disruption(view, NOW).writes
    assert isinstance(write, UpdateObjectStatus)
    assert isinstance(write.object, PodDisruptionBudget)
    status = write.object.status
    assert (status.expected_pods, status.desired_healthy, status.disruptions_allowed) == (4, 2, 1)


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"most": 1}, ["UnmanagedPods"]), ({"least": "50%"}, ["UnmanagedPods"]), ({"least": 1}, [])],
)
def test_unmanaged_pods_are_told_where_the_scale_counts(asked: dict[str, int | str], told: list[str]) -> None:
    message = budget(least=asked.get("least"), most=asked.get("most"))
    message.spec.selector.match_labels["app"] = "web"
    made = plan(message, pods("r", owner=""))
    assert [event.reason for event in made.events] == told
    assert all(
        "(selector: &LabelSelector{MatchLabels:map[string]string{app: web,}," in one.message for one in made.events
    )
