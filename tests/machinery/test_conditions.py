from __future__ import annotations

from rollplane.apps.v1 import Deployment, DeploymentCondition
from rollplane.core.v1 import Pod, PodCondition
from rollplane_machinery import conditions
from rollplane_machinery.times import micro_time_of, time_of, to_seconds

NOW = 1_600_000_000.0


def _progressing(status: str, reason: str, at: float, message: str = "") -> DeploymentCondition:
    return DeploymentCondition(
        type="Progressing",
        status=status,
        reason=reason,
        message=message,
        last_update_time=time_of(at),
        last_transition_time=time_of(at),
    )


def _deployment() -> Deployment:
    deployment = Deployment()
    conditions.replace_condition(deployment.status.conditions, _progressing("True", "Created", NOW))
    conditions.replace_condition(
        deployment.status.conditions, DeploymentCondition(type="Available", status="False", reason="Few")
    )
    return deployment


def test_replacing_moves_to_the_end_and_keeps_the_transition_time() -> None:
    deployment = _deployment()
    assert conditions.replace_condition(deployment.status.conditions, _progressing("True", "Updated", NOW + 5))
    assert [each.type for each in deployment.status.conditions] == ["Available", "Progressing"]
    moved = deployment.status.conditions[1]
    assert to_seconds(moved.last_transition_time) == NOW
    assert to_seconds(moved.last_update_time) == NOW + 5


def test_replacing_with_the_same_status_and_reason_changes_nothing() -> None:
    deployment = _deployment()
    before = deployment.SerializeToString()
    assert not conditions.replace_condition(
        deployment.status.conditions, _progressing("True", "Created", NOW + 5, "other words")
    )
    assert deployment.SerializeToString() == before


def test_another_status_is_a_transition() -> None:
    deployment = _deployment()
    conditions.replace_condition(deployment.status.conditions, _progressing("False", "TooSlow", NOW + 5))
    assert to_seconds(deployment.status.conditions[1].last_transition_time) == NOW + 5


def _pod(status: str = "True", since: float = NOW) -> Pod:
    pod = Pod()
    pod.status.conditions.add(type="Initialized", status="True")
    pod.status.conditions.add(type="Ready", status=status, last_transition_time=time_of(since))
    pod.status.conditions.add(type="PodScheduled", status="True")
    return pod


def test_setting_writes_in_place() -> None:
    pod = _pod("False")
    found = pod.status.conditions
    new = PodCondition(type="Ready", status="False", reason="Why", last_transition_time=time_of(NOW + 9))
    assert conditions.set_condition(found, new)
    assert [each.type for each in found] == ["Initialized", "Ready", "PodScheduled"]
    assert (found[1].reason, to_seconds(found[1].last_transition_time)) == ("Why", NOW)
    assert not conditions.set_condition(found, new)
    assert conditions.set_condition(found, PodCondition(type="DisruptionTarget", status="True"))
    assert found[3].type == "DisruptionTarget"


def test_removing() -> None:
    pod = _pod()
    assert conditions.remove_condition(pod.status.conditions, "Ready")
    assert not conditions.remove_condition(pod.status.conditions, "Ready")
    assert [each.type for each in pod.status.conditions] == ["Initialized", "PodScheduled"]
    assert conditions.get_condition(pod.status.conditions, "Ready") is None


def test_times() -> None:
    assert to_seconds(time_of(NOW + 0.9)) == NOW
    assert to_seconds(time_of(-0.5)) == -1.0
    assert (micro_time_of(1.000003).seconds, micro_time_of(1.000003).nanos) == (1, 3000)
    assert to_seconds(micro_time_of(NOW + 0.25)) == NOW + 0.25
