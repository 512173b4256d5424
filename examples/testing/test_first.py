from pathlib import Path

import pytest

WEB = Path(__file__).with_name("web.yaml").read_text()


@pytest.mark.rollplane(nodes=5, profile="realistic")
async def test_a_lost_node_costs_no_pod_for_long(rollplane):
    await rollplane.apply(WEB)
    await rollplane.until_rolled_out()
    rollplane.faults.silence("node-0")
    await rollplane.advance(600)  # ten minutes, in a moment
    assert await rollplane.until_rolled_out() == 0
    assert not rollplane.violations
