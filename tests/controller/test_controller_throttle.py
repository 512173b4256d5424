"""Controllers that throttle themselves as a stock kube-controller-manager: the bucket, its settings, and rollouts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_controller.reconcile.throttle import EVENTS_WAITING, Throttle, ThrottledWriter
from rollplane_controller.reconcile.token_bucket import TokenBucket
from rollplane_controller.settings import read_arguments
from rollplane_machinery.api import Create, Write
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import UnavailableError
from rollplane_machinery.kinds import DEPLOYMENT, REPLICA_SET, Encoded
from tests.controller.plane import Plane, a_plane
from tests.planners.deployments import a_deployment
from tests.planners.pods import a_node

QPS = 20.0
BURST = 30
PODS = 70


@pytest.mark.parametrize(
    ("qps", "asked", "due"),
    [
        (20, [0] * 30, [0] * 30),
        (20, [0] * 33, [0] * 30 + [0.05, 0.10, 0.15]),
        (20, [0] * 31 + [1.0], [0] * 30 + [0.05, 1.0]),
        (20, [0] * 50 + [0.5], [0] * 30 + [one / 20 for one in range(1, 21)] + [1.05]),
        (20, [0] * 30 + [100.0] * 31, [0] * 30 + [100.0] * 30 + [100.05]),
        (2, [0] * 4, [0, 0, 0, 0.5]),
        (0.5, [0, 0, 4], [0, 2, 4]),
    ],
    ids=["burst", "beyond the burst", "refilled", "promised tokens are gone", "never above the burst", "slow", "one"],
)
def test_a_token_is_there(qps: float, asked: Sequence[float], due: Sequence[float]) -> None:
    bucket = TokenBucket(qps)
    assert [bucket.take(now) for now in asked] == pytest.approx(due)


@pytest.mark.parametrize("qps", [0.0, -1.0, float("nan")])
def test_a_bucket_that_nothing_flows_into_is_refused(qps: float) -> None:
    with pytest.raises(ValueError, match="want > 0"):
        TokenBucket(qps)


def test_a_stock_manager_has_a_burst_of_thirty() -> None:
    assert TokenBucket(QPS).burst == BURST


@pytest.mark.parametrize(
    ("arguments", "environ", "qps"),
    [
        ([], {}, 0.0),
        ([], {"ROLLPLANE_CONTROLLER_QPS": "20"}, 20.0),
        (["--controller-qps", "2.5"], {"ROLLPLANE_CONTROLLER_QPS": "20"}, 2.5),
    ],
)
def test_the_rate_is_a_setting(arguments: list[str], environ: dict[str, str], qps: float) -> None:
    assert read_arguments(arguments, environ).controller_qps == qps


@pytest.mark.parametrize("qps", ["-1", "nan", "inf"])
def test_a_rate_that_makes_no_sense_stops_the_start(qps: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_arguments([], {"ROLLPLANE_CONTROLLER_QPS": qps})
    assert "want 0 (unthrottled) or more" in capsys.readouterr().err


class Refusing:
    """Nobody is there."""

    async def batch(self, writes: Sequence[Write]) -> Sequence[Answer]:
        raise AssertionError(f"{len(writes)} writes were sent")


def a_write() -> Write:
    return Create(Encoded.of(a_deployment()))


async def test_what_the_writer_refuses_is_an_answer_and_what_waits_is_cancelled() -> None:
    clock = FakeClock()
    writer = BatchWriter(Refusing(), clock=clock)
    writer.close()
    throttled = ThrottledWriter(writer, TokenBucket(QPS), clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(throttled.run())
        answers = [throttled.submit(a_write()) for _ in range(BURST + 2)]
        assert isinstance(await answers[BURST - 1], UnavailableError)
        running.cancel()
    assert all(answer.cancelled() for answer in answers[BURST:])


def test_events_beyond_the_queue_are_dropped() -> None:
    clock = FakeClock()
    throttled = ThrottledWriter(BatchWriter(Refusing(), clock=clock), TokenBucket(QPS), clock)
    told = [throttled.record(a_write()) for _ in range(EVENTS_WAITING + 1)]
    assert told == [True] * EVENTS_WAITING + [False]


def test_each_name_has_a_bucket_and_without_a_rate_there_is_none() -> None:
    clock = FakeClock()
    writer = BatchWriter(Refusing(), clock=clock)
    throttle = Throttle(writer, QPS, clock)
    assert throttle.writer_of("one") is throttle.writer_of("one") is not throttle.writer_of("other")
    assert Throttle(writer, 0.0, clock).writer_of("one") is writer


async def pods_of(plane: Plane, image: str) -> int:
    """Return how many pods the ReplicaSets of that image report."""
    sets = [one for one in await plane.all(REPLICA_SET) if isinstance(one, ReplicaSet)]
    return sum(one.status.replicas for one in sets if one.spec.template.spec.containers[0].image == image)


async def seconds_until_all(plane: Plane, image: str) -> float:
    """Return how long it takes until PODS pods of that image are there and reported."""
    started = plane.clock.now()
    while await pods_of(plane, image) < PODS:
        assert plane.clock.now() < started + 60, "the pods never come"
        await plane.pass_time(0.1)
    return plane.clock.now() - started


async def rolled(qps: float) -> tuple[float, float]:
    """Return the seconds that creation takes, and those of a rollout that replaces all pods at once."""
    async with a_plane(nodes=0) as plane:
        await plane.node(a_node("n0"))
        await plane.start(controller_qps=qps)
        deployment = a_deployment("v1", PODS, surge=0, unavailable="100%")
        deployment.metadata.uid = ""
        await plane.create(deployment)
        created = await seconds_until_all(plane, "v1")
        await plane.pass_time(60)
        stored = await plane.find(DEPLOYMENT, "web")
        assert isinstance(stored, Deployment)
        stored.spec.template.spec.containers[0].image = "v2"
        await plane.update(stored)
        return created, await seconds_until_all(plane, "v2")


async def test_a_rollout_takes_as_long_as_the_bucket_says() -> None:
    """70 creates: 30 at once, 40 in two seconds; then 70 deletions and 70 creates: 110 beyond the burst, 5.5 s."""
    created, replaced = await rolled(QPS)
    assert 2.0 <= created < 2.6
    assert 5.5 <= replaced < 7.0


async def test_unthrottled_it_takes_no_time() -> None:
    created, replaced = await rolled(0.0)
    assert created < 1.0
    assert replaced < 1.0
