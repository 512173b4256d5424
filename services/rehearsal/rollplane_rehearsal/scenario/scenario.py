"""A scenario file: read strictly, every error with its field and its line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollplane_kubelet_sim.limits import MAX_NODES
from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_kubelet_sim.node_pools.reading import PoolReader
from rollplane_kubelet_sim.profiles import shipped_profile
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import ProfileReader, parse_profile
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.releases import NEWEST, OLDEST
from rollplane_machinery.spans import DURATION, seconds_of
from rollplane_machinery.strict_reading import (
    TEXT,
    Field,
    Fields,
    Json,
    StrictReader,
    list_of,
    map_of,
    one_of,
    one_or_more,
    shape_of,
)
from rollplane_machinery.yaml_lines import line_of, read_lines
from rollplane_rehearsal.rehearse.judging import USUAL, Expectation
from rollplane_rehearsal.rehearse.story import PATIENCE_SECONDS
from rollplane_rehearsal.scenario.actions import ACTIONS, MANIFEST
from rollplane_rehearsal.scenario.drawing import drawn, filled
from rollplane_rehearsal.scenario.steps import NO_ACTION, Step, StepError, read_step, step_shape
from rollplane_rehearsal.scenario.words import (
    CONDITIONS,
    EXPECTATION,
    EXPECTATIONS,
    NO_CONDITION,
    NO_EXPECTATION,
    parse_expectation,
)

MAX_RUNS = 1_000_000
RELEASES = tuple(f"1.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1))


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
    draw: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[Any] = ()
    expect: Sequence[Expectation] = USUAL

    @property
    def says_what_it_expects(self) -> bool:
        """Whether the file itself says what is expected."""
        return self.expect is not USUAL


class ScenarioReader(StrictReader):
    """Reads a scenario; what is drawn in it is known before its steps."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn: Mapping[str, Any] = {}
        self._listed: set[str] = set()

    def scenario(self, data: Mapping[str, Any], source: str) -> Scenario:
        """Read a scenario; ``source`` is its name when it has none."""
        read = self.mapping(data, "", self.fields())
        if not read.get("steps"):
            self._refuse_unless_refused("steps", "must say what happens: at least one step")
        if not read.get("before") and not read.get("manifests"):
            self._refuse_unless_refused("before", "must say what runs before the first step, here or in manifests")
        return Scenario(**{"name": source} | read)

    def _refuse_unless_refused(self, path: str, message: str) -> None:
        if not any(cause.field.startswith(path) for cause in self.causes):
            self.refuse(path, message)

    def fields(self) -> Fields:
        return {
            "name": self.a_text(),
            "about": self.a_text(),
            "before": Field(self.texts, one_or_more(TEXT, 1)),
            "manifests": Field(self._manifests, list_of(MANIFEST, 1)),
            "nodes": Field(self._nodes, {"anyOf": [_COUNT, list_of(PoolReader().pool_shape(), 1)]}),
            "profile": Field(self._profile, {"anyOf": [TEXT, ProfileReader().profile_shape()]}),
            "release": Field(self._release, one_of(RELEASES)),
            "runs": self.an_integer(low=1, high=MAX_RUNS),
            "seed": self.an_integer(),
            "patience": Field(self._patience, DURATION),
            "undo": self.a_flag(),
            "draw": Field(self._draws, map_of({"oneOf": [_BETWEEN, _ONE_OF]})),
            "steps": Field(self._steps, list_of(step_shape(), 1)),
            "expect": Field(self._expectations, list_of(EXPECTATION)),
        }

    def _list(self, data: object, path: str) -> Sequence[Any]:
        if isinstance(data, list):
            return data
        self.refuse(path, "must be a list")
        return ()

    def _manifests(self, data: object, path: str) -> Sequence[Any]:
        found = self._list(data, path)
        for position, each in enumerate(found):
            if not isinstance(each, Mapping) or not {"apiVersion", "kind"} <= set(each):
                self.refuse(f"{path}[{position}]", "must be an object with apiVersion and kind")
        return found

    def _nodes(self, data: object, path: str) -> int | tuple[NodePool, ...]:
        if isinstance(data, int) and not isinstance(data, bool) and 0 < data <= MAX_NODES:
            return data
        if not isinstance(data, list) or not data:
            self.refuse(path, f"must be a number from 1 to {MAX_NODES}, or a list of pools")
            return 1
        pools = PoolReader()
        pools.causes = self.causes
        return tuple(pools.pool(each, f"{path}[{position}]") for position, each in enumerate(data))

    def _profile(self, data: object, path: str) -> str | Mapping[str, Any]:
        if isinstance(data, str):
            return data
        if not isinstance(data, Mapping):
            self.refuse(path, "must be the name of a profile, a file, or a profile")
            return {}
        profiles = ProfileReader()
        profiles.causes = self.causes
        profiles.profile(data, path)
        return data

    def _release(self, data: object, path: str) -> str:
        if data in RELEASES:
            return str(data)
        self.refuse(path, f'must be text, "{RELEASES[0]}" to "{RELEASES[-1]}"; is {data!r}')
        return ""

    def _patience(self, data: object, path: str) -> float:
        try:
            return seconds_of(data)
        except ValueError:
            self.refuse(path, "must be a duration, such as 10m")
            return 0.0

    def _draws(self, data: object, path: str) -> Mapping[str, Any]:
        if not isinstance(data, Mapping):
            self.refuse(path, "must be a mapping of names to what is drawn")
            return {}
        for name, choice in data.items():
            if not _is_range(choice) and not _is_choice(choice):
                self.refuse(f"{path}.{name}", "must be {between: [LOW, HIGH]} or {one of: [A, B, …]}")
        self._drawn = {name: each for name, each in data.items() if _is_range(each) or _is_choice(each)}
        return data

    def _steps(self, data: object, path: str) -> Sequence[Any]:
        steps = self._list(data, path)
        values = drawn(self._drawn, 0)
        for position, step in enumerate(steps):
            try:
                read_step(filled(step, values), values)
            except StepError as exc:
                for name, told in exc.wrong:
                    self.refuse(f"{path}[{position}]{'.' + name if name else ''}", self._with_list(told))
        return steps

    def _with_list(self, told: str) -> str:
        """Return what is told, with all that could be written there where that has not been said before."""
        for beginning, known in _LISTS.items():
            if beginning in told and beginning not in self._listed:
                self._listed.add(beginning)
                return f"{told}{'' if told.endswith('?') else ';'} {known}"
        return told

    def _expectations(self, data: object, path: str) -> Sequence[Expectation]:
        found = []
        for position, text in enumerate(self._list(data, path)):
            try:
                found.append(parse_expectation(self.text(text, f"{path}[{position}]")))
            except ValueError as exc:
                self._refuse_unless_refused(f"{path}[{position}]", self._with_list(f"{text!r} {exc}"))
        return found


