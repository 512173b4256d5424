"""One rehearsal: what runs is brought to rest, the change is made and followed to its end, then it is undone.

The undo is rehearsed from the worst moment of the rollout: a second plane of the same seed goes the same way up to it.
Both begin where what ran before is at rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence, Set
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from rollplane_machinery.api import Key, PatchType, WriteOptions
from rollplane_machinery.api import Patch as PatchWrite
from rollplane_machinery.errors import BadRequestError, RollplaneError
from rollplane_machinery.kinds import by_word
from rollplane_machinery.releases import LATEST
from rollplane_page.recording import Recording
from rollplane_rehearsal.branches import Work, run_alone
from rollplane_rehearsal.diagnosing import diagnose, workloads
from rollplane_rehearsal.plane import Plane
from rollplane_rehearsal.rehearse.following import Rollouts, Told, nobody
from rollplane_rehearsal.rehearse.outcome import DrainOutcome, Outcome, Stuck, UndoOutcome, WorkloadOutcome
from rollplane_rehearsal.rehearse.story import Apply, Change, SetImage, Story
from rollplane_rehearsal.rehearse.waiting import LOOK_SECONDS, Waits
from rollplane_rehearsal.rehearse.watching import UNDO, Extremes, Watcher
from rollplane_rehearsal.rollouts import name_of
from rollplane_rehearsal.scenario.acting import Actor
from rollplane_rehearsal.scenario.scenario import steps_of
from rollplane_rehearsal.virtual_time import START

BEFORE = 0
"""The seed that what runs before comes to rest with: runs differ in what happens then, not in what is there."""
CALM_SECONDS = 300.0
"""How long old pods may take to go once a rollout is done."""


@dataclass(slots=True)
class Run:
    """A plane on its way: ``since`` is when the change was made, ``refused`` what of it was."""

    story: Story
    plane: Plane
    rollouts: Rollouts
    watcher: Watcher
    told: Told = nobody
    recorded: bool = False
    settled: float = 0.0
    since: float = 0.0
    refused: tuple[str, ...] = ()
    before: Mapping[str, int] = field(default_factory=dict)
    actor: Actor | None = None
    acting: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing of what was to happen is left, or something of it was refused."""
        return bool(self.refused) or ((self.actor is None or not self.actor.next_step) and self.rollouts.are_over)

    @property
    def changed(self) -> Set[str]:
        """The workloads that are not what they were before."""
        return {name for name, now in self.rollouts.generations.items() if self.before.get(name) != now}


def rehearse(story: Story, seed: int, *, recorded: bool = False, told: Told = nobody) -> tuple[Outcome, Recording]:
    """Rehearse ``story`` with one seed; return what came of it, and the recording. Blocks, in no loop.

    A ``recorded`` run also notes what workloads wait for, second by second; nothing else differs. ``told`` hears how
    far it is whenever a workload has changed. Raises
    BadRequestError when what is to run before is refused, or never comes to rest: then nothing was rehearsed.
    """
    return run_alone(partial(begun, story, told), _recorded(seed, recorded=recorded))


def branches(seed: int) -> Generator[Work[Run, Any], Any, Outcome]:
    """A scenario of many runs, from where everything is at rest (``begun``): what ``rehearse`` does."""
    outcome, moment = yield partial(_there_only, seed)
    return (yield from _and_back(seed, outcome, moment))


def _recorded(seed: int, *, recorded: bool) -> Generator[Work[Run, Any], Any, tuple[Outcome, Recording]]:
    outcome, moment, recording = yield partial(_there, seed, recorded=recorded)
    return (yield from _and_back(seed, outcome, moment)), recording


def _and_back(seed: int, outcome: Outcome, moment: float | None) -> Generator[Work[Run, Any], Any, Outcome]:
    """Go the same way again up to the worst moment, and then back."""
    return outcome if moment is None else replace(outcome, undo=(yield partial(_undo_at, seed, moment)))


async def _there_only(seed: int, run: Run) -> tuple[Outcome, float | None]:
    outcome, moment, _ = await _there(seed, run)
    return outcome, moment


