"""A plane in virtual time: what is applied to it, what it waits for, what it remembers."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap, Node, Pod
from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_machinery.api import EventType
from rollplane_machinery.codec import from_json
from rollplane_machinery.errors import BadRequestError, NotFoundError
from rollplane_machinery.kinds import DEPLOYMENT, POD
from rollplane_rehearsal import Plane, in_virtual_time
from tests.customs import GROUP, custom, definition
from tests.rehearsal.manifests import deployment, stateful_set

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n"


@in_virtual_time
async def test_a_rollout_takes_the_time_of_its_profile() -> None:
    async with Plane(nodes=4, profile="realistic", seed=3) as plane:
        await plane.apply(deployment(replicas=6), stateful_set())
        took = await plane.until_rolled_out()
        assert 5.0 < took < 120.0
        assert [look.available for look in plane.rollouts.values()] == [6, 3]
        await plane.at_rest()
        assert await plane.check_at_rest() == []


@in_virtual_time
async def test_custom_kinds_are_those_that_were_defined_here_or_before() -> None:
    async with Plane(nodes=1) as plane:
        await plane.apply(definition(), custom("one"))
        await plane.apply(custom("two"))
        kinds = [change.object.kind.resource for change in plane.log if change.object.kind.is_custom]
        assert kinds == [f"crontabs.{GROUP}"] * 2


@in_virtual_time
async def test_manifests_come_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(CONFIG.replace("settings", "from-a-folder"))
    (tmp_path / "notes.txt").write_text("not a manifest")
    async with Plane(nodes=1) as plane:
        message = from_json(deployment("message"))
        await plane.apply(CONFIG, deployment("document"), message, tmp_path, namespace="default")
        assert {one.metadata.name for one in await plane.client.list(Deployment)} == {"document", "message"}
        names = {one.metadata.name for one in await plane.client.list(ConfigMap, "default")}
        assert names >= {"settings", "from-a-folder"}


@in_virtual_time
async def test_what_is_applied_again_is_changed_as_by_kubectl() -> None:
    async with Plane(nodes=1) as plane:
        await plane.apply(CONFIG)
        await plane.apply(CONFIG.replace("colour: blue", "shape: round"))
        settings = await plane.client.get(ConfigMap, "default", "settings")
        assert dict(settings.data) == {"shape": "round"}


@in_virtual_time
async def test_what_cannot_be_read_is_told_before_anything_is_written() -> None:
    async with Plane(nodes=1) as plane:
        before = len(plane.log)
        with pytest.raises(BadRequestError, match="dta"):
            await plane.apply(CONFIG, CONFIG.replace("data", "dta"))
        assert len(plane.log) == before


@in_virtual_time
async def test_the_log_holds_every_change_of_a_pods_life() -> None:
    async with Plane(nodes=1) as plane:
        await plane.apply(deployment(replicas=1))
        await plane.until_rolled_out()
        changes = list(plane.log.of(POD))
        assert changes[0].type is EventType.ADDED
        assert [change.revision for change in plane.log] == sorted(change.revision for change in plane.log)
        last = changes[-1].object.parse()
        assert isinstance(last, Pod)
        assert last.status.phase == "Running"
        assert {change.object.kind for change in plane.log.of(DEPLOYMENT, POD)} == {DEPLOYMENT, POD}
        assert str(changes[0]).startswith("0.0 ")


@in_virtual_time
async def test_patience_ends_with_what_was_waited_for() -> None:
    async with Plane(nodes=1) as plane:
        await plane.apply(deployment(image="web:404"))
        with pytest.raises(TimeoutError, match=r'"web" rollout to finish: 0 of 3 updated replicas .* \(within 60 s\)'):
            await plane.until_rolled_out(60.0)


@in_virtual_time
async def test_an_error_inside_is_ones_own() -> None:
    with pytest.raises(ZeroDivisionError):
        async with Plane(nodes=1):
            _ = 1 // 0


@in_virtual_time
async def test_two_planes_live_in_one_time() -> None:
    async with Plane(nodes=1, seed=1) as one, Plane(nodes=1, seed=1) as other:
        for plane in (one, other):
            await plane.apply(deployment())
            await plane.until_rolled_out()
        assert [change.object.key for change in one.log.of(POD)] == [change.object.key for change in other.log.of(POD)]


@in_virtual_time
async def test_nodes_come_in_every_form(tmp_path: Path) -> None:
    real = Node()
    real.metadata.name = "a-real-one"
    real.metadata.labels["disk"] = "fast"
    async with Plane(nodes=(NodePool("small", 2), real)) as plane:
        nodes = {node.metadata.name: node for node in await plane.client.list(Node)}
        assert list(nodes) == ["a-real-one", "small-0", "small-1"]
        assert nodes["a-real-one"].metadata.labels["disk"] == "fast"
    file = tmp_path / "nodes.yaml"
    file.write_text("pools: [{name: large, count: 1}]")
    async with Plane(nodes=file) as plane:
        assert [node.metadata.name for node in await plane.client.list(Node)] == ["large-0"]


@in_virtual_time
async def test_a_release_is_named_or_given() -> None:
    async with Plane(nodes=1, release="1.20") as plane:
        (node,) = await plane.client.list(Node)
        assert node.status.node_info.kubelet_version.startswith("v1.20")


@pytest.mark.parametrize(
    ("arguments", "error"), [({"profile": "swift"}, NotFoundError), ({"release": "0.9"}, BadRequestError)]
)
def test_what_there_is_not_is_refused(arguments: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        Plane(**arguments)  # type: ignore[arg-type]
