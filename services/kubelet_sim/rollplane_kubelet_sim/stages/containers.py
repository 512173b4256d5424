"""One container as its kubelet knows it: the states it can be in, and how it changes from one to another.

States and reasons are those of docs/semantics/pod-lifecycle.md section 5; ``steps`` decides which change comes
when. Times
are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from rollplane.core.v1 import Container
from rollplane_kubelet_sim.stages.backoff import backoff_seconds, next_streak
from rollplane_kubelet_sim.stages.chance import Draw
from rollplane_kubelet_sim.stages.rules import NO_DELAY, Profile, Rule, Stage, Subject
from rollplane_machinery.frozen import frozen
from rollplane_machinery.releases import LATEST, PullSentence, StartSentence

SIGNALLED = 143
"""The exit code of a process that SIGTERM ended."""
KILLED = 137
"""The exit code of a process that SIGKILL ended."""


class State(Enum):
    """Where a container is; the value of a waiting one is its reason."""

    CREATING = "ContainerCreating"
    INVALID_IMAGE = "InvalidImageName"
    NEVER_PULL = "ErrImageNeverPull"
    PULL_FAILED = "ErrImagePull"
    PULL_BACKOFF = "ImagePullBackOff"
    CONFIG_FAILED = "CreateContainerConfigError"
    START_FAILED = "CreateContainerError"
    RUNNING = "Running"
    EXITED = "Exited"
    CRASH_BACKOFF = "CrashLoopBackOff"


@dataclass(frozen=True, slots=True)
class Exit:
    """How a container ended."""

    code: int
    reason: str
    started: float
    finished: float
    message: str = ""


@frozen
class Note:
    """An event worth telling: reason and message, and whether it is a warning.

    ``field`` is the part of the pod it is about, and ``at`` when it happened, where that may be before it is told.
    """

    reason: str
    message: str
    warning: bool = False
    field: str = ""
    at: float | None = None

    @property
    def type(self) -> str:
        """The Event's type."""
        return "Warning" if self.warning else "Normal"


class _Drawn(NamedTuple):
    """The rule last drawn for a stage, and the seconds it gives."""

    attempt: int
    rule: Rule | None
    seconds: float


