"""What a report as JSON holds. Fields are added within a version, never changed; null is "never", times are seconds."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, TypedDict, Union, get_args, get_origin, get_type_hints, is_typeddict

API_VERSION: Literal["rehearsal.rollplane.dev/v1"] = "rehearsal.rollplane.dev/v1"


class Seconds(TypedDict):
    """How long it took, of all runs; null when that run did not finish."""

    p50: float | None
    p95: float | None
    worst: float | None


class Kept(TypedDict):
    """An expectation, and the seeds of the runs that broke it."""

    name: str
    kept: bool
    brokenBySeeds: list[int]


class Waited(TypedDict):
    """From when to when a workload, by its place in the run, waited for what, in seconds since the change."""

    begin: float
    end: float
    workload: int
    sentence: str


class Furthest(TypedDict):
    """The furthest a count went, when (seconds since the change), and what was promised; null promises nothing."""

    count: int
    at: float
    promised: int | None


class NotThere(TypedDict):
    """Why a workload did not get there, and the pods that this is about."""

    why: str
    reason: str
    pods: list[str]


class NotHealed(TypedDict):
    """Why a workload is not what it was before."""

    workload: str
    why: str
    reason: str
    pods: list[str]


class Seen(TypedDict):
    """An expectation that a run broke, and what was seen instead."""

    expectation: str
    seen: str


class Budget(TypedDict):
    """A PodDisruptionBudget, and the least healthy pods that it had."""

    name: str
    leastHealthy: Furthest


class Held(TypedDict):
    """A pod that a drain could not send away, and in which words its eviction was refused last."""

    pod: str
    why: str


class Drained(TypedDict):
    """A drain, from when (seconds since the change) and how long; left is what stayed when it gave up."""

    node: str
    at: float
    seconds: float
    left: list[Held]


class Undone(TypedDict):
    """Going back at a moment (seconds since the change), and how long it took; null when it never healed."""

    at: float
    seconds: float | None
    stuck: list[NotHealed]


class Workload(TypedDict):
    """What a workload went through; seconds is null when its rollout did not finish."""

    name: str
    desired: int
    changed: bool
    seconds: float | None
    leastAvailable: Furthest
    mostPods: Furthest
    restarts: int
    surgePodSeconds: float
    stuck: NotThere | None


class Run(TypedDict):
    """One run; digest is that of everything that happened in it, settledSeconds is when the change was made."""

    seed: int
    digest: str
    settledSeconds: float
    seconds: float | None
    broken: list[Seen]
    workloads: list[Workload]
    budgets: list[Budget]
    violations: list[str]
    refused: list[str]
    drains: list[Drained]
    undo: Undone | None


class Report(TypedDict):
    """The verdict on all runs, and what each came to."""

    apiVersion: Literal["rehearsal.rollplane.dev/v1"]
    kind: Literal["Rehearsal"]
    title: str
    kept: bool
    verdict: str
    reason: str
    seconds: Seconds
    expectations: list[Kept]
    worstSeed: int
    waits: list[Waited]
    runs: list[Run]
    notes: list[str]


class Chosen(TypedDict):
    """What is varied, and its value; a list or a mapping as JSON text."""

    name: str
    value: str | int | float | bool | None


class Pods(TypedDict):
    """Pods of the workload that went furthest, and how many it wants."""

    workload: str
    count: int
    desired: int


class Combination(TypedDict):
    """One combination; refused says in whose words it could not be rehearsed, "" when it was."""

    number: int
    values: list[Chosen]
    kept: bool
    best: bool
    refused: str
    verdict: str
    reason: str
    seconds: Seconds
    least: Pods | None
    most: Pods | None
    surgePodSeconds: float
    digests: list[str]


class Comparison(TypedDict):
    """All combinations, each rehearsed with all seeds; kept says that one of them kept every expectation."""

    apiVersion: Literal["rehearsal.rollplane.dev/v1"]
    kind: Literal["Comparison"]
    title: str
    kept: bool
    verdict: str
    seeds: list[int]
    combinations: list[Combination]
    notes: list[str]


class Tried(TypedDict):
    """How many runs there were: unharmed, with one fault, with two; and how often each fault was in one."""

    runs: int
    unharmed: int
    singles: int
    pairs: int
    faults: dict[str, int]


class Trouble(TypedDict):
    """The smallest scenario that was found, as a file; minimal says that nothing simpler breaks what it breaks."""

    scenario: str
    expectation: str
    seen: str
    seed: int
    digest: str
    faults: int
    minimal: bool


class SearchReport(TypedDict):
    """What a search tried, and what it found; null when nothing broke."""

    apiVersion: Literal["rehearsal.rollplane.dev/v1"]
    kind: Literal["Search"]
    title: str
    kept: bool
    verdict: str
    tried: Tried
    found: Trouble | None


def search_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of searches; it lets fields be that a later version adds."""
    return _schema_of(SearchReport, "search", "A report of rollplane rehearse --search")


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of reports; it lets fields be that a later version adds."""
    return _schema_of(Report, "report", "A report of rollplane rehearse")


def comparison_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of comparisons; it lets fields be that a later version adds."""
    return _schema_of(Comparison, "comparison", "A report of rollplane rehearse compare")


def _schema_of(shape: Any, name: str, title: str) -> dict[str, Any]:
    shapes = {each.__name__: _mapping(each) for each in _within(shape)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:rollplane:{name}",
        "title": title,
        **shapes.pop(shape.__name__),
        "$defs": shapes,
    }


def _within(shape: Any) -> Iterator[Any]:
    """Yield every mapping that a type holds, itself among them."""
    if is_typeddict(shape):
        yield shape
        for each in get_type_hints(shape).values():
            yield from _within(each)
    for each in get_args(shape):
        yield from _within(each)


def _mapping(shape: Any) -> dict[str, Any]:
    fields = {name: _schema(each) for name, each in get_type_hints(shape).items()}
    return {"description": shape.__doc__, "type": "object", "properties": fields, "required": list(fields)}


_PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number", NoneType: "null"}


def _schema(shape: Any) -> dict[str, Any]:
    if is_typeddict(shape):
        return {"$ref": f"#/$defs/{shape.__name__}"}
    inner = get_args(shape)
    match get_origin(shape):
        case None:
            return {"type": _PLAIN[shape]}
        case origin if origin in (UnionType, Union):
            return {"anyOf": [_schema(each) for each in inner]}
        case origin if origin is dict:
            return {"type": "object", "additionalProperties": _schema(inner[1])}
        case origin if origin is Literal:
            return {"const": inner[0]}
        case _:
            return {"type": "array", "items": _schema(inner[0])}
