"""docs/semantics/releases.md, what planners do on both sides of each boundary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane_machinery.releases import Release, release_of
from rollplane_planners.daemon_set import DaemonSetView, plan_daemon_set
from rollplane_planners.model import CreateObject, DeleteObject, Plan, UpdateObjectStatus
from rollplane_planners.namespace import deleted_first
from rollplane_planners.pods import pod_view
from rollplane_planners.scheduling.nodes import node_view
from rollplane_planners.victims import choose_victims
from tests.planners import daemon_sets, deployments, stateful_sets
from tests.planners.deployments import a_deployment, a_set, told
from tests.planners.pods import NOW, a_pod, a_view
from tests.planners.stateful_sets import a_stateful_set, member, members, rolling, status_of
from tests.planners.test_plan_replica_set import a_set as a_bare_set
from tests.planners.test_plan_replica_set import plan as plan_bare_set

Behaviour = Callable[[Release], object]
PARALLEL: dict[str, Any] = {"podManagementPolicy": "Parallel"}


def the_dropped(release: Release) -> object:
    """A limit of 1; the older set ran last."""
    deployment = deployments.with_status(
        a_deployment("v3", revisionHistoryLimit=1), replicas=3, updated_replicas=3, available_replicas=3
    )
    sets = (
        a_set(deployment, "v1", 0, revision=4, age=90),
        a_set(deployment, "v2", 0, revision=3, age=60),
        a_set(deployment, "v3", 3, revision=5),
    )
    made = deployments.plan(deployment, *sets, release=release)
    return [write.name for write in made.writes if isinstance(write, DeleteObject)]


def the_sentences(release: Release) -> object:
    created = told(deployments.plan(deployment := a_deployment("v2"), release=release))
    scaled = told(deployments.plan(deployment, a_set(deployment, "v2", 1), release=release))
    return [text.split("replica set ")[1].split(" ", 1)[1] for _, text in (*created, *scaled)]


def the_terminating(release: Release) -> object:
    pods = [a_pod("a", terminating=True), a_pod("b", terminating=True, phase="Failed"), a_pod("c")]
    (write,) = plan_bare_set(a_bare_set(1), pods, release=release).writes
    assert isinstance(write, UpdateObjectStatus)
    assert isinstance(write.object, ReplicaSet)
    status = write.object.status
    return status.terminating_replicas if status.HasField("terminating_replicas") else None


def the_deployments_terminating(release: Release) -> object:
    deployment = a_deployment("v2")
    one = a_set(deployment, "v2", 3)
    if release.terminating_replicas:
        one.status.terminating_replicas = 2
    made = deployments.plan(deployment, one, release=release)
    status = deployments.status_of(made)
    return status.terminating_replicas if status.HasField("terminating_replicas") else None


def the_available(release: Release) -> object:
    status = status_of(plan_stateful(a_stateful_set("v1", minReadySeconds=30), members("v1", "v1", "v1"), release))
    return status.available_replicas


def the_waited_for(release: Release) -> object:
    return steps(a_stateful_set("v1", minReadySeconds=30), [member(0, ready=10)], release)


def the_replaced(release: Release) -> object:
    """Four pods, two of them broken; two may be unavailable."""
    pods = [member(0, ready=None), member(1, ready=None), member(2), member(3)]
    return steps(a_stateful_set(replicas=4, updateStrategy=rolling(maxUnavailable=2), **PARALLEL), pods, release)


def the_current(release: Release) -> object:
    stateful_set = a_stateful_set(updateStrategy={"type": "OnDelete"})
    return status_of(plan_stateful(stateful_set, members("v2", "v2", "v2"), release)).current_revision


def the_index(release: Release) -> object:
    (pod, *_) = [
        write.object
        for write in plan_stateful(a_stateful_set("v1"), [], release).writes
        if isinstance(write, CreateObject)
    ]
    return pod.metadata.labels.get("apps.kubernetes.io/pod-index")


def the_first(release: Release) -> object:
    return steps(a_stateful_set("v1", ordinals={"start": 5}), [], release)


def the_claims_owner(release: Release) -> object:
    policy = {"whenDeleted": "Delete", "whenScaled": "Retain"}
    templates = [stateful_sets.a_claim_template()]
    stateful_set = a_stateful_set("v1", persistentVolumeClaimRetentionPolicy=policy, volumeClaimTemplates=templates)
    (claim, *_) = [
        write.object for write in plan_stateful(stateful_set, [], release).writes if isinstance(write, CreateObject)
    ]
    return [one.kind for one in claim.metadata.owner_references]


def the_surge(release: Release) -> object:
    daemon_set = daemon_sets.a_daemon_set(updateStrategy=daemon_sets.surging(1))
    pods = daemon_sets.daemons("v1", "v1")
    revisions = [daemon_sets.a_revision(daemon_set, image, number) for number, image in enumerate(("v1", "v2"), 1)]
    by_name = {pod.metadata.name: pod for pod in pods}
    view = DaemonSetView(
        daemon_set,
        [node_view(node) for node in daemon_sets.nodes(2)],
        [pod_view(pod) for pod in pods],
        revisions,
        lambda one: by_name[one.name],
        release=release,
    )
    return [step[0] for step in daemon_sets.steps(plan_daemon_set(view, NOW))]


def the_victim(release: Release) -> object:
    """The one with the lower cost is older, by less than a magnitude."""
    pods = [a_view("a", ready=5_000, cost="-1"), a_view("b", ready=4_999)]
    return choose_victims(pods, 1, {}, NOW, release)[0].name


def the_victim_by_age(release: Release) -> object:
    """As old as each other by magnitude: then the smaller uid."""
    return choose_victims([a_view("a", ready=5_000), a_view("b", ready=4_999)], 1, {}, NOW, release)[0].name


def plan_stateful(stateful_set: Any, pods: Sequence[Any], release: Release) -> Plan:
    return stateful_sets.plan(stateful_set, pods, release=release)


def steps(stateful_set: Any, pods: Sequence[Any], release: Release) -> list[str]:
    return stateful_sets.steps(plan_stateful(stateful_set, pods, release))


def the_first_to_go(release: Release) -> object:
    return [kind.resource for kind in deleted_first(release)]


TO, TO_FROM, FROM_TO = ["to 3", "to 3"], ["to 3", "to 3 from 1"], ["from 0 to 3", "from 1 to 3"]
ROWS: list[tuple[Behaviour, dict[str, object]]] = [
    (the_dropped, {"1.20": ["v1"], "1.21": ["v2"]}),
    (the_sentences, {"1.20": TO, "1.21": TO_FROM, "1.30": TO_FROM, "1.31": FROM_TO}),
    (the_terminating, {"1.34": None, "1.35": 1}),
    (the_deployments_terminating, {"1.34": None, "1.35": 2}),
    (the_available, {"1.22": 0, "1.23": 3}),
    (the_waited_for, {"1.22": ["+db-1@v1"], "1.23": []}),
    (
        the_replaced,
        {
            "1.34": ["-db-3"],
            "1.35.0": [],
            "1.35.3": [],
            "1.35.4": ["-db-3"],
            "1.36": ["-db-3"],
            "1.37": ["-db-1", "-db-0"],
        },
    ),
    (the_current, {"1.36": "v1", "1.37": "v2"}),
    (the_index, {"1.27": None, "1.28": "0"}),
    (the_first, {"1.26": ["+db-0@v1"], "1.27": ["+db-5@v1"]}),
    (the_claims_owner, {"1.26": [], "1.27": ["StatefulSet"]}),
    (the_surge, {"1.21": ["-"], "1.22": ["+"]}),
    (the_victim, {"1.21": "b", "1.22": "a"}),
    (the_first_to_go, {"1.32": [], "1.33": ["pods"]}),
    (the_victim_by_age, {"1.21": "b", "1.22": "a"}),
]


@pytest.mark.parametrize(
    ("behaviour", "name", "expected"),
    [(behaviour, name, expected) for behaviour, sides in ROWS for name, expected in sides.items()],
    ids=lambda one: one.__name__ if callable(one) else str(one),
)
def test_behaviour_turns_at_its_release(behaviour: Behaviour, name: str, expected: object) -> None:
    assert behaviour(release_of(name)) == expected


def test_terminating_pods_are_forgotten_by_a_release_that_does_not_tell() -> None:
    deployment: Deployment = a_deployment("v2")
    deployment.status.terminating_replicas = 1
    status = deployments.status_of(deployments.plan(deployment, a_set(deployment, "v2", 3), release=release_of("1.34")))
    assert not status.HasField("terminating_replicas")
