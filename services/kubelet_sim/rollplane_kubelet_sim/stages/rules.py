"""What a simulation profile can say: which pods, how long, and what comes of it.

A profile is a list of rules. For each step of a container's life the first rule counts whose stage is that step and
whose selector matches; without one the step takes no time and succeeds (but for images missing by their name).
"""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from rollplane_kubelet_sim.stages.chance import Draw
from rollplane_kubelet_sim.stages.images import is_missing_by_name
from rollplane_machinery.frozen import frozen

_Z95 = 1.6448536269514722


class Stage(StrEnum):
    """The steps of a container's life that a rule can shape."""

    PULL = "pull"
    """From bound to image present; ``outcome: fail`` makes the pull fail."""
    START = "start"
    """From image present to running; ``outcome: fail`` keeps the container from starting, with the rule's reason."""
    STARTUP = "startup"
    """From running to passing the startup probe, where there is one; ``outcome: fail`` never passes it."""
    READY = "ready"
    """From running to ready; ``outcome: never`` leaves it unready. For an init container: from running to done."""
    UNREADY = "unready"
    """From ready to not ready, as when readiness probes begin to fail."""
    LIVENESS = "liveness"
    """From started to failing the liveness probe, where there is one: the container is killed and restarted."""
    CRASH = "crash"
    """From running to exited, with ``exit_code``; 0 is an orderly end."""
    TERMINATE = "terminate"
    """From the deletion mark to gone; never longer than the grace period."""


class Outcome(StrEnum):
    """How a step ends."""

    SUCCEED = "succeed"
    FAIL = "fail"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Delay:
    """A span of seconds: ``low`` to ``high`` evenly, or, with ``p95``, log-normal around the median ``low``."""

    low: float = 0.0
    high: float = 0.0
    p95: float | None = None

    def seconds(self, draw: Draw, purpose: str) -> float:
        """Return the span drawn."""
        if self.p95 is not None:
            sigma = math.log(self.p95 / self.low) / _Z95
            return self.low * math.exp(sigma * draw.normal(purpose))
        return self.low + (self.high - self.low) * draw.unit(purpose)


NO_DELAY = Delay()


@frozen
class Subject:
    """What a selector looks at: one container of one pod. Labels and annotations are the pod's own, not copies.

    ``restart_policy`` is the one that holds for the container: that of a sidecar is Always, whatever its pod's.
    """

    image: str
    node: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    restart_policy: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Shell patterns for image, node, restart policy and the values of labels and annotations, which must be there.

    What is empty does not narrow.
    """

    image: tuple[str, ...] = ()
    node: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    restart_policy: tuple[str, ...] = ()

    def matches(self, subject: Subject) -> bool:
        """Tell whether everything asked for holds."""
        return (
            (not self.restart_policy or _matches_any(self.restart_policy, subject.restart_policy))
            and (not self.image or _matches_any(self.image, subject.image))
            and (not self.node or _matches_any(self.node, subject.node))
            and _match_all(self.labels, subject.labels)
            and _match_all(self.annotations, subject.annotations)
        )


def _match_all(patterns: Mapping[str, str], values: Mapping[str, str]) -> bool:
    return all(name in values and _matches(pattern, values[name]) for name, pattern in patterns.items())


def _matches(pattern: str, text: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a profile. ``chance`` is the part of the draws it applies to, ``limit`` the number of attempts."""

    stage: Stage
    selector: Selector = Selector()
    delay: Delay = NO_DELAY
    outcome: Outcome = Outcome.SUCCEED
    chance: float = 1.0
    limit: int | None = None
    exit_code: int | None = None
    reason: str = ""
    message: str = ""


MISSING_IMAGE = Rule(Stage.PULL, outcome=Outcome.FAIL)
"""Holds in every profile for images that are missing by their name, unless one of its rules names the image."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of rules.

    ``manual`` pods take no step by themselves. With ``probes`` the delays and periods that probes ask for are waited
    out. A ``quiet`` one tells warnings only. ``silent_nodes`` are patterns of nodes that are dead to the world,
    ``unready_nodes`` of those that report themselves not ready. ``restarts`` counts, by node pattern, how often the
    kubelets there have been restarted: a higher number is a restart.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    seed: int = 0
    manual: bool = False
    probes: bool = False
    quiet: bool = False
    silent_nodes: tuple[str, ...] = ()
    unready_nodes: tuple[str, ...] = ()
    restarts: Mapping[str, int] = field(default_factory=dict)
    _by_stage: Mapping[Stage, tuple[tuple[int, Rule], ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the rules by stage: most profiles have none for most stages, and every look asks for them all."""
        numbered = tuple(enumerate(self.rules))
        by_stage = {stage: tuple(pair for pair in numbered if pair[1].stage is stage) for stage in Stage}
        object.__setattr__(self, "_by_stage", {stage: rules for stage, rules in by_stage.items() if rules})

    def is_silent_about(self, stage: Stage) -> bool:
        """Tell whether no rule shapes ``stage``, for whatever container."""
        return stage not in self._by_stage

    def rule_for(self, stage: Stage, subject: Subject, draw: Draw) -> Rule | None:
        """Return the rule that shapes this step, None when nothing does."""
        rule = self._first(stage, subject, draw)
        if stage is Stage.PULL and is_missing_by_name(subject.image) and not (rule and rule.selector.image):
            return replace(rule, outcome=Outcome.FAIL) if rule else MISSING_IMAGE
        return rule

    def _first(self, stage: Stage, subject: Subject, draw: Draw) -> Rule | None:
        for position, rule in self._by_stage.get(stage, ()):
            if not rule.selector.matches(subject):
                continue
            if rule.limit is not None and draw.attempt >= rule.limit:
                continue
            if rule.chance >= 1.0 or draw.unit(f"chance/{position}") < rule.chance:
                return rule
        return None

    def is_silent(self, node: str) -> bool:
        """Tell whether the node says nothing any more: no heartbeat, no status."""
        return _matches_any(self.silent_nodes, node)

    def is_unready(self, node: str) -> bool:
        """Tell whether the node's kubelet reports it not ready."""
        return _matches_any(self.unready_nodes, node)

    def restarts_of(self, node: str) -> int:
        """Return how often the node's kubelet has been restarted, by all patterns together."""
        return sum(count for pattern, count in self.restarts.items() if _matches(pattern, node))


def _matches_any(patterns: tuple[str, ...], text: str) -> bool:
    return any(_matches(pattern, text) for pattern in patterns)
