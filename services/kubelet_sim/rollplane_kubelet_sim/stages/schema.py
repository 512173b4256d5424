"""Profiles as YAML: reading them strictly, with errors that name the field (docs/simulation.md shows the format)."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

import yaml

from rollplane_kubelet_sim.stages.rules import Delay, Outcome, Profile, Rule, Selector, Stage
from rollplane_machinery.errors import Cause, CauseReason, InvalidError
from rollplane_machinery.yaml_faults import yaml_fault

E = TypeVar("E", bound=StrEnum)

MOST_SECONDS = 1e9
MOST = 2**53


class _Reader:
    """Collects every problem of a document, so that all are told at once."""

    def __init__(self) -> None:
        self.causes: list[Cause] = []

    def refuse(self, path: str, message: str) -> None:
        self.causes.append(Cause(CauseReason.INVALID, path, message))

    def mapping(self, data: object, path: str, fields: Mapping[str, Callable[[Any, str], Any]]) -> dict[str, Any]:
        """Return the fields of ``data``, each read by its reader; unknown ones are refused."""
        if not isinstance(data, Mapping):
            self.refuse(path, f"must be a mapping, is {type(data).__name__}")
            return {}
        for key in data:
            if key not in fields:
                known = ", ".join(fields)
                self.causes.append(
                    Cause(CauseReason.UNKNOWN_FIELD, f"{path}.{key}".lstrip("."), f"unknown field; known are {known}")
                )
        return {
            key: read(data[key], f"{path}.{key}".lstrip("."))
            for key, read in fields.items()
            if data.get(key) is not None
        }

    def number(self, data: object, path: str, *, high: float = MOST_SECONDS) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float) or not 0 <= data <= high:
            self.refuse(path, f"must be a number from 0 to {high:g}; is {reprlib.repr(data)}")
            return 0.0
        return float(data)

    def integer(self, data: object, path: str, *, high: int = MOST) -> int:
        if isinstance(data, bool) or not isinstance(data, int) or not 0 <= data <= high:
            self.refuse(path, f"must be a whole number from 0 to {high}; is {reprlib.repr(data)}")
            return 0
        return data

    def text(self, data: object, path: str) -> str:
        if not isinstance(data, str):
            self.refuse(path, f"must be text, is {reprlib.repr(data)}")
            return ""
        return data

    def flag(self, data: object, path: str) -> bool:
        if not isinstance(data, bool):
            self.refuse(path, f"must be true or false, is {reprlib.repr(data)}")
        return data is True

    def texts(self, data: object, path: str) -> tuple[str, ...]:
        """Read one text or a list of them."""
        items = data if isinstance(data, list) else [data]
        return tuple(self.text(item, path) for item in items)

    def labels(self, data: object, path: str) -> dict[str, str]:
        if not isinstance(data, Mapping):
            self.refuse(path, "must be a mapping of text to text")
            return {}
        return {str(key): self.text(value, f"{path}.{key}") for key, value in data.items()}

    def counts(self, data: object, path: str) -> dict[str, int]:
        if not isinstance(data, Mapping):
            self.refuse(path, "must be a mapping of node patterns to numbers")
            return {}
        return {str(key): self.integer(value, f"{path}.{key}") for key, value in data.items()}

    def word(self, data: object, path: str, words: type[E], default: E) -> E:
        try:
            return words(str(data))
        except ValueError:
            self.refuse(path, f"must be one of {', '.join(words)}; is {reprlib.repr(data)}")
            return default

    def delay(self, data: object, path: str) -> Delay:
        """Read ``2``, ``{min: 1, max: 3}`` or ``{median: 2, p95: 8}``; seconds."""
        if isinstance(data, int | float):
            seconds = self.number(data, path)
            return Delay(seconds, seconds)
        number = self.number
        read = self.mapping(data, path, {"min": number, "max": number, "median": number, "p95": number})
        if {"median", "p95"} == read.keys() and 0 < read["median"] <= read["p95"]:
            return Delay(low=read["median"], p95=read["p95"])
        if {"min", "max"} == read.keys() and read["min"] <= read["max"]:
            return Delay(read["min"], read["max"])
        self.refuse(path, "give seconds, {min, max}, or {median, p95} with 0 < median <= p95")
        return Delay()

    def selector(self, data: object, path: str) -> Selector:
        fields = {
            "image": self.texts,
            "node": self.texts,
            "labels": self.labels,
            "annotations": self.labels,
            "restart_policy": self.texts,
        }
        return Selector(**self.mapping(data, path, fields))

    def rule(self, data: object, path: str) -> Rule:
        read = self.mapping(
            data,
            path,
            {
                "stage": lambda value, at: self.word(value, at, Stage, Stage.PULL),
                "match": self.selector,
                "delay": self.delay,
                "outcome": lambda value, at: self.word(value, at, Outcome, Outcome.SUCCEED),
                "chance": lambda value, at: self.number(value, at, high=1.0),
                "limit": self.integer,
                "exit_code": lambda value, at: self.integer(value, at, high=255),
                "reason": self.text,
                "message": self.text,
            },
        )
        if "stage" not in read:
            self.refuse(f"{path}.stage", f"is required: one of {', '.join(Stage)}")
            read["stage"] = Stage.PULL
        if "match" in read:
            read["selector"] = read.pop("match")
        return Rule(**read)

    def rules(self, data: object, path: str) -> tuple[Rule, ...]:
        if not isinstance(data, list):
            self.refuse(path, "must be a list of rules")
            return ()
        return tuple(self.rule(item, f"{path}[{position}]") for position, item in enumerate(data))

    def profile(self, data: object) -> Profile:
        read = self.mapping(
            data,
            "",
            {
                "name": self.text,
                "seed": self.integer,
                "manual": self.flag,
                "probes": self.flag,
                "quiet": self.flag,
                "silent_nodes": self.texts,
                "unready_nodes": self.texts,
                "restarts": self.counts,
                "rules": self.rules,
            },
        )
        return Profile(**{"name": "unnamed"} | read)


def parse_profile(text: str, source: str = "profile") -> Profile:
    """Return the profile in a YAML document; raises InvalidError naming every field that is wrong."""
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:  # the last two: dates that are none, endless nesting
        raise InvalidError(f"{source}: not YAML: {yaml_fault(exc)}") from exc
    reader = _Reader()
    profile = reader.profile(data if data is not None else {})
    if reader.causes:
        details = "; ".join(str(cause) for cause in reader.causes)
        raise InvalidError(f"{source}: {details}", causes=reader.causes)
    return profile