async def _there(seed: int, run: Run, *, recorded: bool = False) -> tuple[Outcome, float | None, Recording]:
    """Make the change and follow it; return what came of it, from when it is to be undone, and the recording."""
    run.recorded = recorded
    await _change(run, seed)
    await _follow(run)
    end = (
        max([*run.rollouts.done_at.values(), *_drained(run), run.since]) if run.rollouts.are_done else run.plane.seconds
    )
    if run.rollouts.are_done:
        with suppress(TimeoutError):
            await run.plane.at_rest(CALM_SECONDS)
    outcome = await _outcome(run, end)
    undo = run.story.undo
    if undo and not outcome.finished and not run.refused:
        outcome = replace(outcome, undo=await _undo(run))
    recording = run.watcher.finish(run.plane.clock.now())
    return outcome, _worst_moment(run) if undo and outcome.finished else None, recording


@asynccontextmanager
async def begun(story: Story, told: Told = nobody) -> AsyncIterator[Run]:
    """Yield a plane on which everything from before is at rest: the same for all seeds."""
    cluster = story.cluster
    nodes = cluster.nodes
    async with Plane(nodes, profile=cluster.profile, seed=BEFORE, release=cluster.release or LATEST) as plane:
        run = Run(story, plane, Rollouts(plane.log), Watcher(plane.log, story.title, START), told)
        if story.before:
            await _bring_to_rest(run)
        run.settled = plane.seconds
        try:
            yield run
        finally:
            await _stop_acting(run)


async def _bring_to_rest(run: Run) -> None:
    try:
        await run.plane.apply(run.story.before)
    except RollplaneError as exc:
        raise BadRequestError(f"what is to run before is refused: {exc.message}") from exc
    deadline = run.plane.seconds + run.story.patience_seconds
    while not run.rollouts.are_done and run.plane.seconds < deadline:
        await _moved(run)
    if not run.rollouts.are_done:
        stuck = _stuck(run)
        told = "; ".join(each.why for _, each in stuck) or "rollouts go on and on"
        raise BadRequestError(f"what is to run before never does: {told}")
    with suppress(TimeoutError):
        await run.plane.at_rest(CALM_SECONDS)


async def _moved(run: Run) -> None:
    """Wait until a workload changes, for a moment at most, and tell how far all is."""
    await run.rollouts.moved(LOOK_SECONDS)
    run.told(run.plane.seconds, *run.rollouts.updated)


# The change.


async def _change(run: Run, seed: int) -> None:
    """Make all changes at one moment, and begin the script; what refuses one ends them, and is remembered.

    From here on chance is that of ``seed``.
    """
    run.plane.throw_anew(seed)
    run.before = dict(run.rollouts.generations)
    run.since = run.plane.seconds
    run.watcher.change_begins(run.since, "the change" if run.story.changes else "")
    try:
        for change in run.story.changes:
            await _make(run.plane, change)
    except RollplaneError as exc:
        run.refused = (exc.message,)
    if run.story.script and not run.refused:
        steps = steps_of(run.story.script, run.story.draws, run.plane.seed)
        run.actor = Actor(run.plane, run.watcher, run.rollouts, steps)
        run.acting = run.plane.beside(_act(run, run.actor))
        await asyncio.sleep(0)  # the first step is taken now


async def _act(run: Run, actor: Actor) -> None:
    try:
        await actor.run(run.since)
    except RollplaneError as exc:
        run.refused = (exc.message,)


async def _make(plane: Plane, change: Change) -> None:
    if isinstance(change, Apply):
        await plane.apply(change.manifests)
        return
    key = key_of(change.workload)
    if isinstance(change, SetImage):
        await plane.client.set_image(key.kind.message, key.namespace, key.name, change.images)
    else:
        patch = PatchWrite(key, PatchType.STRATEGIC_MERGE, change.patch.encode(), options=WriteOptions("rehearse"))
        await plane.api.write(patch)


def key_of(workload: str) -> Key:
    """Return the key of ``deployment/shop/web``; raises BadRequestError, or NotFoundError for an unknown kind."""
    kind, _, rest = workload.partition("/")
    namespace, _, name = rest.partition("/")
    if not name:
        raise BadRequestError(f'"{workload}" names nothing: want kind/namespace/name')
    return Key(by_word(kind), namespace, name)


async def _follow(run: Run) -> None:
    """Let time pass until every rollout is over, or patience is."""
    await _watched(run, lambda: run.is_over, run.since + run.story.patience_seconds)
    if run.actor is not None and run.actor.next_step and not run.refused:
        run.refused = (f"{run.actor.next_step} was never taken",)


