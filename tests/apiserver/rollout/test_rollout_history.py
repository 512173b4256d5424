"""History and undo over a real core: what counts as history, where undo goes, and what travels back."""

from __future__ import annotations

import pytest

from rollplane.apps import v1 as apps
from rollplane_machinery import kinds
from rollplane_machinery.api import Key
from rollplane_machinery.errors import InternalError, InvalidError, NotFoundError
from tests.apiserver.rollout.workshop import (
    AGENT,
    DB,
    REVISION,
    WEB,
    Workshop,
    controller_revision,
    deployment,
    exactly,
    replica_set,
    workload,
)

CAUSE = {"kubernetes.io/change-cause": "the second"}


async def deployed(workshop: Workshop) -> apps.Deployment:
    """A Deployment at app:3, its third revision, with all three in the history."""
    wanted = deployment()
    wanted.metadata.annotations.update({REVISION: "3", "only": "here", "kubernetes.io/change-cause": "the third"})
    wanted.spec.template.spec.containers[0].image = "app:3"
    stored = await workshop.create(wanted)
    await workshop.create(replica_set(stored, "1", "app:1"))
    await workshop.create(replica_set(stored, "2", "app:2", **CAUSE, then="kept"))
    await workshop.create(replica_set(stored, "3", "app:3"))
    return stored


async def test_history_of_a_deployment(workshop: Workshop) -> None:
    await deployed(workshop)
    history = await workshop.rollouts.history(WEB)
    assert [(step.number, step.change_cause, step.name) for step in history] == [
        (1, "", "web-app-1"),
        (2, "the second", "web-app-2"),
        (3, "", "web-app-3"),
    ]
    assert [step.template.spec.containers[0].image for step in history] == ["app:1", "app:2", "app:3"]
    assert all(step.template.metadata.labels["pod-template-hash"] for step in history)
    assert all(step.creation_seconds > 0 for step in history)


async def test_one_revision(workshop: Workshop) -> None:
    await deployed(workshop)
    (step,) = await workshop.rollouts.history(WEB, 2)
    assert step.change_cause == "the second"
    with pytest.raises(NotFoundError, match=exactly("unable to find the specified revision")):
        await workshop.rollouts.history(WEB, 9)


async def test_foreign_and_unnumbered_sets_are_no_history(workshop: Workshop) -> None:
    stored = await deployed(workshop)
    stranger = replica_set(stored, "7", "app:7")
    stranger.metadata.owner_references[0].uid = "somebody-else"
    await workshop.create(stranger)
    orphan = replica_set(stored, "8", "app:8")
    del orphan.metadata.owner_references[:]
    await workshop.create(orphan)
    await workshop.create(replica_set(stored, "", "app:9"))
    await workshop.create(replica_set(stored, "ten", "app:10"))
    assert [step.number for step in await workshop.rollouts.history(WEB)] == [1, 2, 3]


async def test_no_history_yet(workshop: Workshop) -> None:
    await workshop.create(deployment())
    assert await workshop.rollouts.history(WEB) == []
    with pytest.raises(NotFoundError, match=exactly('no rollout history found for deployment "web"')):
        await workshop.rollouts.undo(WEB)


async def test_undo_goes_to_the_revision_before(workshop: Workshop) -> None:
    before = await deployed(workshop)
    undone = await workshop.rollouts.undo(WEB)
    stored = await workshop.get(WEB, apps.Deployment)
    assert (undone.target.number, undone.skipped) == (2, False)
    assert undone.result.revision == int(stored.metadata.resource_version)
    expected = apps.Deployment()
    expected.CopyFrom(before)
    expected.spec.template.spec.containers[0].image = "app:2"
    assert stored.spec == expected.spec
    # Annotations are those of the set, but for what never travels; what only the Deployment had is lost.
    assert dict(stored.metadata.annotations) == {REVISION: "3", "then": "kept", **CAUSE}


async def test_undo_to_a_revision(workshop: Workshop) -> None:
    await deployed(workshop)
    assert (await workshop.rollouts.undo(WEB, 1)).target.number == 1
    stored = await workshop.get(WEB, apps.Deployment)
    assert stored.spec.template.spec.containers[0].image == "app:1"
    assert "pod-template-hash" not in stored.spec.template.metadata.labels


@pytest.mark.parametrize("revision", [77, -1])
async def test_undo_to_a_revision_that_is_not_there(workshop: Workshop, revision: int) -> None:
    await deployed(workshop)
    with pytest.raises(NotFoundError, match=exactly(f"unable to find specified revision {revision} in history")):
        await workshop.rollouts.undo(WEB, revision)


async def test_undo_to_where_it_is_writes_nothing(workshop: Workshop) -> None:
    before = await deployed(workshop)
    undone = await workshop.rollouts.undo(WEB, 3)
    assert (undone.skipped, undone.result.revision, undone.target.number) == (True, 0, 3)
    assert await workshop.get(WEB, apps.Deployment) == before


async def test_a_paused_deployment_is_not_rolled_back(workshop: Workshop) -> None:
    await deployed(workshop)
    await workshop.rollouts.pause(WEB)
    sentence = "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
    with pytest.raises(InvalidError, match=exactly(sentence)):
        await workshop.rollouts.undo(WEB)


@pytest.mark.parametrize("key", [DB, AGENT], ids=lambda key: key.kind.name)
async def test_history_and_undo_by_controller_revisions(workshop: Workshop, key: Key) -> None:
    stored = await workshop.create(workload(key.kind, key.name, "app:3"))
    assert isinstance(stored, apps.StatefulSet | apps.DaemonSet)
    for number in (1, 2, 3):
        revision = controller_revision(stored, number, f"app:{number}")
        revision.metadata.annotations["kubernetes.io/change-cause"] = f"cause {number}"
        await workshop.create(revision)
    history = await workshop.rollouts.history(key)
    assert [(step.number, step.change_cause) for step in history] == [(1, "cause 1"), (2, "cause 2"), (3, "cause 3")]
    assert [step.template.spec.containers[0].image for step in history] == ["app:1", "app:2", "app:3"]

    assert (await workshop.rollouts.undo(key, 3)).skipped
    undone = await workshop.rollouts.undo(key)
    assert (undone.target.number, undone.skipped) == (2, False)
    after = await workshop.get(key, type(stored))
    stored.spec.template.spec.containers[0].image = "app:2"
    assert after.spec == stored.spec
    assert after.metadata.generation == 2


@pytest.mark.parametrize("key", [DB, AGENT], ids=lambda key: key.kind.name)
async def test_one_revision_is_nothing_to_go_back_to(workshop: Workshop, key: Key) -> None:
    stored = await workshop.create(workload(key.kind, key.name))
    assert isinstance(stored, apps.StatefulSet | apps.DaemonSet)
    await workshop.create(controller_revision(stored, 1, "app:1"))
    with pytest.raises(NotFoundError, match=exactly("no last revision to roll back to")):
        await workshop.rollouts.undo(key)


@pytest.mark.parametrize("raw", [b"{}", b'{"spec":{"template":7}}', b"[]"])
async def test_a_revision_without_a_template_is_a_defect_of_the_data(workshop: Workshop, raw: bytes) -> None:
    stored = await workshop.create(workload(kinds.DAEMON_SET, "agent"))
    assert isinstance(stored, apps.DaemonSet)
    revision = controller_revision(stored, 1, "app:1")
    revision.data.raw = raw
    await workshop.create(revision)
    with pytest.raises(InternalError, match="agent-1 holds no pod template"):
        await workshop.rollouts.history(AGENT)
