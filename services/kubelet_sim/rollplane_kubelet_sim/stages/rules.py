"""What a simulation profile can say: which pods, how long, and what comes of it.

A profile is a list of rules. For each step of a container's life the first rule counts whose stage is that step and
whose selector matches; without one the step takes no time and succeeds.
"""

from __future__ import annotations

import fnmatch
import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rollplane_kubelet_sim.stages.chance import Draw

_Z95 = 1.6448536269514722


class Stage(StrEnum):
    """The steps of a container's life that a rule can shape."""

    PULL = "pull"
    """From bound to image present; ``outcome: fail`` makes the pull fail."""
    START = "start"
    """From image present to running."""
    READY = "ready"
    """From running to ready; ``outcome: never`` leaves it unready."""
    UNREADY = "unready"
    """From ready to not ready, as when readiness probes begin to fail."""
    CRASH = "crash"
    """From running to exited, with ``exit_code``."""
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


@dataclass(frozen=True, slots=True)
class Subject:
    """What a selector looks at: one container of one pod."""

    image: str
    node: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Selector:
    """Shell patterns for image and node name, equal labels and annotations; what is empty does not narrow."""

    image: tuple[str, ...] = ()
    node: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def matches(self, subject: Subject) -> bool:
        """Tell whether everything asked for holds."""
        return (
            (not self.image or any(_matches(pattern, subject.image) for pattern in self.image))
            and (not self.node or any(_matches(pattern, subject.node) for pattern in self.node))
            and self.labels.items() <= subject.labels.items()
            and self.annotations.items() <= subject.annotations.items()
        )


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


def _matches(pattern: str, text: str) -> bool:
    return _pattern(pattern).match(text) is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a profile. ``chance`` is the part of the draws it applies to, ``limit`` the number of attempts."""

    stage: Stage
    selector: Selector = Selector()
    delay: Delay = NO_DELAY
    outcome: Outcome = Outcome.SUCCEED
    chance: float = 1.0
    limit: int | None = None
    exit_code: int = 1
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of rules.

    ``manual`` pods take no step by themselves. With ``probes`` the delays that readiness and startup probes ask for
    are waited out. A ``quiet`` one tells warnings only. ``silent_nodes`` are patterns of nodes that are dead to the
    world.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    seed: int = 0
    manual: bool = False
    probes: bool = False
    quiet: bool = False
    silent_nodes: tuple[str, ...] = ()

    def rule_for(self, stage: Stage, subject: Subject, draw: Draw) -> Rule | None:
        """Return the rule that shapes this step, None when nothing does."""
        for position, rule in enumerate(self.rules):
            if rule.stage is not stage or not rule.selector.matches(subject):
                continue
            if rule.limit is not None and draw.attempt >= rule.limit:
                continue
            if rule.chance >= 1.0 or draw.unit(f"chance/{position}") < rule.chance:
                return rule
        return None

    def is_silent(self, node: str) -> bool:
        """Tell whether the node says nothing any more: no heartbeat, no status."""
        return any(_matches(pattern, node) for pattern in self.silent_nodes)