async def _watched(run: Run, is_over: Callable[[], bool], deadline: float) -> None:
    """Let time pass until all ``is_over``, until ``deadline`` at most, and note what is waited for meanwhile."""
    waits = Waits(run.plane, run.rollouts, run.watcher)
    while not is_over() and run.plane.seconds < deadline:
        if run.recorded:
            waits.note()
        await _moved(run)
    if run.recorded:
        waits.note(last=True)


async def _stop_acting(run: Run) -> None:
    """Take no more steps."""
    if run.acting is not None:
        run.acting.cancel()
        await asyncio.wait({run.acting})


# What came of it.


async def _outcome(run: Run, end: float) -> Outcome:
    stuck = dict(_stuck(run))
    extremes = run.watcher.extremes(end)
    found = [_workload_outcome(run, name, extremes[name], stuck.get(name)) for name in sorted(run.rollouts.states)]
    finished = not run.refused and all(each.finished for each in found)
    return Outcome(
        seed=run.plane.seed,
        digest=run.plane.log.digest,
        settled_seconds=run.settled,
        seconds=max([0.0, *(each.seconds or 0.0 for each in found), *(at - run.since for at in _drained(run))])
        if finished
        else None,
        workloads=found,
        budgets=run.watcher.budgets(),
        violations=[str(each) for each in run.plane.violations],
        refused=run.refused,
        drains=_drains(run),
        notes=run.story.notes if run.changed or run.refused else (*run.story.notes, "no workload is changed by it"),
    )


def _drains(run: Run) -> Sequence[DrainOutcome]:
    return run.actor.drains if run.actor is not None else ()


def _drained(run: Run) -> list[float]:
    """Return when drains were over, in seconds of the loop."""
    return [run.since + each.at + each.seconds for each in _drains(run)]


def _workload_outcome(run: Run, name: str, extremes: Extremes, stuck: Stuck | None) -> WorkloadOutcome:
    done = run.rollouts.done_at.get(name)
    if done is not None:
        done = max(done, run.watcher.ends_at(name))
    workload = next(each for each in run.watcher.recording.workloads if each.full_name == name)
    return WorkloadOutcome(
        name,
        workload.desired,
        name in run.changed,
        None if done is None else max(0.0, done - run.since),
        extremes.least_available,
        extremes.most_pods,
        run.watcher.restarts_of(name),
        round(extremes.surge_pod_seconds, 3),
        stuck,
    )


def _worst_moment(run: Run) -> float:
    """Return the last moment (seconds since the change) at which the least was available of a workload that changed."""
    end = max(run.rollouts.done_at.values(), default=run.since)
    extremes = run.watcher.extremes(end)
    changed = [extremes[name] for name in run.changed if name in extremes]
    return min(((each.least_available.count, each.worst_at) for each in changed), default=(0, 0.0))[1]


def _stuck(run: Run) -> Sequence[tuple[str, Stuck]]:
    """Return why each rollout that is not done is where it is."""
    found = []
    for workload in workloads(run.plane):
        name = name_of(workload)
        if name in run.rollouts.states and name not in run.rollouts.done_at:
            seen = diagnose(run.plane, workload)
            found.append((name, Stuck(seen.sentence, seen.reason, [pod.metadata.name for pod in seen.pods])))
    return found


# Going back.


async def _undo_at(seed: int, moment: float, run: Run) -> UndoOutcome:
    """Make the change, let it go on up to ``moment`` (seconds since the change), and then go back."""
    await _change(run, seed)
    await run.plane.advance(moment)
    return await _undo(run)


async def _undo(run: Run) -> UndoOutcome:
    """Apply what was there before, and follow."""
    began = run.plane.seconds
    at = began - run.since
    await _stop_acting(run)
    run.watcher.recorder.mark(UNDO, run.plane.clock.now())
    await run.plane.apply(run.story.before)
    await _watched(run, lambda: run.rollouts.are_over, began + run.story.patience_seconds)
    if run.rollouts.are_done:
        return UndoOutcome(at, max(0.0, max(run.rollouts.done_at.values(), default=began) - began))
    return UndoOutcome(at, None, _stuck(run))
