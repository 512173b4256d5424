"""Scenario files: YAML, read strictly; every error names the line and the field (docs/load.md shows the format)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from rollplane.core.v1 import PodSpec
from rollplane_load.scenario.model import (
    BATCHES,
    KILLS,
    KINDS,
    LASTING,
    OF_NODES,
    PATIENCE_SECONDS,
    SUITS,
    Action,
    Batch,
    Curve,
    Fault,
    Mix,
    Phase,
    PlannedFault,
    Rest,
    Scenario,
    Workloads,
)
from rollplane_load.scenario.words import PART, RATE, part_of, rate_of
from rollplane_machinery.codec import message_from_json
from rollplane_machinery.errors import BadRequestError, InvalidError
from rollplane_machinery.kinds import DAEMON_SET, DEPLOYMENT, Kind
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
    shape_of,
)
from rollplane_machinery.yaml_lines import line_of, read_lines

T = TypeVar("T")
MOST_NODES = 16_000
HEADS = (*(str(action) for action in BATCHES), "mix", "rest")
"""The word that a phase is known by."""
ALL = "all"
MOST_FACTOR = 1e6


def read_scenario(text: str, source: str) -> Scenario:
    """Return the scenario in a YAML document; raises InvalidError with all that is wrong, and where."""
    data, lines = read_lines(text, source)
    reader = _Reader()
    scenario = reader.scenario(data, source)
    if scenario is None:
        told = (
            f"{source}: line {line_of(each.field, lines)}: {each.field or 'the document'}: {each.message}"
            for each in reader.causes
        )
        raise InvalidError("\n".join(told), causes=reader.causes)
    return scenario


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of scenario files: what it refuses ``read_scenario`` refuses, too."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:rollplane:load",
        "title": "A scenario of rollplane load",
        **shape_of(_Reader().fields(), "workloads", "phases"),
    }


class _Reader(StrictReader):
    """Reads the parts of a scenario."""

    def scenario(self, data: object, source: str) -> Scenario | None:
        read = self.mapping(data, "", self.fields())
        for name in ("workloads", "phases"):
            if not read.get(name) and not self.causes:
                self.refuse(name, "is required: a list of at least one")
        if self.causes:
            return None
        compress = read.pop("compress", 1.0)
        scenario = Scenario(**{"name": source, "patience": PATIENCE_SECONDS, **read})
        self._check(scenario)
        if self.causes:
            return None
        return scenario.compressed(compress) if compress != 1 else scenario

    def fields(self) -> Fields:
        return {
            "name": self.a_text(),
            "about": self.a_text(),
            "seed": self.an_integer(),
            "nodes": self.an_integer(high=MOST_NODES),
            "profile": self.a_text(),
            "images": Field(self.images, {**list_of(TEXT, 3), "uniqueItems": True}),
            "pod": Field(self.pod, {"type": "object"}),
            "patience": self.a_span(),
            "compress": Field(self.factor, {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_FACTOR}),
            "workloads": self.many(self.workload, self._workload_fields(), "workloads"),
            "phases": Field(self.phases, {**list_of({"oneOf": [*self._phase_shapes()]}, 1)}),
        }

    def _check(self, scenario: Scenario) -> None:
        first = scenario.phases[0]
        if not isinstance(first, Batch) or first.action is not Action.CREATE:
            self.refuse("phases[0]", "must be create: all, since there is nothing before it")
        for position, phase in enumerate(scenario.phases):
            if position and isinstance(phase, Batch) and phase.action is Action.CREATE:
                self.refuse(f"phases[{position}].create", "everything is there already; a mix can create more")
            for action in _actions(phase):
                if not scenario.kinds & SUITS[action]:
                    head = f"mix.{action}" if isinstance(phase, Mix) else action
                    self.refuse(f"phases[{position}].{head}", f"suits none of the workloads; {_suited(action)}")

    # Values.

    def a_span(self) -> Field:
        return Field(
            partial(self.value, read=seconds_of, default=0.0, otherwise="must be a duration, such as 90s"), DURATION
        )

    def a_part(self) -> Field:
        return Field(partial(self.value, read=part_of, default=0.0, otherwise="must be a part, such as 30%"), PART)

    def many(self, read: Callable[[object, str], Any], fields: Fields, what: str) -> Field:
        return Field(partial(self.items, read=read, what=what), list_of(shape_of(fields), 1))

    def value(self, data: object, path: str, *, read: Callable[[object], T], default: T, otherwise: str) -> T:
        try:
            return read(data)
        except ValueError:
            self.refuse(path, f"{otherwise}; is {data!r}")
            return default

    def factor(self, data: object, path: str) -> float:
        value = self.number(data, path, high=MOST_FACTOR)
        if not self.causes and value <= 0:
            self.refuse(path, "must be above 0: how many times as fast")
        return value or 1.0

    def images(self, data: object, path: str) -> tuple[str, ...]:
        images = self.texts(data, path)
        if len(images) < 3 or len(set(images)) != len(images):
            self.refuse(path, "must be at least three images, all different: a rollover needs so many")
        return images

    def pod(self, data: object, path: str) -> PodSpec:
        if not isinstance(data, dict):
            self.refuse(path, "must be a mapping: what a pod's spec has besides its container")
            return PodSpec()
        try:
            return message_from_json(PodSpec, data, path)
        except BadRequestError as exc:
            self.causes += exc.causes
            return PodSpec()

    def items(self, data: object, path: str, *, read: Callable[[object, str], T], what: str) -> tuple[T, ...]:
        if not isinstance(data, list) or not data:
            self.refuse(path, f"must be a list of {what}, at least one")
            return ()
        return tuple(read(item, f"{path}[{position}]") for position, item in enumerate(data))

    # Workloads.

    def _workload_fields(self) -> Fields:
        return {
            "kind": Field(self.kind, one_of([*KINDS])),
            "count": self.an_integer(low=1),
            "replicas": self.an_integer(low=1),
        }

    def workload(self, data: object, path: str) -> Workloads:
        read = self.mapping(data, path, self._workload_fields())
        if read.get("kind") is DAEMON_SET and "replicas" in read:
            self.refuse(f"{path}.replicas", "a DaemonSet has a pod a node")
        return Workloads(**read)

    def kind(self, data: object, path: str) -> Kind:
        if (kind := KINDS.get(str(data))) is None:
            self.refuse(path, f"must be one of {', '.join(KINDS)}; is {data!r}")
        return kind or DEPLOYMENT

    # Phases.

    def phases(self, data: object, path: str) -> tuple[Phase, ...]:
        return self.items(data, path, read=self.phase, what="phases")

    def _phase_shapes(self) -> Iterator[Json]:
        for action in BATCHES:
            yield shape_of(self._batch_fields(action), str(action))
        yield shape_of(self._mix_fields(), "mix")
        yield shape_of(self._rest_fields(), "rest")

    def phase(self, data: object, path: str) -> Phase:
        heads = [head for head in HEADS if isinstance(data, Mapping) and head in data]
        if len(heads) != 1:
            self.refuse(path, f"must have exactly one of {', '.join(HEADS)}")
            return Rest(0.0)
        (head,) = heads
        if head == "mix":
            return self.mix(data, path)
        if head == "rest":
            return Rest(self.mapping(data, path, self._rest_fields()).get("rest", 0.0))
        read = self.mapping(data, path, self._batch_fields(Action(head)))
        return Batch(Action(head), read.get("overlap", 0.3))

    def _batch_fields(self, action: Action) -> Fields:
        overlap = {"overlap": self.a_part()} if action is Action.ROLLOVER else {}
        return {str(action): Field(self.all, {"const": ALL}), **overlap}

    def _rest_fields(self) -> Fields:
        return {"rest": self.a_span()}

    def all(self, data: object, path: str) -> None:
        if data != ALL:
            self.refuse(path, "must be all: a batch is done to every workload; a mix draws some")

    def _mix_fields(self) -> Fields:
        weights = {str(action): self.a_number() for action in Action}
        return {
            "mix": Field(partial(self.weights, fields=weights), {**shape_of(weights), "minProperties": 1}),
            "for": self.a_span(),
            "actions": self.an_integer(low=1),
            "concurrency": self.an_integer(low=1),
            "rate": Field(self.rate, {"anyOf": [RATE, {**map_of(RATE), "minProperties": 1}]}),
            "ramp": self.a_span(),
            "warm up": self.a_span(),
            "overlap": self.a_part(),
            "faults": Field(
                partial(self.items, read=self.fault, what="faults"), list_of({"oneOf": [*self._fault_shapes()]}, 1)
            ),
        }

    def mix(self, data: object, path: str) -> Mix:
        read = self.mapping(data, path, self._mix_fields())
        mix = Mix(read.pop("mix", {}), **_renamed(read, **{"for": "seconds", "warm up": "warm_up"}))
        self._check_mix(mix, path)
        return mix

    def _check_mix(self, mix: Mix, path: str) -> None:
        if bool(mix.concurrency) == bool(mix.rate):
            self.refuse(path, "must have either concurrency (a closed loop) or rate")
        if mix.rate and not mix.seconds:
            self.refuse(path, "must say how long: for, since it has a rate")
        elif not mix.seconds and not mix.actions:
            self.refuse(path, "must say how long: for, or actions")
        if mix.ramp and len(mix.rate) > 1:
            self.refuse(f"{path}.ramp", "goes with a rate that stays the same; a curve has its own ramp")

    def weights(self, data: object, path: str, *, fields: Fields) -> Mapping[Action, float]:
        read = self.mapping(data, path, fields)
        weights = {Action(name): weight for name, weight in read.items() if weight}
        if not weights:
            self.refuse(path, f"must give at least one of {', '.join(Action)} a weight above 0")
        return weights

    def rate(self, data: object, path: str) -> Curve:
        if not isinstance(data, Mapping):
            return ((0.0, self._rate(data, path)),)
        span = self.a_span().read
        points = [(span(at, f"{path}.{at}"), self._rate(rate, f"{path}.{at}")) for at, rate in data.items()]
        if not points or [at for at, _ in points] != sorted({at for at, _ in points}):
            self.refuse(path, "must be a rate, or rates by times that grow: {0s: 1/s, 10s: 5/s}")
            return ((0.0, 0.0),)
        return tuple(points)

    def _rate(self, data: object, path: str) -> float:
        return self.value(data, path, read=rate_of, default=0.0, otherwise="must be a rate, such as 2/s or 100/h")

    # Faults.

    def _fault_shapes(self) -> Iterator[Json]:
        for fault in Fault:
            yield shape_of(self._fault_fields(fault), str(fault), *(("for",) if fault in LASTING else ()))

    def _fault_fields(self, fault: Fault) -> Fields:
        lasting = {"for": self.a_span()} if fault in LASTING else {}
        return {str(fault): self._value_of(fault), "at": self.a_span(), "every": self.a_span(), **lasting}

    def fault(self, data: object, path: str) -> PlannedFault:
        heads = [fault for fault in Fault if isinstance(data, Mapping) and fault in data]
        if len(heads) != 1:
            self.refuse(path, f"must have exactly one of {', '.join(Fault)}")
            return PlannedFault(Fault.DELETE_PODS)
        (fault,) = heads
        read = _renamed(self.mapping(data, path, self._fault_fields(fault)), **{"for": "seconds"})
        if fault in LASTING and "seconds" not in read:
            self.refuse(path, "must say for how long: for")
        value = read.pop(str(fault), None)
        planned = PlannedFault(fault, **read)
        if fault in KILLS or value is None:
            return planned
        return replace(planned, **{"node" if fault in OF_NODES else "pods": value})

    def _value_of(self, fault: Fault) -> Field:
        if fault in KILLS:
            return Field(self.yes, {"const": True})
        return self.a_text() if fault in OF_NODES else self.an_integer(low=1)

    def yes(self, data: object, path: str) -> None:
        if data is not True:
            self.refuse(path, "must be true")


def _renamed(read: Mapping[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in read.items()}


def _actions(phase: Phase) -> list[Action]:
    if isinstance(phase, Batch):
        return [phase.action]
    return list(phase.weights) if isinstance(phase, Mix) else []


def _suited(action: Action) -> str:
    return f"it is for {', '.join(name for name, kind in KINDS.items() if kind in SUITS[action])}"
