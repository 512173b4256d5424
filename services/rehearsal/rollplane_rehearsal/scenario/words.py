"""The sentences that scenarios are written in: conditions that steps wait for, and expectations.

A workload is ``web``, ``deploy/web`` or ``deployment/shop/web``; a duration is ``90s`` or ``5m``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import by_word
from rollplane_machinery.spans import EXACT, seconds_of
from rollplane_machinery.strict_reading import Json, meant
from rollplane_rehearsal.rehearse.durations import seconds_text
from rollplane_rehearsal.rehearse.judging import (
    BUDGETS_KEPT,
    DRAINS_COMPLETE,
    FINISHES,
    INVARIANTS_KEPT,
    PROMISES_KEPT,
    UNDO_HEALS,
    Expectation,
    drain_told,
)
from rollplane_rehearsal.rehearse.outcome import Outcome, WorkloadOutcome

_WORKLOAD = r"(?P<workload>[a-z][a-z0-9./-]*)"
_SPAN = r"(?P<span>[0-9][0-9a-z.]*)"


def _sentence(patterns: Iterable[re.Pattern[str]]) -> Json:
    """Return the shape of a text that is one of these sentences: groups have no names in a JSON Schema's dialect."""
    told = (each.pattern.replace(_SPAN, EXACT) for each in patterns)
    return {"type": "string", "pattern": f"^(?:{'|'.join(re.sub(r'[(][?]P<[a-z]+>', '(?:', each) for each in told)})$"}


def is_meant(workload: str, full_name: str) -> bool:
    """Tell whether ``workload``, as people call it, is ``deployment/shop/web``."""
    kind, namespace, name = full_name.split("/")
    parts = workload.split("/")
    if len(parts) > 1:
        with suppress(NotFoundError):  # of a custom kind, which is called by its own name
            parts[0] = by_word(parts[0]).singular
    return parts in ([name], [kind, name], [kind, namespace, name])


NO_CONDITION, NO_EXPECTATION = "is no condition", "is no expectation"


def _near(text: str, sentences: str) -> str:
    """Return which of the ``sentences`` may be meant; the first word may be a workload, called whatever it is."""
    forms = [re.sub(r"^\[?WORKLOAD\]? ", "", each) for each in sentences.split(", ")]
    plain = {re.sub(r" ?\[[^]]*\]", "", form): form for form in forms}
    return meant(text, plain) or meant(text.partition(" ")[2], plain)


# Conditions


@dataclass(frozen=True, slots=True)
class Condition:
    """``workload`` has ``count`` pods (or, ``percent``, that part of those wanted) of a revision in a state.

    ``revision`` is ``new``, ``old`` or "" for any; ``state`` is ``available``, ``ready`` or a state of the rollout:
    ``complete``, ``failed``, ``moving``.
    """

    workload: str
    state: str
    count: int = 0
    percent: bool = False
    revision: str = ""


_CONDITION = re.compile(
    _WORKLOAD + r"(?: (?P<revision>new|old))? is (?P<count>[0-9]+)(?P<percent>%)? (?P<state>available|ready)"
)
_PROGRESS = re.compile(_WORKLOAD + r" (?:is (?P<state>complete|moving)|has (?P<failed>failed))")
CONDITION: Json = _sentence((_CONDITION, _PROGRESS))
"""The shape of a condition."""
CONDITIONS = "WORKLOAD [new|old] is N[%] available|ready, WORKLOAD is complete|moving, WORKLOAD has failed"


def parse_condition(text: str) -> Condition:
    """Read a condition; raises ValueError that says what can be said."""
    if found := _CONDITION.fullmatch(text):
        return Condition(
            found["workload"], found["state"], int(found["count"]), bool(found["percent"]), found["revision"] or ""
        )
    if found := _PROGRESS.fullmatch(text):
        return Condition(found["workload"], "failed" if found["failed"] else found["state"])
    raise ValueError(f"{NO_CONDITION}{_near(text, CONDITIONS)}")


# Expectations

_Maker = Callable[[Mapping[str, Any], str], Expectation]


def _whose(outcome: Outcome, workload: str | None) -> list[WorkloadOutcome]:
    return [each for each in outcome.workloads if workload is None or is_meant(workload, each.name)]


def _within(words: Mapping[str, Any], name: str) -> Expectation:
    limit, workload = seconds_of(words["span"]), words["workload"]

    def broken(outcome: Outcome) -> str:
        if (unfinished := FINISHES.broken(_only(outcome, workload))) or not _whose(outcome, workload):
            return unfinished or f"there is no {workload}"
        late = [each for each in _whose(outcome, workload) if (each.seconds or 0.0) > limit]
        return "; ".join(f"{each.name} took {seconds_text(each.seconds)}" for each in late)

    return Expectation(name, broken)


def _only(outcome: Outcome, workload: str | None) -> Outcome:
    return replace(outcome, workloads=_whose(outcome, workload))


def _never_completes(words: Mapping[str, Any], name: str) -> Expectation:
    workload, why = words["workload"], words["why"] or ""

    def broken(outcome: Outcome) -> str:
        meant = _whose(outcome, workload)
        done = [each for each in meant if each.finished]
        if done or not meant:
            took = "; ".join(f"{each.name} finished in {seconds_text(each.seconds)}" for each in done)
            return took or f"there is no {workload}"
        told = "; ".join(each.stuck.why if each.stuck else "" for each in meant)
        return "" if why in told else f"it is stuck for another reason: {told}"

    return Expectation(name, broken)


