"""A story of every kind and many faults: ``python -m tests.rehearsal.told SEED`` prints its log's length and digest."""

from __future__ import annotations

import logging
import sys

from rollplane_rehearsal import Plane, run
from tests.rehearsal.manifests import budget, daemon_set, deployment, stateful_set


async def told(seed: int) -> tuple[int, str]:
    """Tell the story of ``seed``; return how many changes there were, and the digest of the log."""
    async with Plane(nodes=6, profile="realistic", seed=seed, controllers=2) as plane:
        await plane.apply(
            *(deployment(f"web-{number}", replicas=4) for number in range(3)),
            *(budget(f"web-{number}", minAvailable=3) for number in range(3)),
            stateful_set(),
            daemon_set(),
        )
        await plane.until_rolled_out()
        plane.faults.lose_answers(0.3, 60.0)
        plane.faults.slow_pulls(20.0, "agent:*")
        await plane.apply(deployment("web-0", replicas=6, image="web:v2"), stateful_set(image="db:v2"))
        await plane.apply(daemon_set(image="agent:v2"))
        await plane.advance(5.0)
        await plane.faults.kill_controller()
        await plane.faults.drain("node-1")
        plane.faults.stall_watches(8.0)
        plane.faults.silence("node-2", "node-3")
        plane.faults.fill_store(5.0)
        await plane.advance(400.0)
        plane.faults.unsilence("node-2", "node-3")
        plane.faults.restart_kubelet("node-4")
        await plane.until_rolled_out()
        await plane.faults.uncordon("node-1")
        await plane.at_rest()
        return len(plane.log), plane.log.digest


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(*run(told(int(sys.argv[1]))))
