"""A default that an upgrade of ours brings rolls nothing: templates are compared by what they mean today."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane.core.v1 import PodTemplateSpec
from rollplane_machinery.releases import release_of
from rollplane_planners.daemon_set import DaemonSetView, plan_daemon_set
from rollplane_planners.deployment import DeploymentView, plan_deployment
from rollplane_planners.model import CreateObject, Plan
from rollplane_planners.pods import pod_view
from rollplane_planners.scheduling.nodes import node_view
from rollplane_planners.stateful_set import StatefulSetView, plan_stateful_set
from rollplane_planners.templates import AS_STORED, Templates
from tests.planners import daemon_sets, stateful_sets
from tests.planners.deployments import NOW, a_deployment, a_set

Holder = Deployment | StatefulSet | DaemonSet


def complete(template: PodTemplateSpec) -> None:
    """Give a template the default that is new: nothing stored has it."""
    if not template.spec.runtime_class_name:
        template.spec.runtime_class_name = "plain"


def of_deployment(templates: Templates) -> Plan:
    deployment = a_deployment("v1")
    stored = a_set(deployment, "v1", 3)
    complete(deployment.spec.template)
    return plan_deployment(DeploymentView(deployment, [stored], templates=templates), NOW)


def of_stateful_set(templates: Templates, release: str = "1.37") -> Plan:
    stateful_set = stateful_sets.a_stateful_set("v1", current="v1")
    revision = stateful_sets.a_revision(stateful_set, "v1", 1)
    pods = {pod.metadata.name: pod for pod in stateful_sets.members("v1", "v1", "v1")}
    complete(stateful_set.spec.template)
    views = [pod_view(pod) for pod in pods.values()]
    view = StatefulSetView(
        stateful_set,
        views,
        [revision],
        lambda one: pods[one.name],
        release=release_of(release),
        templates=templates,
    )
    return plan_stateful_set(view, NOW)


def of_daemon_set(templates: Templates) -> Plan:
    daemon_set = daemon_sets.a_daemon_set("v1")
    revision = daemon_sets.a_revision(daemon_set, "v1", 1)
    pods = {pod.metadata.name: pod for pod in daemon_sets.daemons("v1", "v1")}
    complete(daemon_set.spec.template)
    nodes, views = [node_view(node) for node in daemon_sets.nodes(2)], [pod_view(pod) for pod in pods.values()]
    view = DaemonSetView(daemon_set, nodes, views, [revision], lambda one: pods[one.name], templates=templates)
    return plan_daemon_set(view, NOW)


def _rolls(made: Plan) -> bool:
    """Tell whether a plan makes a new version: a ReplicaSet or a revision."""
    return any(isinstance(write, CreateObject) for write in made.writes)


@pytest.mark.parametrize("plan", [of_deployment, of_stateful_set, of_daemon_set])
def test_a_new_default_rolls_nothing(plan: Callable[[Templates], Plan]) -> None:
    assert not _rolls(plan(Templates(complete)))
    assert _rolls(plan(AS_STORED))


def test_nor_in_a_release_that_compares_bytes() -> None:
    assert not _rolls(of_stateful_set(Templates(complete), "1.33"))


def test_what_holds_no_template_holds_none() -> None:
    assert not AS_STORED.held(b"[]", PodTemplateSpec(), by_meaning=True)
