"""Looking for trouble: unharmed runs, single faults around what happened in them, pairs; then the smallest that breaks.

What is found depends on the story and the seed alone, not on how many processes look for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from rollplane_machinery.errors import BadRequestError
from rollplane_page.recording import PodState, Recording
from rollplane_rehearsal.rehearse.judging import FINISHES, INVARIANTS_KEPT, UNDO_HEALS, Broken, Expectation, judge
from rollplane_rehearsal.rehearse.many import hush, outcome_of_run
from rollplane_rehearsal.rehearse.outcome import Outcome
from rollplane_rehearsal.rehearse.preparing import whole
from rollplane_rehearsal.rehearse.run import rehearse
from rollplane_rehearsal.rehearse.story import Story
from rollplane_rehearsal.scenario.acting import told
from rollplane_rehearsal.scenario.scenario import Scenario, read_scenario, steps_of
from rollplane_rehearsal.scenario.writing import document_of, scenario_text
from rollplane_rehearsal.search.faults import Places
from rollplane_rehearsal.search.shrinking import shrink
from rollplane_rehearsal.search.trials import Timeline, Trial, pairs, script_of, singles
from rollplane_rehearsal.series import LateError, Left, spread

EXPECTED: Sequence[Expectation] = (FINISHES, INVARIANTS_KEPT, UNDO_HEALS)
"""What is expected under faults unless a scenario says: no manifest promises pods on nodes that are gone."""
MOST_SEEDS = 5
RUNS_A_SEED = 20
"""For how many runs it is worth to begin with one seed more."""
MOST_TRIES = 200
"""How many smaller scenarios are tried at most once one is found."""
SHARE = 4
"""How many runs travel to a process together: few, since the first that breaks ends all others; one against time."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: ``count`` runs at most with faults of these ``kinds``, as long as there is time ``left``.

    ``told`` hears how many runs there were.
    """

    count: int
    seed: int
    kinds: Sequence[str]
    left: Left | None = None
    told: Callable[[int], None] = lambda _count: None
    processes: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """The smallest scenario that breaks ``broken``: as a ``document``, and what came of it.

    ``faults`` counts those in it; ``first`` those in what was found first. ``is_minimal``: nothing simpler breaks it.
    """

    document: Mapping[str, Any]
    story: Story
    expectation: Expectation
    broken: Broken
    outcome: Outcome
    faults: int
    first: int
    tries: int
    is_minimal: bool

    @property
    def text(self) -> str:
        """The scenario as a file."""
        return scenario_text(self.document)


@dataclass(slots=True)
class Searched:
    """What was tried, and what was found; None when nothing broke. ``kinds`` counts the faults that were tried.

    ``is_late``: its time was up before all was tried.
    """

    runs: int = 0
    singles: int = 0
    pairs: int = 0
    seeds: Sequence[int] = ()
    kinds: Counter[str] = field(default_factory=Counter)
    found: Found | None = None
    is_late: bool = False
    unharmed: tuple[Story, Outcome] | None = None

    @property
    def shown(self) -> tuple[Story, Outcome] | None:
        """The run to look at: the one that was found, else the first without faults."""
        return (self.found.story, self.found.outcome) if self.found else self.unharmed


def search(story: Story, scenario: Scenario, wanted: Search) -> Searched:
    """Look for the smallest scenario that breaks an expectation of ``scenario``; blocks.

    Raises BadRequestError when the story cannot be rehearsed, or not once within its time. What was found is run twice
    more, whatever time that takes.
    """
    searched = _Searching(story, scenario, wanted).run()
    if searched.shown is None:
        raise BadRequestError("the time was up before the first run had ended")
    return searched


class _Searching:
    """One search. Each seed's story is read from a scenario file, so that what is found is what is replayed."""

    def __init__(self, story: Story, scenario: Scenario, wanted: Search) -> None:
        self._wanted = wanted
        self._expectations = expectations_of(scenario)
        undo = story.undo and _is_undone(self._expectations)
        seeds = range(wanted.seed, wanted.seed + _seeds(wanted.count))
        documents = {seed: document_of(replace(story, undo=undo), scenario.profile, seed) for seed in seeds}
        self._documents = {seed: self._expecting(document, self._expectations) for seed, document in documents.items()}
        self._stories = {seed: whole(_read(document)) for seed, document in self._documents.items()}
        self._timelines: dict[int, Timeline] = {}
        self._baseline = 1.0
        self._harmed: list[tuple[Trial, float]] = []
        self._searched = Searched(seeds=seeds)

    def run(self) -> Searched:
        for phase in (self._unharmed, self._singles, self._pairs):
            if self._searched.found is None and not self._searched.is_late:
                phase()
        return self._searched

    # What is tried.

    def _unharmed(self) -> None:
        """See what happens by itself; what breaks then needs no fault."""
        runs = [(self._stories[seed], seed) for seed in self._searched.seeds]
        unharmed = spread(timeline_of, runs, self._wanted.processes, 1, self._wanted.left)
        with self._in_time(), closing(unharmed) as found:
            for seed, (outcome, timeline) in zip(self._searched.seeds, found, strict=True):
                self._timelines[seed] = timeline
                self._count()
                self._searched.unharmed = self._searched.unharmed or (self._stories[seed], outcome)
                if broken := self._broken(outcome):
                    self._found(Trial(seed, ()), broken)
                    return
                self._baseline = outcome.seconds or 1.0

    def _singles(self) -> None:
        left = self._wanted.count - self._searched.runs
        trials = singles(self._timelines, self._wanted.kinds, self._wanted.seed, left - left // 3)
        for trial, outcome in self._tried(trials):
            self._searched.singles += 1
            self._harmed.append((trial, harm(outcome, self._baseline)))

    def _pairs(self) -> None:
        left = self._wanted.count - self._searched.runs
        for _ in self._tried(pairs(self._harmed, self._wanted.seed, left)):
            self._searched.pairs += 1

    def _tried(self, trials: Sequence[Trial]) -> Iterator[tuple[Trial, Outcome]]:
        """Yield trials with what came of each, until one breaks or it is time to end."""
        share = SHARE if self._wanted.left is None else 1
        with self._in_time(), closing(self._outcomes(trials, share)) as outcomes:
            for trial, outcome in zip(trials, outcomes, strict=True):
                self._count()
                self._searched.kinds.update(fault.action for fault in trial.faults)
                yield trial, outcome
                if broken := self._broken(outcome):
                    self._found(trial, broken)
                    return

    def _outcomes(self, trials: Sequence[Trial], share: int) -> Generator[Outcome, None, None]:
        runs = [(self._story(trial), trial.seed) for trial in trials]
        return spread(outcome_of_run, runs, self._wanted.processes, share, self._wanted.left)

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        try:
            yield
        except LateError:
            self._searched.is_late = True

    def _count(self) -> None:
        self._searched.runs += 1
        self._wanted.told(self._searched.runs)

    def _broken(self, outcome: Outcome) -> Expectation | None:
        return next((each for each in self._expectations if each.broken(outcome)), None)

    def _story(self, trial: Trial) -> Story:
        story = self._stories[trial.seed]
        return replace(story, script=script_of(story.script, self._timelines[trial.seed], trial))

    # What was found.

    def _found(self, trial: Trial, expectation: Expectation) -> None:
        """Make it as small as it gets, write it down, and see that what was written breaks the same."""

        def first_broken(trials: Sequence[Trial]) -> int | None:
            with closing(self._outcomes(trials, 1)) as outcomes:
                return next((place for place, each in enumerate(outcomes) if expectation.broken(each)), None)

        shrunk = shrink(trial, Trial.simpler, first_broken, MOST_TRIES)
        document = self._document(shrunk.smallest, expectation)
        story = whole(_read(document))
        outcomes = list(spread(outcome_of_run, [(story, trial.seed)] * 2, 1))
        judged = judge(story.title, outcomes[:1], (expectation,))
        if judged.kept or outcomes[0].digest != outcomes[1].digest:
            raise RuntimeError(f"what was found does not break again: {scenario_text(document)}")
        self._searched.found = Found(
            document,
            story,
            expectation,
            judged.broken[trial.seed][0],
            outcomes[0],
            len(shrunk.smallest.faults),
            len(trial.faults),
            shrunk.tries,
            shrunk.is_minimal,
        )

    def _document(self, trial: Trial, expectation: Expectation) -> dict[str, Any]:
        document = self._documents[trial.seed]
        steps = script_of(document["steps"], self._timelines[trial.seed], trial)
        undo = bool(document["undo"]) and _is_undone((expectation,))
        return self._expecting({**document, "undo": undo, "steps": steps}, (expectation,))

    @staticmethod
    def _expecting(document: Mapping[str, Any], expectations: Sequence[Expectation]) -> dict[str, Any]:
        return {**document, "expect": [each.name for each in expectations]}


def _read(document: Mapping[str, Any]) -> Scenario:
    return read_scenario(scenario_text(document), str(document["name"]))


def _seeds(count: int) -> int:
    return max(1, min(MOST_SEEDS, count // RUNS_A_SEED))


def expectations_of(scenario: Scenario) -> Sequence[Expectation]:
    """Return what a scenario says that it expects, else what can be expected under faults."""
    return scenario.expect if scenario.says_what_it_expects else EXPECTED


def _is_undone(expectations: Sequence[Expectation]) -> bool:
    return any(each.name.startswith("undo ") for each in expectations)


def harm(outcome: Outcome, usual_seconds: float) -> float:
    """Return how much worse a run was than the unharmed one: how much slower, and what part of pods was missing."""
    slower = (outcome.seconds if outcome.seconds is not None else 10 * usual_seconds) / usual_seconds
    shares = [each.least_available.count / each.desired for each in outcome.workloads if each.desired]
    return slower + 1.0 - min(shares, default=1.0)


def timeline_of(run: tuple[Story, int]) -> tuple[Outcome, Timeline]:
    """Go a story's way once; return what came of it, and when; blocks."""
    story, seed = run
    hush()
    outcome, recording = rehearse(story, seed)
    end = outcome.seconds or recording.end
    steps = [told(step) for step in steps_of(story.script, story.draws, seed)]
    changes = sorted({at for at, _, state in recording.changes if 0 <= at <= end and state is not PodState.PENDING})
    return outcome, Timeline(changes, _taken(steps, recording), _places(recording))


def _taken(steps: Sequence[str], recording: Recording) -> list[float]:
    """Return when each step was taken: each has a mark of its own name, in this order."""
    taken: list[float] = []
    for mark in recording.marks:
        if len(taken) < len(steps) and mark.label == steps[len(taken)]:
            taken.append(round(max(0.0, mark.at), 6))
    return taken


def _places(recording: Recording) -> Places:
    nodes = sorted({line.node for line in recording.pods if line.node}, key=_naturally)
    images = dict.fromkeys(name.split(" ")[0] for each in recording.workloads for name in each.revisions)
    return Places(tuple(nodes), tuple(images))


def _naturally(name: str) -> tuple[int, str]:
    return len(name), name
