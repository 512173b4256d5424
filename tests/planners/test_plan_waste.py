"""What a plan leaves behind: nothing that the cyclic collector has to find, for controllers plan thousands of times."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from rollplane_planners.deployment import DeploymentView, plan_deployment
from rollplane_planners.replica_set import ReplicaSetView, plan_replica_set
from tests.planners.deployments import a_deployment
from tests.planners.plan_world import NOW, World


@pytest.fixture(autouse=True)
def only_cycles() -> Iterator[None]:
    """Keep the collector from running by itself, and leave nothing for it to find."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_no_cycle_is_left_by_the_plan_of_a_deployment() -> None:
    view = DeploymentView(a_deployment(), [])
    assert plan_deployment(view, NOW).writes
    assert gc.collect() == 0


def test_no_cycle_is_left_by_the_plan_of_a_replica_set() -> None:
    world = World(a_deployment())
    world.sync_deployment()
    (replica_set,) = world.replica_sets.values()
    gc.collect()
    assert plan_replica_set(ReplicaSetView(replica_set, [], fetch=lambda pod: world.pods[pod.name]), NOW).writes
    assert gc.collect() == 0
