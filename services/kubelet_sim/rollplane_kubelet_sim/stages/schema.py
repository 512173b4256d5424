"""Profiles as YAML: reading them strictly, with errors that name the field (docs/simulation.md shows the format)."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from rollplane_kubelet_sim.stages.rules import Delay, Outcome, Profile, Rule, Selector, Stage
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.strict_reading import TEXT, Field, Fields, Json, StrictReader, list_of, map_of, shape_of
from rollplane_machinery.yaml_faults import yaml_fault


class ProfileReader(StrictReader):
    """Reads profiles, and the rules within."""

    def profile(self, data: object, path: str = "") -> Profile:
        """Read a profile; what it does not name is as no profile has it."""
        return Profile(**{"name": "unnamed"} | self.mapping(data, path, self.profile_fields()))

    def rule(self, data: object, path: str) -> Rule:
        """Read one rule."""
        read = self.mapping(data, path, self.rule_fields())
        if "stage" not in read:
            self.refuse(f"{path}.stage".lstrip("."), f"is required: one of {', '.join(Stage)}")
            read["stage"] = Stage.PULL
        if "match" in read:
            read["selector"] = read.pop("match")
        return Rule(**read)

    def profile_fields(self) -> Fields:
        return {
            "name": self.a_text(),
            "seed": self.an_integer(),
            "manual": self.a_flag(),
            "probes": self.a_flag(),
            "quiet": self.a_flag(),
            "silent_nodes": self.some_texts(),
            "unready_nodes": self.some_texts(),
            "restarts": Field(self._counts, map_of(self.an_integer().shape)),
            "rules": Field(self._rules, list_of(self.rule_shape())),
        }

    def rule_fields(self) -> Fields:
        return {
            "stage": self.a_word(Stage, Stage.PULL),
            "match": Field(self._selector, shape_of(self._selector_fields())),
            "delay": Field(self._delay, self._delay_shape()),
            "outcome": self.a_word(Outcome, Outcome.SUCCEED),
            "chance": self.a_number(high=1.0),
            "limit": self.an_integer(),
            "exit_code": self.an_integer(high=255),
            "reason": self.a_text(),
            "message": self.a_text(),
        }

    def profile_shape(self) -> Json:
        """Return the shape of a profile."""
        return shape_of(self.profile_fields())

    def rule_shape(self) -> Json:
        """Return the shape of a rule."""
        return shape_of(self.rule_fields(), "stage")

    def _selector_fields(self) -> Fields:
        labels = Field(self.labels, map_of(TEXT))
        texts = self.some_texts()
        return {"image": texts, "node": texts, "labels": labels, "annotations": labels, "restart_policy": texts}

    def _selector(self, data: object, path: str) -> Selector:
        return Selector(**self.mapping(data, path, self._selector_fields()))

    def _delay_shape(self) -> Json:
        seconds = self.a_number()
        pairs = [{"min": seconds, "max": seconds}, {"median": seconds, "p95": seconds}]
        return {"anyOf": [seconds.shape, *(shape_of(pair, *pair) for pair in pairs)]}

    def _delay(self, data: object, path: str) -> Delay:
        """Read ``2``, ``{min: 1, max: 3}`` or ``{median: 2, p95: 8}``; seconds."""
        if isinstance(data, int | float):
            seconds = self.number(data, path)
            return Delay(seconds, seconds)
        read = self.mapping(data, path, dict.fromkeys(("min", "max", "median", "p95"), self.a_number()))
        if {"median", "p95"} == read.keys() and 0 < read["median"] <= read["p95"]:
            return Delay(low=read["median"], p95=read["p95"])
        if {"min", "max"} == read.keys() and read["min"] <= read["max"]:
            return Delay(read["min"], read["max"])
        self.refuse(path, "give seconds, {min, max}, or {median, p95} with 0 < median <= p95")
        return Delay()

    def _counts(self, data: object, path: str) -> dict[str, int]:
        if not isinstance(data, Mapping):
            self.refuse(path, "must be a mapping of node patterns to numbers")
            return {}
        return {str(key): self.integer(value, f"{path}.{key}") for key, value in data.items()}

    def _rules(self, data: object, path: str) -> tuple[Rule, ...]:
        if not isinstance(data, list):
            self.refuse(path, "must be a list of rules")
            return ()
        return tuple(self.rule(item, f"{path}[{position}]") for position, item in enumerate(data))


def parse_profile(text: str, source: str = "profile") -> Profile:
    """Return the profile in a YAML document; raises InvalidError naming every field that is wrong."""
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:  # the last two: dates that are none, endless nesting
        raise InvalidError(f"{source}: not YAML: {yaml_fault(exc)}") from exc
    reader = ProfileReader()
    profile = reader.profile(data if data is not None else {})
    reader.raise_for(source)
    return profile
