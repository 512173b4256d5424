"""What can befall a plane, by name: each fault as one call that a scenario, a test or a search can make.

Those that last take ``seconds`` and end by themselves; without, they last until they are called off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from rollplane_kubelet_sim.stages.rules import Delay, Outcome, Profile, Rule, Selector, Stage
from rollplane_rehearsal.faults.draining import cordon, drain
from rollplane_rehearsal.faults.network import Mishap, Rates

if TYPE_CHECKING:
    from rollplane_rehearsal.plane import Plane

FOR_EVER = None


class Faults:
    """The faults of one plane; ``profile`` is what its pods live by while nothing is wrong."""

    def __init__(self, plane: Plane, profile: Profile | None) -> None:
        self._plane = plane
        self._usual = profile
        self._profile = profile

    # Nodes and pods.

    def silence(self, *nodes: str) -> None:
        """Let these nodes (names or patterns) say nothing any more: no lease, no status; their pods stand still."""
        self._live(lambda profile: replace(profile, silent_nodes=(*profile.silent_nodes, *nodes)))

    def unsilence(self, *nodes: str) -> None:
        """Bring nodes back that were silenced by these very names or patterns."""
        self._live(lambda profile: replace(profile, silent_nodes=_without(profile.silent_nodes, nodes)))

    def unready(self, *nodes: str) -> None:
        """Let the kubelets of these nodes report themselves not ready."""
        self._live(lambda profile: replace(profile, unready_nodes=(*profile.unready_nodes, *nodes)))

    def restart_kubelet(self, *nodes: str) -> None:
        """Restart the kubelets of these nodes: all they know afterwards is what is stored."""

        def restarted(profile: Profile) -> Profile:
            counts = {node: profile.restarts.get(node, 0) + 1 for node in nodes}
            return replace(profile, restarts={**profile.restarts, **counts})

        self._live(restarted)

    def break_image(self, image: str, message: str = "manifest unknown") -> None:
        """Let no kubelet pull ``image`` (a name or pattern) from now on."""
        self.rule(Rule(Stage.PULL, Selector(image=(image,)), outcome=Outcome.FAIL, message=message))

    def slow_pulls(self, delay_seconds: float, image: str = "*") -> None:
        """Let each pull of ``image`` (a name or pattern) take that long from now on."""
        self.rule(Rule(Stage.PULL, Selector(image=(image,)), Delay(delay_seconds, delay_seconds)))

    def rule(self, rule: Rule) -> None:
        """Let ``rule`` shape what pods do from now on, before all rules there are."""
        self._live(lambda profile: replace(profile, rules=(rule, *profile.rules)))

    def live_by(self, profile: Profile) -> None:
        """Let pods live by ``profile`` from now on; its seed is added to that of the plane."""
        self._live(lambda _profile: profile)

    def live_by_seed(self) -> None:
        """Let pods live by the profile there is, with the seed that the plane has by now."""
        if self._profile is not None:
            self._live(lambda profile: profile)

    async def drain(self, node: str, *, seconds: float | None = FOR_EVER) -> list[str]:
        """Cordon a node and evict its pods, but those of DaemonSets, as ``kubectl drain`` with every leave does.

        Blocks until they are gone, for ``seconds`` at most; returns the names of those that are not.
        """
        return [*await drain(self._plane, node, seconds)]

    async def uncordon(self, node: str) -> None:
        """Let pods come to a node again."""
        await cordon(self._plane, node, unschedulable=False)

    def _live(self, change: Callable[[Profile], Profile]) -> None:
        if self._profile is None:
            raise RuntimeError("the nodes of this plane have no kubelets")
        self._profile = change(self._profile)
        if self._plane.fleet is not None:
            self._plane.fleet.live_by(self._plane.seeded(self._profile))

    # Controllers.

    async def kill_controller(self, which: int = 0) -> None:
        """Kill a controller that can say nothing any more and start another, which waits for its leases to run out."""
        await self._plane.controllers.kill(which)

    async def restart_controller(self, which: int = 0) -> None:
        """End a controller, which gives up its leases, and start another."""
        await self._plane.controllers.restart(which)

    async def add_controller(self) -> None:
        """Start one more controller, which stands by until leases are to be had."""
        await self._plane.controllers.start()

    async def stop_controller(self, which: int = 0) -> None:
        """End a controller for good; it gives up its leases."""
        await self._plane.controllers.stop(which)

    async def pause_controller(self, seconds: float, which: int = 0) -> None:
        """Let nothing of a controller through for ``seconds``, then all at once, as if it had been asleep."""
        await list(self._plane.controllers)[which].network.stop(seconds)

    def stall_watches(self, seconds: float | None = FOR_EVER) -> None:
        """Show the controllers that run nothing new, so that they act on what they know already."""
        networks = [life.network for life in self._plane.controllers]

        def hold(*, held: bool) -> None:
            for network in networks:
                network.hold_watches(held=held)

        hold(held=True)
        self._afterwards(seconds, lambda: hold(held=False))

    def lose_answers(self, part: float, seconds: float | None = FOR_EVER) -> None:
        """Lose that part (0 to 1) of the answers to what the controllers that run write: done, but nobody knows."""
        networks = [life.network for life in self._plane.controllers]
        rates = Rates(change=part, mishaps=(Mishap.ANSWER_LOST,), items=0.0, read=0.0, watch=0.0, stall=0.0)

        def lose(*, broken: bool) -> None:
            for network in networks:
                network.rates, network.broken = rates, broken

        lose(broken=True)
        self._afterwards(seconds, lambda: lose(broken=False))

    # The store.

    def fill_store(self, seconds: float | None = FOR_EVER) -> None:
        """Let the store be full: it takes deletions, and nothing that needs room."""
        self._set_full(full=True)
        self._afterwards(seconds, self.empty_store)

    def empty_store(self) -> None:
        """Let the store have room again."""
        self._set_full(full=False)

    def _set_full(self, *, full: bool) -> None:
        self._plane.store.full = full

    def call_off(self) -> None:
        """End whatever lasts; nodes that were cordoned stay so, and controllers that are gone."""
        if self._usual is not None:
            self.live_by(self._usual)
        for life in self._plane.controllers:
            life.network.hold_watches(held=False)
            life.network.broken = False
        self.empty_store()

    @staticmethod
    def _afterwards(seconds: float | None, end: Callable[[], None]) -> None:
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, end)


def _without(patterns: tuple[str, ...], gone: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(pattern for pattern in patterns if pattern not in gone)
