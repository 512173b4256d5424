"""Profiles as YAML: reading them strictly, with errors that name the field (docs/simulation.md shows the format)."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from rollplane_kubelet_sim.stages.rules import Delay, Outcome, Profile, Rule, Selector, Stage
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.strict_reading import StrictReader
from rollplane_machinery.yaml_faults import yaml_fault


class _Reader(StrictReader):
    """Reads the parts of a profile."""

    def counts(self, data: object, path: str) -> dict[str, int]:
        if not isinstance(data, Mapping):
            self.refuse(path, "must be a mapping of node patterns to numbers")
            return {}
        return {str(key): self.integer(value, f"{path}.{key}") for key, value in data.items()}

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
    reader.raise_for(source)
    return profile
