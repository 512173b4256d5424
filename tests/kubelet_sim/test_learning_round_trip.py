"""What a plane's own pods and Events teach: the profile that they lived by."""

from __future__ import annotations

import asyncio

from rollplane_kubelet_sim.learning.documents import Records, read_records
from rollplane_kubelet_sim.learning.profile import learn
from rollplane_kubelet_sim.learning.spans import spans
from rollplane_kubelet_sim.stages.rules import Delay, Stage
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.codec.objects import dumps
from rollplane_rehearsal.virtual_time import in_virtual_time
from tests.kubelet_sim.fleets import World, profile, world

PODS = 8
LIVED = profile("""
rules:
  - {stage: pull, match: {image: "bad:*"}, outcome: fail, limit: 1, delay: 2}
  - {stage: pull, match: {image: "there:*"}}
  - {stage: pull, delay: 7}
  - {stage: start, delay: 3}
  - {stage: ready, delay: 5}
""")


async def _exported(here: World) -> Records:
    """Return what ``kubectl get pods,events -o json`` would show."""
    pods = [await here.get(f"web-{number}") for number in range(PODS)]
    return read_records("\n".join(dumps(each) for each in (*pods, *await here.events())), "exported")


@in_virtual_time
async def test_a_profile_learned_from_a_plane_is_the_one_it_lived_by() -> None:
    async with world() as here:
        await here.fleet(LIVED)
        for number in range(PODS):
            image = ("nginx:1", "there:1", "bad:1", "nginx:2")[number % 4]
            await here.pod(f"web-{number}", image=image, init="setup:1")
        await asyncio.sleep(120)
        records = await _exported(here)
    pulls = {(span.image, round(span.seconds, 3)) for span in spans(records) if span.stage is Stage.PULL}
    assert pulls == {("setup:1", 7.0), ("nginx:1", 7.0), ("nginx:2", 7.0), ("bad:1", 7.0)}
    learned = {(rule.stage, rule.selector.image[:1]): rule.delay for rule in parse_profile(learn(records)).rules}
    assert learned[Stage.PULL, ("nginx",)] == learned[Stage.PULL, ("setup",)] == Delay(7.0, p95=7.0)
    assert learned[Stage.START, ("nginx",)] == learned[Stage.START, ("there",)] == Delay(3.0, p95=3.0)
    assert (Stage.PULL, ("there",)) not in learned
    assert (Stage.START, ("bad",)) not in learned  # its start cannot be told from the back-off
