"""A scenario file: read strictly, every error with its field and its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_kubelet_sim.node_pools.reading import PoolReader
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.yaml_lines import line_of, read_lines
from rollplane_rehearsal.rehearse.judging import USUAL, Expectation
from rollplane_rehearsal.rehearse.story import PATIENCE_SECONDS
from rollplane_rehearsal.scenario.steps import Step, StepError, drawn, filled, read_step
from rollplane_rehearsal.scenario.words import parse_expectation, seconds_of

FIELDS = (
    "name",
    "about",
    "before",
    "manifests",
    "nodes",
    "profile",
    "release",
    "runs",
    "seed",
    "patience",
    "undo",
    "draw",
    "steps",
    "expect",
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a file says. ``before`` are paths beside it, ``manifests`` objects within it; ``steps`` are as written."""

    name: str
    about: str = ""
    before: Sequence[str] = ()
    manifests: Sequence[Any] = ()
    nodes: int | tuple[NodePool, ...] = 3
    profile: str | Mapping[str, Any] = "realistic"
    release: str = ""
    runs: int = 1
    seed: int = 1
    patience: float = PATIENCE_SECONDS
    undo: bool = True
    draws: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[Any] = ()
    expectations: Sequence[Expectation] = USUAL


class _Reader:
    """Collects everything that is wrong, each with its line."""

    def __init__(self, source: str, lines: Mapping[str, int]) -> None:
        self._source = source
        self._lines = lines
        self.faults: list[str] = []

    def refuse(self, path: str, message: str) -> None:
        line = line_of(path, self._lines)
        self.faults.append(f"{self._source}: line {line}: {path or 'the document'} {message}")

    def take(self, data: Mapping[str, Any], name: str, wanted: type, default: Any) -> Any:
        value = data.get(name)
        if value is None:
            return default
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            self.refuse(name, f"must be {_WANTED[wanted]}")
            return default
        return value


_WANTED: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
}


def read_scenario(text: str, source: str) -> Scenario:
    """Return the scenario in a YAML document; raises InvalidError with all that is wrong and where."""
    data, lines = read_lines(text, source)
    reader = _Reader(source, lines)
    if not isinstance(data, dict):
        raise InvalidError(f"{source}: line 1: must be a mapping with steps")
    for key in data:
        if key not in FIELDS:
            reader.refuse(str(key), f"is no field; there are {', '.join(FIELDS)}")
    draws = _draws(reader, reader.take(data, "draw", dict, {}))
    steps = reader.take(data, "steps", list, [])
    if not steps:
        reader.refuse("steps", "are what happens: at least one")
    _check_steps(reader, steps, draws)
    scenario = Scenario(
        name=reader.take(data, "name", str, source),
        about=reader.take(data, "about", str, ""),
        before=_texts(reader, data, "before"),
        manifests=reader.take(data, "manifests", list, []),
        nodes=_nodes(reader, data.get("nodes", 3)),
        profile=_profile(reader, data.get("profile", "realistic")),
        release=str(data.get("release") or ""),
        runs=reader.take(data, "runs", int, 1),
        seed=reader.take(data, "seed", int, 1),
        patience=_patience(reader, data),
        undo=reader.take(data, "undo", bool, True),
        draws=draws,
        steps=steps,
        expectations=_expectations(reader, data),
    )
    if scenario.runs < 1:
        reader.refuse("runs", "must be at least 1")
    if not scenario.before and not scenario.manifests:
        reader.refuse("before", "or manifests must say what runs before the first step")
    if reader.faults:
        raise InvalidError("; ".join(reader.faults))
    return scenario


def steps_of(script: Sequence[Any], draws: Mapping[str, Any], seed: int) -> list[Step]:
    """Return the steps of a script that was read before, with what is drawn for ``seed``."""
    values = drawn(draws, seed)
    return [read_step(filled(step, values)) for step in script]


def _check_steps(reader: _Reader, steps: Sequence[Any], draws: Mapping[str, Any]) -> None:
    values = drawn(draws, 0)
    for position, step in enumerate(steps):
        try:
            read_step(filled(step, values))
        except StepError as exc:
            reader.refuse(f"steps[{position}]{'.' + exc.field if exc.field else ''}", str(exc))


def _draws(reader: _Reader, data: Mapping[str, Any]) -> Mapping[str, Any]:
    found = {}
    for name, choice in data.items():
        if _is_range(choice) or _is_choice(choice):
            found[name] = choice
        else:
            reader.refuse(f"draw.{name}", "must be {between: [LOW, HIGH]} or {one of: [A, B, …]}")
    return found


def _is_range(choice: object) -> bool:
    if not isinstance(choice, dict) or set(choice) != {"between"}:
        return False
    ends = choice["between"]
    return (
        isinstance(ends, list)
        and len(ends) == 2
        and all(isinstance(e, int | float) for e in ends)
        and ends[0] <= ends[1]
    )


def _is_choice(choice: object) -> bool:
    return (
        isinstance(choice, dict)
        and set(choice) == {"one of"}
        and isinstance(choice["one of"], list)
        and bool(choice["one of"])
    )


def _texts(reader: _Reader, data: Mapping[str, Any], name: str) -> Sequence[str]:
    value = data.get(name) or []
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in values):
        reader.refuse(name, "must be a path or a list of them")
        return ()
    return values


def _nodes(reader: _Reader, value: object) -> int | tuple[NodePool, ...]:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if not isinstance(value, list):
        reader.refuse("nodes", "must be a number above 0, or a list of pools")
        return 3
    pools = PoolReader()
    found = tuple(pools.pool(each, f"nodes[{position}]") for position, each in enumerate(value))
    for cause in pools.causes:
        reader.refuse(cause.field, cause.message)
    return found


def _profile(reader: _Reader, value: object) -> str | Mapping[str, Any]:
    if isinstance(value, str | dict):
        return value
    reader.refuse("profile", "must be the name of a profile, a file, or a profile")
    return "realistic"


def _patience(reader: _Reader, data: Mapping[str, Any]) -> float:
    try:
        return seconds_of(data.get("patience", PATIENCE_SECONDS))
    except ValueError:
        reader.refuse("patience", "must be a duration, such as 10m")
        return PATIENCE_SECONDS


def _expectations(reader: _Reader, data: Mapping[str, Any]) -> Sequence[Expectation]:
    if "expect" not in data:
        return USUAL
    found = []
    for position, text in enumerate(reader.take(data, "expect", list, [])):
        try:
            found.append(parse_expectation(str(text)))
        except ValueError as exc:
            reader.refuse(f"expect[{position}]", f"{text!r} {exc}")
    return found
