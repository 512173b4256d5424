"""A mix of actions, drawn by the seed: in a closed loop, or at a rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from rollplane_load.acting import Actor
from rollplane_load.faults import Faults
from rollplane_load.sampling import Sampler
from rollplane_load.scenario.arrivals import arrivals
from rollplane_load.scenario.model import SUITS, Action, Mix, PlannedFault, Scenario
from rollplane_load.subjects import Naming, Subject
from rollplane_load.tally import Rollout, Tally
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import NotFoundError, RollplaneError, TimedOutError
from rollplane_machinery.kinds import NODE


class Mixing:
    """Carries out one mix on ``subjects``, to which it may add and of which it may take away."""

    def __init__(
        self,
        mix: Mix,
        scenario: Scenario,
        subjects: list[Subject],
        *,
        naming: Naming,
        actor: Actor,
        faults: Faults,
        tally: Tally,
        sampler: Sampler,
        clock: Clock,
    ) -> None:
        self._mix = mix
        self._scenario = scenario
        self._subjects = subjects
        self._naming = naming
        self._actor = actor
        self._faults = faults
        self._tally = tally
        self._sampler = sampler
        self._clock = clock
        self._began = clock.monotonic()
        self._begun = 0

    async def run(self) -> None:
        """Carry it out; actions that are under way when it is over are carried to their end."""
        self._began = self._clock.monotonic()
        async with asyncio.TaskGroup() as tasks:
            striking = [tasks.create_task(self._strike(fault)) for fault in self._mix.faults]
            async with asyncio.TaskGroup() as acting:
                if self._mix.rate:
                    await self._keep_rate(acting.create_task)
                else:
                    for number in range(self._mix.concurrency):
                        acting.create_task(self._loop(number))
            for each in striking:
                each.cancel()

    # How actions follow each other.

    async def _loop(self, number: int) -> None:
        """One action after another; of several loops each begins a little later, until the ramp is over."""
        await self._clock.sleep(self._mix.ramp * number / self._mix.concurrency)
        while (not self._mix.seconds or self._now < self._mix.seconds) and self._may_begin():
            await self._act(self._next())

    async def _keep_rate(self, begin: Callable[..., object]) -> None:
        for due in arrivals(self._mix.rate, self._mix.ramp, self._mix.seconds):
            if not self._may_begin():
                return
            await self._clock.sleep(max(0.0, due - self._now))
            begin(self._act(self._next(), due=self._began + due))

    @property
    def _now(self) -> float:
        return self._clock.monotonic() - self._began

    def _may_begin(self) -> bool:
        return not self._mix.actions or self._begun < self._mix.actions

    def _next(self) -> Random:
        """Return what decides of the next action, by its number: the same actions with every run of a seed."""
        self._begun += 1
        return Random(f"{self._scenario.seed}/action/{self._begun}")

    # One action.

    async def _act(self, dice: Random, due: float | None = None) -> None:
        weights = self._mix.weights
        action = dice.choices(list(weights), list(weights.values()))[0]
        self._tally.in_flight += 1
        try:
            if action is Action.DRAIN:
                await self._timed(action, self._subjects[0], dice, due, NODE.name)
            else:
                await self._on_subject(action, dice, due)
        except RollplaneError as exc:
            self._tally.fail(exc)
        except TimeoutError:
            self._tally.fail(TimedOutError(f"{action} is not done after {self._scenario.patience:g} s"))
        finally:
            self._tally.in_flight -= 1

    async def _on_subject(self, action: Action, dice: Random, due: float | None) -> None:
        subject = self._chosen(action, dice)
        self._tally.late += due is not None and subject.lock.locked()
        async with subject.lock:
            if subject not in self._subjects and action is not Action.CREATE:
                return  # deleted while it was waited for
            if action is Action.DELETE:
                self._subjects.remove(subject)
            await self._timed(action, subject, dice, due, subject.kind.name)
            if action is Action.CREATE:
                self._subjects.append(subject)

    async def _timed(self, action: Action, subject: Subject, dice: Random, due: float | None, kind: str) -> None:
        began = self._clock.monotonic() if due is None else due
        done = await self._actor.act(action, subject, dice, self._mix.overlap)
        if began - self._began >= self._mix.warm_up:
            self._tally.rollouts.append(Rollout(action, kind, self._sampler.now - (done - began), done - began))

    def _chosen(self, action: Action, dice: Random) -> Subject:
        """Draw a workload that suits; raises NotFoundError when there is none."""
        if action is Action.CREATE:
            return self._naming.one(dice.choice(self._scenario.workloads))
        suiting = [each for each in self._subjects if each.kind in SUITS[action]]
        if action is Action.UNDO:
            suiting = [each for each in suiting if each.before != each.version] or suiting
        if not suiting or (action is Action.DELETE and len(suiting) == 1):
            raise NotFoundError(f"there is no workload left to {action}")
        return dice.choice(suiting)

    # Faults.

    async def _strike(self, fault: PlannedFault) -> None:
        """Strike whenever it is due, one after another."""
        for number, at in enumerate(fault.times(self._mix.seconds or fault.at)):
            await self._clock.sleep(max(0.0, at - self._now))
            self._sampler.mark(f"{fault.fault}{f' {fault.node}' if fault.node != 'any' else ''}")
            dice = Random(f"{self._scenario.seed}/fault/{fault.fault}/{fault.at}/{number}")
            try:
                await self._faults.strike(fault, dice)
            except RollplaneError as exc:
                self._tally.fail(exc)
