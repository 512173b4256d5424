"""What a scrape of the controllers reads."""

from __future__ import annotations

from rollplane_controller.metrics import Metrics
from rollplane_controller.shards import ALL_SHARDS
from rollplane_machinery.api import ObjectApi
from rollplane_machinery.errors import ForbiddenError
from tests.controller.plane import Plane, RefusingApi, a_plane, creates_pods
from tests.controller.test_reconcile_workloads import a_replica_set


async def scraped(plane: Plane, *, refusing: bool) -> dict[tuple[str, ...], float]:
    """Return all samples after a ReplicaSet of three was created, by name and values of labels."""
    metrics = Metrics(plane.clock)

    def wrap(api: ObjectApi) -> ObjectApi:
        return RefusingApi(api, lambda write: ForbiddenError("no") if refusing and creates_pods(write) else None)

    await plane.start(wrap=wrap, metrics=metrics)
    await plane.create(a_replica_set(3))
    await plane.pass_time(5)
    samples = (sample for family in metrics.registry.collect() for sample in family.samples)
    return {(one.name, *one.labels.values()): one.value for one in samples}


async def test_what_is_counted() -> None:
    async with a_plane() as plane:
        read = await scraped(plane, refusing=False)
    name = "replicaset-controller"
    assert read["rollplane_shards_held",] == len(ALL_SHARDS)
    assert read["workqueue_depth", name] == 0
    adds = read["workqueue_adds_total", name]
    assert adds >= 2
    for queue in ("workqueue_queue_duration_seconds", "workqueue_work_duration_seconds"):
        assert read[f"{queue}_bucket", name, "+Inf"] == read[f"{queue}_count", name] == adds
    assert read["rollplane_reconcile_total", name, "success"] >= 2
    assert read["rollplane_reconcile_errors_total", name] == read["workqueue_retries_total", name] == 0
    assert read["rollplane_plan_round_seconds_count", name] > 0
    assert read["rollplane_batch_writes_count",] > 0
    assert read["rollplane_watch_lag_seconds_count",] > 0


async def test_what_fails_is_counted() -> None:
    async with a_plane() as plane:
        read = await scraped(plane, refusing=True)
    name = "replicaset-controller"
    errors = read["rollplane_reconcile_errors_total", name]
    assert errors == read["rollplane_reconcile_total", name, "error"] == read["workqueue_retries_total", name] > 3


async def test_every_controller_has_a_name_of_its_own() -> None:
    async with a_plane() as plane:
        manager = await plane.start()
        names = [loop.name for loop in manager.loops]
        assert len(set(names)) == len(names) == 22