_LISTS: Mapping[str, str] = {
    NO_ACTION: f"actions are {', '.join(ACTIONS)}",
    NO_CONDITION: f"want one of: {CONDITIONS}",
    NO_EXPECTATION: f"want one of: {EXPECTATIONS}",
}
"""What could be written, by what is told where something else is."""
_COUNT: Json = {"type": "integer", "minimum": 1, "maximum": MAX_NODES}
_BETWEEN: Json = {
    "type": "object",
    "properties": {"between": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}},
    "required": ["between"],
    "additionalProperties": False,
}
_ONE_OF: Json = {
    "type": "object",
    "properties": {"one of": {"type": "array", "minItems": 1}},
    "required": ["one of"],
    "additionalProperties": False,
}


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of scenario files: what it refuses ``read_scenario`` refuses, too."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:rollplane:scenario",
        "title": "A scenario of rollplane rehearse",
        **shape_of(ScenarioReader().fields(), "steps"),
        "anyOf": [{"required": ["before"]}, {"required": ["manifests"]}],
    }


def read_scenario(text: str, source: str) -> Scenario:
    """Return the scenario in a YAML document; raises InvalidError with all that is wrong and where."""
    data, lines = read_lines(text, source)
    if not isinstance(data, dict):
        raise InvalidError(f"{source}: line 1: must be a mapping with steps")
    reader = ScenarioReader()
    scenario = reader.scenario(data, source)
    if reader.causes:
        found = sorted((line_of(each.field, lines), str(each)) for each in reader.causes)
        raise InvalidError("\n".join(f"{source}: line {line}: {told}" for line, told in found))
    return scenario


def profile_of(profile: str | Mapping[str, Any], source: str) -> Profile:
    """Return a shipped profile, or one that is written out; ``source`` names it in errors. Raises InvalidError."""
    return shipped_profile(profile) if isinstance(profile, str) else parse_profile(json.dumps(profile), source)


def steps_of(script: Sequence[Any], draws: Mapping[str, Any], seed: int) -> list[Step]:
    """Return the steps of a script that was read before, with what is drawn for ``seed``."""
    values = drawn(draws, seed)
    return [read_step(filled(step, values)) for step in script]


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
