"""Set image, scale, pause, resume and restart over a real core, with kubectl's refusals word for word."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane_machinery import kinds
from rollplane_machinery.api import Key, Preconditions, Scale, SetImage, WriteOptions
from rollplane_machinery.errors import (
    BadRequestError,
    CauseReason,
    ConflictError,
    InvalidError,
    NotFoundError,
    UnsupportedError,
)
from rollplane_machinery.kinds import Kind
from tests.apiserver.rollout.workshop import WEB, Workload, Workshop, deployment, exactly, template, workload

WORKLOADS = (
    kinds.DEPLOYMENT,
    kinds.REPLICA_SET,
    kinds.STATEFUL_SET,
    kinds.DAEMON_SET,
    kinds.REPLICATION_CONTROLLER,
)
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


def images(spec: core.PodSpec) -> dict[str, str]:
    return {container.name: container.image for container in (*spec.init_containers, *spec.containers)}


async def test_verbs_that_come_at_once_all_get_their_way(workshop: Workshop) -> None:
    web = await workshop.create(deployment())
    containers = {container.name for container in web.spec.template.spec.containers}
    calls = [
        workshop.rollouts.set_image(SetImage(WEB, dict.fromkeys(containers, f"app:{number}"))) for number in range(100)
    ]
    sizes = [workshop.rollouts.scale(Scale(WEB, number)) for number in range(50)]
    await asyncio.gather(*calls, *sizes)
    assert (await workshop.get(WEB, apps.Deployment)).metadata.generation == 1 + 100 + 50


@pytest.mark.parametrize("kind", WORKLOADS, ids=str)
async def test_set_image(workshop: Workshop, kind: Kind) -> None:
    await workshop.create(workload(kind, "web"))
    request = SetImage(Key(kind, "default", "web"), {"app": "app:2"}, change_cause="because")
    result = await workshop.rollouts.set_image(request)
    assert result.object is not None
    stored = result.object.parse()
    assert isinstance(stored, Workload)
    assert images(stored.spec.template.spec) == {"setup": "setup:1", "app": "app:2", "sidecar": "sidecar:1"}
    assert stored.metadata.annotations["kubernetes.io/change-cause"] == "because"
    assert stored.metadata.generation == 2
    assert result.revision == int(stored.metadata.resource_version)


async def test_set_image_of_a_pod(workshop: Workshop) -> None:
    pod = core.Pod(metadata={"name": "p", "namespace": "default"}, spec=template("app:1").spec)  # type: ignore[arg-type]
    await workshop.create(pod)
    await workshop.rollouts.set_image(SetImage(Key(kinds.POD, "default", "p"), {"app": "app:2"}))
    assert images((await workshop.get(Key(kinds.POD, "default", "p"), core.Pod)).spec)["app"] == "app:2"


async def test_the_star_names_every_container_and_a_name_says_more(workshop: Workshop) -> None:
    await workshop.create(deployment())
    await workshop.rollouts.set_image(SetImage(WEB, {"*": "all:1", "app": "app:9", "setup": "setup:9"}))
    stored = await workshop.get(WEB, apps.Deployment)
    assert images(stored.spec.template.spec) == {"setup": "setup:9", "app": "app:9", "sidecar": "all:1"}
    assert "kubernetes.io/change-cause" not in stored.metadata.annotations


async def test_an_image_that_is_set_already_writes_nothing(workshop: Workshop) -> None:
    before = await workshop.create(deployment())
    result = await workshop.rollouts.set_image(SetImage(WEB, {"app": "app:1"}))
    assert result.revision == int(before.metadata.resource_version)


async def test_a_container_that_is_not_there_is_named(workshop: Workshop) -> None:
    await workshop.create(deployment())
    with pytest.raises(InvalidError, match=exactly('unable to find container named "nosuch"')) as caught:
        await workshop.rollouts.set_image(SetImage(WEB, {"nosuch": "x:1", "app": "app:2"}))
    assert [cause.reason for cause in caught.value.causes] == [CauseReason.NOT_FOUND]
    assert images((await workshop.get(WEB, apps.Deployment)).spec.template.spec)["app"] == "app:1"


@pytest.mark.parametrize("wanted", [{}, {"app": ""}])
async def test_set_image_needs_images(workshop: Workshop, wanted: dict[str, str]) -> None:
    await workshop.create(deployment())
    with pytest.raises(BadRequestError):
        await workshop.rollouts.set_image(SetImage(WEB, wanted))


async def test_dry_run_stores_nothing(workshop: Workshop) -> None:
    before = await workshop.create(deployment())
    result = await workshop.rollouts.set_image(SetImage(WEB, {"app": "app:2"}, options=WriteOptions(dry_run=True)))
    assert result.object is not None
    assert await workshop.get(WEB, apps.Deployment) == before


@pytest.mark.parametrize("kind", [kind for kind in WORKLOADS if kind.has_scale], ids=str)
async def test_scale(workshop: Workshop, kind: Kind) -> None:
    await workshop.create(workload(kind, "web"))
    result = await workshop.rollouts.scale(Scale(Key(kind, "default", "web"), 5, current_replicas=3))
    assert result.object is not None
    stored = result.object.parse()
    assert isinstance(stored, Workload)
    assert not isinstance(stored, apps.DaemonSet)
    assert (stored.spec.replicas, stored.metadata.generation) == (5, 2)


async def test_scale_expects_what_it_was_told(workshop: Workshop) -> None:
    stored = await workshop.create(deployment())
    with pytest.raises(ConflictError, match=exactly("Expected replicas to be 2, was 3")):
        await workshop.rollouts.scale(Scale(WEB, 5, current_replicas=2))
    with pytest.raises(ConflictError, match="UID"):
        await workshop.rollouts.scale(Scale(WEB, 5, preconditions=Preconditions(uid="another")))
    with pytest.raises(ConflictError, match="the object has been modified"):
        await workshop.rollouts.scale(Scale(WEB, 5, preconditions=Preconditions(resource_version="1")))
    good = Preconditions(stored.metadata.uid, stored.metadata.resource_version)
    await workshop.rollouts.scale(Scale(WEB, 5, 3, good))
    assert (await workshop.get(WEB, apps.Deployment)).spec.replicas == 5


async def test_scale_below_zero_is_invalid(workshop: Workshop) -> None:
    await workshop.create(deployment())
    with pytest.raises(InvalidError) as caught:
        await workshop.rollouts.scale(Scale(WEB, -1))
    assert [cause.field for cause in caught.value.causes] == ["spec.replicas"]


async def test_pause_and_resume(workshop: Workshop) -> None:
    before = await workshop.create(deployment())
    rollouts = workshop.rollouts
    with pytest.raises(InvalidError, match=exactly('deployments.apps "web" is not paused')):
        await rollouts.resume(WEB)
    await rollouts.pause(WEB)
    assert (await workshop.get(WEB, apps.Deployment)).spec.paused
    with pytest.raises(InvalidError, match=exactly('deployments.apps "web" is already paused')):
        await rollouts.pause(WEB)
    with pytest.raises(
        InvalidError, match=r"^deployments.apps \"web\" can't restart paused deployment \(run rollout resume first\)$"
    ):
        await rollouts.restart(WEB)
    await rollouts.resume(WEB)
    assert (await workshop.get(WEB, apps.Deployment)).spec == before.spec


@pytest.mark.parametrize("kind", [kinds.DEPLOYMENT, kinds.STATEFUL_SET, kinds.DAEMON_SET], ids=str)
async def test_restart(workshop: Workshop, kind: Kind) -> None:
    await workshop.create(workload(kind, "web"))
    key = Key(kind, "default", "web")
    await workshop.rollouts.restart(key)
    stored = (await workshop.objects.get(key)).parse()
    assert isinstance(stored, Workload)
    assert stored.spec.template.metadata.annotations[RESTARTED_AT] == "2020-09-13T12:26:40Z"
    with pytest.raises(InvalidError, match="within the past second"):
        await workshop.rollouts.restart(key)
    await workshop.clock.advance(1)
    await workshop.rollouts.restart(key)
    assert (await workshop.objects.get(key)).parse().metadata.generation == 3


Verb = Callable[[Workshop, Key], Awaitable[object]]
UNSUPPORTED: dict[str, tuple[Kind, Verb, str]] = {
    "pause": (
        kinds.STATEFUL_SET,
        lambda shop, key: shop.rollouts.pause(key),
        'statefulsets.apps "web" pausing is not supported',
    ),
    "resume": (
        kinds.DAEMON_SET,
        lambda shop, key: shop.rollouts.resume(key),
        'daemonsets.apps "web" resuming is not supported',
    ),
    "restart": (
        kinds.REPLICA_SET,
        lambda shop, key: shop.rollouts.restart(key),
        'replicasets.apps "web" restarting is not supported',
    ),
    "scale": (
        kinds.DAEMON_SET,
        lambda shop, key: shop.rollouts.scale(Scale(key, 1)),
        'daemonsets.apps "web" scaling is not supported',
    ),
    "set image": (
        kinds.SERVICE,
        lambda shop, key: shop.rollouts.set_image(SetImage(key, {"a": "b"})),
        'services "web" setting images is not supported',
    ),
    "history": (
        kinds.REPLICATION_CONTROLLER,
        lambda shop, key: shop.rollouts.history(key),
        'replicationcontrollers "web" rollout history is not supported',
    ),
    "undo": (
        kinds.REPLICA_SET,
        lambda shop, key: shop.rollouts.undo(key),
        'replicasets.apps "web" rolling back is not supported',
    ),
}


@pytest.mark.parametrize(("kind", "verb", "sentence"), UNSUPPORTED.values(), ids=UNSUPPORTED)
async def test_kinds_without_the_verb(workshop: Workshop, kind: Kind, verb: Verb, sentence: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        await verb(workshop, Key(kind, "default", "web"))
    assert caught.value.message == sentence


@pytest.mark.parametrize("verb", ["pause", "resume", "restart", "history", "undo"])
async def test_what_is_not_there_is_not_found(workshop: Workshop, verb: str) -> None:
    with pytest.raises(NotFoundError, match=exactly('deployments.apps "web" not found')):
        await getattr(workshop.rollouts, verb)(WEB)


async def test_verbs_win_against_a_busy_controller(workshop: Workshop) -> None:
    """Status writes change the resource version all the time; a verb that lost a race tries again on what is there."""
    stored = await workshop.create(deployment())

    def report(message: apps.Deployment) -> None:
        message.status.observed_generation += 1

    async def keep_reporting() -> None:
        while True:
            await workshop.change_status(stored, report)

    busy = asyncio.create_task(keep_reporting())
    try:
        for number in range(20):
            await workshop.rollouts.set_image(SetImage(WEB, {"app": f"app:{number}"}))
    except ConflictError:
        pytest.fail("gave up")
    finally:
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)
    assert images((await workshop.get(WEB, apps.Deployment)).spec.template.spec)["app"] == "app:19"