def _bound(words: Mapping[str, Any], name: str) -> Expectation:
    workload, count, percent = words["workload"], int(words["count"]), bool(words["percent"])
    least = words["what"] == "available"

    def broken(outcome: Outcome) -> str:
        seen = []
        for each in _whose(outcome, workload):
            limit = _of(each.desired, count, round_up=least) if percent else count
            extreme = each.least_available if least else each.most_pods
            if extreme.count < limit if least else extreme.count > limit:
                what = "available" if least else "there"
                seen.append(f"{each.name} has {extreme.count} pods {what} at {seconds_text(extreme.at)}")
        return "; ".join(seen) if _whose(outcome, workload) else f"there is no {workload}"

    return Expectation(name, broken)


def _of(desired: int, percent: int, *, round_up: bool) -> int:
    return -(-desired * percent // 100) if round_up else desired * percent // 100


def _drains_within(words: Mapping[str, Any], name: str) -> Expectation:
    limit = seconds_of(words["span"])

    def broken(outcome: Outcome) -> str:
        if not outcome.drains:
            return "nothing was drained"
        late = [each for each in outcome.drains if each.seconds > limit]
        return DRAINS_COMPLETE.broken(outcome) or "; ".join(f"drain of {each.node} {drain_told(each)}" for each in late)

    return Expectation(name, broken)


def _undo_within(words: Mapping[str, Any], name: str) -> Expectation:
    limit = seconds_of(words["span"])

    def broken(outcome: Outcome) -> str:
        if outcome.undo is None:
            return "nothing was undone"
        if outcome.undo.seconds is None:
            return UNDO_HEALS.broken(outcome)
        return "" if outcome.undo.seconds <= limit else f"it took {seconds_text(outcome.undo.seconds)}"

    return Expectation(name, broken)


def _undo_never(_words: Mapping[str, Any], name: str) -> Expectation:
    def broken(outcome: Outcome) -> str:
        healed = outcome.undo is not None and outcome.undo.seconds is not None
        return f"it healed in {seconds_text(outcome.undo.seconds)}" if healed and outcome.undo else ""

    return Expectation(name, broken)


def _no_restarts(_words: Mapping[str, Any], name: str) -> Expectation:
    def broken(outcome: Outcome) -> str:
        return "; ".join(f"{each.name}: {each.restarts} restarts" for each in outcome.workloads if each.restarts)

    return Expectation(name, broken)


def _refused(words: Mapping[str, Any], name: str) -> Expectation:
    why = words["why"] or ""

    def broken(outcome: Outcome) -> str:
        if not outcome.refused:
            return "nothing was refused"
        return "" if why in outcome.refused[0] else f"it was refused for another reason: {outcome.refused[0]}"

    return Expectation(name, broken)


def _ready_made(expectation: Expectation) -> _Maker:
    return lambda _words, _name: expectation


_BECAUSE = r'(?: because "(?P<why>[^"]+)")?'
_EXPECTATIONS: tuple[tuple[re.Pattern[str], _Maker], ...] = (
    (re.compile(rf"(?:{_WORKLOAD} )?completes within {_SPAN}"), _within),
    (re.compile(rf"(?:{_WORKLOAD} )?never completes{_BECAUSE}"), _never_completes),
    (re.compile(rf"{_WORKLOAD} (?P<what>available) >= (?P<count>[0-9]+)(?P<percent>%)? always"), _bound),
    (re.compile(rf"{_WORKLOAD} (?P<what>pods) <= (?P<count>[0-9]+)(?P<percent>%)? always"), _bound),
    (re.compile(rf"drains complete within {_SPAN}"), _drains_within),
    (re.compile(rf"undo heals within {_SPAN}"), _undo_within),
    (re.compile(r"undo never heals"), _undo_never),
    (re.compile(r"no pod restarts"), _no_restarts),
    (re.compile(rf"the change is refused{_BECAUSE}"), _refused),
    (re.compile(r"finishes"), _ready_made(FINISHES)),
    (re.compile(r"promises kept"), _ready_made(PROMISES_KEPT)),
    (re.compile(r"budgets kept"), _ready_made(BUDGETS_KEPT)),
    (re.compile(r"invariants kept"), _ready_made(INVARIANTS_KEPT)),
    (re.compile(r"drains complete"), _ready_made(DRAINS_COMPLETE)),
    (re.compile(r"undo heals"), _ready_made(UNDO_HEALS)),
)
EXPECTATION: Json = _sentence(pattern for pattern, _ in _EXPECTATIONS)
"""The shape of an expectation."""
EXPECTATIONS = (
    '[WORKLOAD] completes within DURATION, [WORKLOAD] never completes [because "…"], '
    "WORKLOAD available >= N[%] always, WORKLOAD pods <= N[%] always, "
    "drains complete [within DURATION], undo heals [within DURATION], undo never heals, no pod restarts, "
    'the change is refused [because "…"], finishes, promises kept, budgets kept, invariants kept'
)


def parse_expectation(text: str) -> Expectation:
    """Read an expectation, which is called as it is written; raises ValueError that says what can be said."""
    for pattern, make in _EXPECTATIONS:
        if found := pattern.fullmatch(text):
            return make({"workload": None, "why": None} | found.groupdict(), text)
    raise ValueError(f"{NO_EXPECTATION}{_near(text, EXPECTATIONS)}")
