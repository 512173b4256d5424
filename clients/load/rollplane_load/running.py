"""Carrying a scenario out on a target: its phases one after another, watched, sampled, and cleaned up after."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from random import Random

from rollplane_load.acting import Actor, Hands
from rollplane_load.cleaning import Leavings, furnished, make_namespace
from rollplane_load.cluster import Target
from rollplane_load.course import Course, PhaseCourse, name_of
from rollplane_load.faults import Faults
from rollplane_load.measured import MeasuredCluster
from rollplane_load.mixing import Mixing
from rollplane_load.nodes import Nodes
from rollplane_load.sampling import Sampler
from rollplane_load.scenario.model import KILLS, OF_KUBELETS, OF_NODES, Action, Batch, Fault, Mix, Phase, Rest, Scenario
from rollplane_load.scraping import Figures
from rollplane_load.simulated import Simulation
from rollplane_load.subjects import Images, Naming, Subject
from rollplane_load.tally import Rollout, Tally
from rollplane_load.terminal import Progress
from rollplane_load.watcher import Watcher
from rollplane_machinery.api import ListQuery, WatchFilter, WatchQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import RollplaneError, TimedOutError, UnsupportedError
from rollplane_machinery.kinds import EVENT, POD, REPLICATION_CONTROLLER, Kind

STILL_SECONDS = 1.0
"""How long nothing may change until all is at rest."""
STILL_TRIES = 60
_OF_PODS = frozenset({Action.DELETE_PODS, Action.DRAIN})


def check(scenario: Scenario, target: Target) -> None:
    """Raise UnsupportedError, with a sentence for each thing in ``scenario`` that ``target`` cannot do."""
    problems = []
    for fault in {each.fault for each in scenario.faults}:
        if fault in KILLS and KILLS[fault] not in target.kills:
            problems.append(f"{fault}: only services of a plane that is started for the load can be killed")
        if fault in OF_KUBELETS and target.profile is None:
            problems.append(f"{fault}: there are no simulated kubelets")
    if Action.ROLL in scenario.actions and REPLICATION_CONTROLLER in scenario.kinds and target.rolling is None:
        problems.append("roll: Kubernetes carries out no rolling updates of ReplicationControllers; --server does")
    if problems:
        raise UnsupportedError("\n".join(f"{scenario.name}: {each}" for each in sorted(problems)))


class Run:
    """One run of ``scenario`` on ``target``, in a namespace of that name; empty lets the server make a name up."""

    def __init__(
        self, scenario: Scenario, target: Target, *, clock: Clock, namespace: str = "", progress: Progress | None = None
    ) -> None:
        check(scenario, target)
        self._scenario = scenario
        self._target = target
        self._clock = clock
        self._wanted = namespace
        self._progress = progress
        self._tally = Tally()
        self._cluster = MeasuredCluster(target.cluster, self._tally, clock)
        self.left: Sequence[str] = ()
        """What could not be cleaned up, also when the run raised."""

    async def run(self) -> Course:
        """Carry the scenario out and clean up.

        Raises what refused a write of a batch, TimedOutError for one that is not done in time.
        """
        namespace = await make_namespace(self._target.cluster, self._wanted)
        leavings = Leavings(self._target.cluster, namespace, self._clock)
        try:
            await furnished(self._target.cluster, namespace, self._clock)
            course = await self._watched(namespace, leavings)
        except asyncio.CancelledError:
            if not self._target.disposable:
                self.left = await leavings.clean_up()
            raise
        except BaseException:
            self.left = await leavings.clean_up()
            raise
        course.left = self.left = await leavings.clean_up()
        return course

    async def _watched(self, namespace: str, leavings: Leavings) -> Course:
        scenario, target, clock = self._scenario, self._target, self._clock
        follow_pods = bool(scenario.actions & _OF_PODS) or any(_touches_pods(each.fault) for each in scenario.faults)
        watcher = Watcher(target.watched, namespace, clock=clock, follow_pods=follow_pods, in_order=target.in_order)
        self._cluster.lag = watcher.lag
        sampler = Sampler(watcher, self._tally, target.usages, clock)
        nodes = leavings.nodes = Nodes(self._cluster, watcher, namespace, clock)
        if target.profile is not None:
            leavings.simulation = Simulation(self._cluster, target.profile)
        course = Course(scenario, self._tally, watcher, sampler)
        phases = _Phases(course, self._cluster, target, nodes, leavings.simulation, namespace, clock)
        try:
            async with asyncio.TaskGroup() as tasks:
                background = [tasks.create_task(watcher.run())]
                await watcher.synced.wait()
                background.append(tasks.create_task(sampler.run()))
                if self._progress is not None:
                    background.append(tasks.create_task(self._progress.follow(course)))
                await phases.run()
                for each in background:
                    each.cancel()
        except* (RollplaneError, TimeoutError) as group:
            raise _first(group) from None
        return course


def _touches_pods(fault: Fault) -> bool:
    return fault in OF_NODES or fault in (Fault.CRASH_PODS, Fault.DELETE_PODS)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


class _Phases:
    """The phases of one run, and the looks before and after them."""

    def __init__(
        self,
        course: Course,
        cluster: MeasuredCluster,
        target: Target,
        nodes: Nodes,
        simulation: Simulation | None,
        namespace: str,
        clock: Clock,
    ) -> None:
        scenario, watcher = course.scenario, course.watcher
        self._course = course
        self._cluster = cluster
        self._target = target
        self._namespace = namespace
        self._clock = clock
        self._naming = Naming(scenario, namespace)
        self._subjects = self._naming.first()
        hands = Hands(cluster, watcher, nodes, Images(scenario.images), scenario.pod, scenario.patience, target.rolling)
        self._actor = Actor(hands)
        self._faults = Faults(
            cluster, watcher, nodes, namespace, clock=clock, kills=target.kills, simulation=simulation
        )

    async def run(self) -> None:
        """Carry out all phases, then look at what is there in the end."""
        course = self._course
        before = await self._figures()
        for phase in course.scenario.phases:
            await self._measured(phase)
        course.figures = before, await self._figures()
        course.violations = course.watcher.judge.verdict()
        course.retries = self._target.retries()
        course.events = await self._count(EVENT)
        await self._probe()

    async def _figures(self) -> Mapping[str, Figures]:
        scraper = self._target.scraper
        return await scraper.figures() if scraper is not None else {}

    async def _measured(self, phase: Phase) -> None:
        course, sampler, watcher = self._course, self._course.sampler, self._course.watcher
        course.phase = name_of(phase)
        await sampler.take()
        cpu, began = dict(sampler.spending.cpu_seconds), sampler.now
        rollouts, pods_made, changes = len(course.tally.rollouts), watcher.pods_made, watcher.changes
        sampler.mark(course.phase)
        await self._carry_out(phase)
        seconds = sampler.now - began
        await sampler.take()
        spent = {name: used - cpu.get(name, 0.0) for name, used in sampler.spending.cpu_seconds.items()}
        course.phases.append(
            PhaseCourse(
                course.phase,
                began,
                seconds,
                len(course.tally.rollouts) - rollouts,
                watcher.pods_made - pods_made,
                watcher.changes - changes,
                spent,
            )
        )
        if isinstance(phase, Mix):
            await self._settle()

    async def _carry_out(self, phase: Phase) -> None:
        if isinstance(phase, Rest):
            await self._clock.sleep(phase.seconds)
        elif isinstance(phase, Mix):
            await self._mixing(phase).run()
        elif phase.action is Action.CREATE:
            await self._create_all()
        elif phase.action is Action.ROLLOVER:
            await self._roll_over_all(phase.overlap)
        else:
            await self._each(phase)

    def _mixing(self, mix: Mix) -> Mixing:
        course = self._course
        return Mixing(
            mix,
            course.scenario,
            self._subjects,
            naming=self._naming,
            actor=self._actor,
            faults=self._faults,
            tally=course.tally,
            sampler=course.sampler,
            clock=self._clock,
        )

    # Batches.

    async def _create_all(self) -> None:
        began = self._clock.monotonic()
        revisions = await self._actor.create_all(self._subjects)
        await self._all_done(Action.CREATE, self._subjects, revisions, began)

    async def _roll_over_all(self, overlap: float) -> None:
        """The next image everywhere, and the one after it when ``overlap`` of all pods of the first are available."""
        watcher, scenario = self._course.watcher, self._course.scenario
        subjects = [each for each in self._subjects if each.kind is not REPLICATION_CONTROLLER]
        await asyncio.gather(*(self._actor.next_image(each) for each in subjects))
        wanted = overlap * sum(watcher.look(each.key).desired for each in subjects)
        await watcher.until(lambda: watcher.fresh >= wanted, scenario.patience, "the first update does not come up")
        began = self._clock.monotonic()
        revisions = await asyncio.gather(*(self._actor.next_image(each) for each in subjects))
        await self._all_done(Action.ROLLOVER, subjects, revisions, began)

    async def _all_done(
        self, action: Action, subjects: Sequence[Subject], revisions: Sequence[int], began: float
    ) -> None:
        """Wait until each is done; their rollouts began together."""
        async with asyncio.TaskGroup() as tasks:
            for subject, revision in zip(subjects, revisions, strict=True):
                tasks.create_task(self._one_done(action, subject, revision, began))

    async def _one_done(self, action: Action, subject: Subject, revision: int, began: float) -> None:
        self._course.tally.in_flight += 1
        try:
            self._note(action, subject, began, await self._actor.done(subject, revision))
        finally:
            self._course.tally.in_flight -= 1

    async def _each(self, phase: Batch) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number, subject in enumerate(self._subjects):
                if phase.suits(subject.kind):
                    tasks.create_task(self._act(phase.action, subject, number))

    async def _act(self, action: Action, subject: Subject, number: int) -> None:
        dice = Random(f"{self._course.scenario.seed}/{action}/{number}")
        began = self._clock.monotonic()
        self._course.tally.in_flight += 1
        try:
            self._note(action, subject, began, await self._actor.act(action, subject, dice, 0.0))
        finally:
            self._course.tally.in_flight -= 1

    def _note(self, action: Action, subject: Subject, began: float, done: float) -> None:
        sampler = self._course.sampler
        at = sampler.now - (self._clock.monotonic() - began)
        self._course.tally.rollouts.append(Rollout(action, subject.kind.name, at, done - began))

    # The end.

    async def _settle(self) -> None:
        """Wait until every rollout is done and nothing changes any more; what does not end is counted."""
        watcher, course = self._course.watcher, self._course
        course.phase = "settling"
        try:
            await watcher.until(watcher.all_done, course.scenario.patience, "what the mix has begun is not done")
        except TimedOutError as exc:
            course.tally.fail(exc)
        for _ in range(STILL_TRIES):
            changes = watcher.changes
            await self._clock.sleep(STILL_SECONDS)
            if watcher.changes == changes:
                return

    async def _count(self, kind: Kind) -> int:
        """Return how many objects of a kind the namespace has."""
        page = await self._target.cluster.list(ListQuery(kind, self._namespace, limit=1))
        count = len(page.objects) + page.remaining_item_count
        while page.continue_token and not page.remaining_item_count:
            query = ListQuery(kind, self._namespace, limit=500, continue_token=page.continue_token)
            page = await self._target.cluster.list(query)
            count += len(page.objects) + page.remaining_item_count
        return count

    async def _probe(self) -> None:
        """Time, while nothing else happens, a list of all pods and a watch until it has told them all."""
        verbs, clock = self._course.tally.verbs, self._clock
        began, token = clock.monotonic(), ""
        while True:
            page = await self._target.cluster.list(ListQuery(POD, self._namespace, continue_token=token))
            if not (token := page.continue_token):
                break
        verbs["list all pods"].append(clock.monotonic() - began)
        began = clock.monotonic()
        query = WatchQuery((WatchFilter(POD, (self._namespace,)),), send_initial_state=True)
        async with self._target.cluster.watch(query) as batches:
            async for batch in batches:
                if batch.initial_state_complete:
                    break
        verbs["open watch"] += [*self._course.watcher.opened, clock.monotonic() - began]