@dataclass(slots=True)
class ContainerLife:
    """A container as the kubelet knows it.

    ``policy`` is the restart policy that holds for it, ``image`` what it was last told to run,
    ``pull_sentence`` and ``start_sentence`` how its pull and its start are told. ``since`` is when the
    present state began, None while its turn has not come. ``reason`` says why it did not start,
    ``cause`` what the last pull or start failed of. ``restarts`` is what
    its status shows; ``streak`` counts exits since the crash back-off was last forgotten, ``pulls`` and
    ``failed_starts`` failures in a row, ``flaps`` how often readiness was lost, last at ``lost_readiness``.
    ``lacking`` says what its environment refers to that is not there. ``pulling_since`` is when the pull under way
    began, ``pulled_at`` when the image was there for a start that is under way; each has been told then.
    ``exit`` is the present termination until the container runs again, ``last_exit`` the one before. While ``held``
    it does not become ready by itself.
    """

    spec: Container
    subject: Subject
    where: str
    policy: str
    image: str
    pull_sentence: PullSentence = LATEST.pull_sentence
    start_sentence: StartSentence = LATEST.start_sentence
    init: bool = False
    state: State = State.CREATING
    since: float | None = None
    ready_since: float | None = None
    started_at: float | None = None
    reason: str = ""
    cause: str = ""
    lacking: str = ""
    restarts: int = 0
    streak: int = 0
    pulls: int = 0
    failed_starts: int = 0
    flaps: int = 0
    lost_readiness: float = 0.0
    pulling_since: float | None = None
    pulled_at: float | None = None
    exit: Exit | None = None
    last_exit: Exit | None = None
    held: bool = False
    notes: list[Note] = field(default_factory=list)
    _drawn: dict[Stage, _Drawn] = field(default_factory=dict)
    _drawn_for: Profile | None = None

    @property
    def once(self) -> bool:
        """Whether it is to run to its end before others begin: an init container that is no sidecar."""
        return self.init and self.policy != "Always"

    @property
    def sidecar(self) -> bool:
        """Whether it is an init container that goes on running."""
        return self.init and self.policy == "Always"

    @property
    def ready(self) -> bool:
        return self.ready_since is not None

    @property
    def started(self) -> bool:
        return self.started_at is not None

    @property
    def running(self) -> bool:
        return self.state is State.RUNNING

    @property
    def has_run(self) -> bool:
        """Whether it runs, or ever ran."""
        return self.running or self.exit is not None or self.last_exit is not None

    @property
    def lets_pass(self) -> bool:
        """Whether the container after this init container may begin."""
        if self.sidecar:
            return self.running and self.started
        return self.state is State.EXITED and self.exit is not None and self.exit.code == 0

    @property
    def passed_at(self) -> float | None:
        """Since when the container after this init container may run, None while it may not."""
        if not self.lets_pass:
            return None
        return self.started_at if self.sidecar else self.since

    @property
    def restarts_again(self) -> bool:
        """Whether its restart policy brings it back after the exit it has had."""
        if self.exit is None:
            return False
        return self.policy == "Always" or (self.policy == "OnFailure" and self.exit.code != 0)

    @property
    def over(self) -> bool:
        """Whether it has ended for good."""
        return self.state is State.EXITED and not self.restarts_again

    @property
    def remembers(self) -> bool:
        """Whether it knows anything that its stored status does not tell."""
        return bool(self.flaps or self.pulls or self.failed_starts)

    def draw(self, seed: int, attempt: int) -> Draw:
        return Draw(seed, f"{self.where}/{self.spec.name}", attempt)

    def rule(self, stage: Stage, profile: Profile, attempt: int) -> tuple[Rule | None, float]:
        """Return the rule that shapes a step and the seconds it takes."""
        if stage is not Stage.PULL and profile.is_silent_about(stage):
            return None, 0.0
        if profile is not self._drawn_for:
            self._drawn_for = profile
            self._drawn.clear()
        drawn = self._drawn.get(stage)
        if drawn is None or drawn.attempt != attempt:
            drawn = self._drawn[stage] = self._draw_rule(stage, profile, attempt)
        return drawn.rule, drawn.seconds

    def _draw_rule(self, stage: Stage, profile: Profile, attempt: int) -> _Drawn:
        draw = self.draw(profile.seed, attempt)
        rule = profile.rule_for(stage, self.subject, draw)
        delay = rule.delay if rule else NO_DELAY
        return _Drawn(attempt, rule, delay.seconds(draw, stage))

    def take_spec(self, spec: Container, subject: Subject, *, held: bool) -> None:
        """Live by what the pod says now."""
        self.spec, self.subject, self.held = spec, subject, held
        self._drawn.clear()

    def take_lacking(self, lacking: str, now: float) -> None:
        """Live by what its environment lacks now; what could not be made is tried again when that has changed."""
        if lacking != self.lacking and self.state is State.CONFIG_FAILED:
            self.since = now
        self.lacking = lacking

    @property
    def field(self) -> str:
        """Where in the pod it stands, as Events refer to it."""
        return f"spec.{'initContainers' if self.init else 'containers'}{{{self.spec.name}}}"

    def note(self, reason: str, message: str, *, warning: bool = False, at: float | None = None) -> None:
        self.notes.append(Note(reason, message, warning, self.field, at))

    # Changes, each as of ``now``.

    def _begin(self, state: State, now: float) -> None:
        """Be in ``state`` from now on: whatever was under way is over."""
        self.state, self.since, self.pulling_since, self.pulled_at = state, now, None, None

    def wait(self, state: State, now: float) -> None:
        """Wait, for the reason that ``state`` is."""
        self._begin(state, now)

    def run(self, now: float) -> None:
        """Start; after an exit that is a restart."""
        if self.exit is not None:
            self.last_exit, self.exit = self.exit, None
            self.restarts += 1
        self._begin(State.RUNNING, now)
        self.pulls = self.failed_starts = 0
        self.ready_since = self.started_at = None

    def end(self, now: float, code: int = 1, reason: str = "", message: str = "") -> None:
        """Exit with ``code``; what follows is its restart policy's business."""
        why = reason or ("Completed" if code == 0 else "Error")
        began = now if self.since is None else self.since
        self.exit = Exit(code, why, began, now, message)
        self.streak = next_streak(self.streak, now - began)
        self.state, self.since, self.ready_since, self.started_at = State.EXITED, now, None, None

    def back_off(self) -> None:
        """Wait out the crash back-off, which counts from the exit."""
        self.note("BackOff", f"Back-off restarting failed container {self.spec.name}", warning=True)
        self.state = State.CRASH_BACKOFF

    @property
    def backoff(self) -> float:
        """Seconds from the present exit to the restart: none after the first exit in a row."""
        return backoff_seconds(self.streak - 1)

    def take_image(self, now: float) -> None:
        """Run what the spec says now: end what runs, and begin anew with nothing held against the new image."""
        self.image = self.spec.image
        self.pulls = self.failed_starts = self.streak = 0
        if self.over:
            return
        if self.running:
            self.note("Killing", f"Container {self.spec.name} definition changed, will be restarted")
            self.end(now, SIGNALLED)
            self.streak = 0
        if self.since is not None:
            self.wait(State.CREATING, now)
