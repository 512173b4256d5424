"""One container's life: which state it is in, what comes next, and when.

States and reasons are those of semantics/pod-lifecycle.md section 5. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from rollplane.core.v1 import Container
from rollplane_kubelet_sim.stages.backoff import FORGET_AFTER_SECONDS, backoff_seconds
from rollplane_kubelet_sim.stages.chance import Draw
from rollplane_kubelet_sim.stages.rules import NO_DELAY, Delay, Outcome, Profile, Rule, Stage, Subject

LOOK_AGAIN_SECONDS = 1.0
"""From a failed pull to the kubelet's next look, which shows the back-off."""


class State(Enum):
    """Where a container is."""

    CREATING = "ContainerCreating"
    PULL_FAILED = "ErrImagePull"
    PULL_BACKOFF = "ImagePullBackOff"
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


@dataclass(frozen=True, slots=True)
class Note:
    """An event worth telling: reason and message, and whether it is a warning."""

    reason: str
    message: str
    warning: bool = False


@dataclass(slots=True)
class ContainerLife:
    """A container as the kubelet knows it.

    ``since`` is when the present state began; while running, when it started. ``pulls`` counts failed pulls in a row,
    ``flaps`` how often readiness was lost, last at ``lost_readiness``. ``last_exit`` is the former termination,
    ``exit`` the present one.
    """

    spec: Container
    subject: Subject
    where: str
    once: bool = False
    state: State = State.CREATING
    since: float = 0.0
    ready_since: float | None = None
    started: bool = False
    restarts: int = 0
    pulls: int = 0
    flaps: int = 0
    lost_readiness: float = 0.0
    exit: Exit | None = None
    last_exit: Exit | None = None
    notes: list[Note] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        return self.ready_since is not None

    def draw(self, seed: int, attempt: int) -> Draw:
        return Draw(seed, f"{self.where}/{self.spec.name}", attempt)

    def rule(self, stage: Stage, profile: Profile, attempt: int) -> tuple[Rule | None, float]:
        """Return the rule that shapes a step and the seconds it takes."""
        draw = self.draw(profile.seed, attempt)
        rule = profile.rule_for(stage, self.subject, draw)
        delay: Delay = rule.delay if rule else NO_DELAY
        return rule, delay.seconds(draw, stage)

    def next_due(self, profile: Profile) -> float | None:
        """Return when the next step is due, None when none will come by itself."""
        return min((due for due, _ in _due_steps(self, profile)), default=None)

    def advance(self, profile: Profile, now: float) -> bool:
        """Take the first step that is due at ``now``, if any; tells whether one was taken."""
        steps = sorted(_due_steps(self, profile), key=lambda step: step[0])
        if not steps or steps[0][0] > now:
            return False
        due, step = steps[0]
        step(self, profile, due)
        return True

    def note(self, reason: str, message: str, *, warning: bool = False) -> None:
        self.notes.append(Note(reason, message, warning))


Step = Callable[[ContainerLife, Profile, float], None]
"""Changes a life in place as of the time given."""


def _due_steps(life: ContainerLife, profile: Profile) -> list[tuple[float, Step]]:
    """Return the steps that may come next, each with its time."""
    match life.state:
        case State.CREATING | State.PULL_BACKOFF:
            return [_pull(life, profile)]
        case State.PULL_FAILED:
            return [(life.since + LOOK_AGAIN_SECONDS, _show_pull_backoff)]
        case State.RUNNING:
            return _while_running(life, profile)
        case State.CRASH_BACKOFF:
            return [(life.since + backoff_seconds(life.restarts), _restart)]
        case State.EXITED:
            return []


def _pull(life: ContainerLife, profile: Profile) -> tuple[float, Step]:
    """The image arrives, or does not; then the container starts."""
    rule, pulling = life.rule(Stage.PULL, profile, life.pulls)
    due = life.since + backoff_seconds(life.pulls) + pulling
    if rule is not None and rule.outcome is not Outcome.SUCCEED:
        return due, _fail_pull
    _, starting = life.rule(Stage.START, profile, life.restarts)
    return due + starting, _start


def _fail_pull(life: ContainerLife, profile: Profile, now: float) -> None:
    rule, _ = life.rule(Stage.PULL, profile, life.pulls)
    why = rule.message if rule and rule.message else "not found"
    life.note("Pulling", f'Pulling image "{life.spec.image}"')
    life.note("Failed", f'Failed to pull image "{life.spec.image}": {why}', warning=True)
    life.note("Failed", "Error: ErrImagePull", warning=True)
    life.state, life.since, life.pulls = State.PULL_FAILED, now, life.pulls + 1


def _show_pull_backoff(life: ContainerLife, _profile: Profile, _now: float) -> None:
    life.note("BackOff", f'Back-off pulling image "{life.spec.image}"')
    life.note("Failed", "Error: ImagePullBackOff", warning=True)
    # ``since`` stays: the back-off counts from the failed pull, not from this look.
    life.state = State.PULL_BACKOFF


def _start(life: ContainerLife, profile: Profile, now: float) -> None:
    life.note("Pulled", f'Container image "{life.spec.image}" already present on machine')
    life.note("Created", f"Created container {life.spec.name}")
    life.note("Started", f"Started container {life.spec.name}")
    life.state, life.since, life.pulls, life.exit = State.RUNNING, now, 0, None
    life.started = not (profile.probes and life.spec.HasField("startup_probe"))


def _while_running(life: ContainerLife, profile: Profile) -> list[tuple[float, Step]]:
    steps: list[tuple[float, Step]] = []
    crash, after = life.rule(Stage.CRASH, profile, life.restarts)
    if crash is not None and crash.outcome is not Outcome.NEVER:
        steps.append((life.since + after, _crash))
    if life.once:
        _, running_for = life.rule(Stage.READY, profile, life.restarts)
        steps.append((life.since + running_for, _complete))
    elif not life.started:
        steps.append((life.since + life.spec.startup_probe.initial_delay_seconds, _startup_succeeded))
    elif life.ready_since is None:
        steps.extend(_becoming_ready(life, profile))
    else:
        losing, after = life.rule(Stage.UNREADY, profile, life.flaps)
        if losing is not None and losing.outcome is not Outcome.NEVER:
            steps.append((life.ready_since + after, _lose_readiness))
    return steps


def _becoming_ready(life: ContainerLife, profile: Profile) -> list[tuple[float, Step]]:
    rule, delay = life.rule(Stage.READY, profile, life.restarts + life.flaps)
    if rule is not None and rule.outcome is not Outcome.SUCCEED:
        return []
    since = max(life.since, life.lost_readiness)
    return [(since + _probe_seconds(life.spec, profile) + delay, _become_ready)]


def _probe_seconds(spec: Container, profile: Profile) -> float:
    """Return the least time a readiness probe takes: its first look, and further successes a period apart."""
    if not profile.probes or not spec.HasField("readiness_probe"):
        return 0.0
    probe = spec.readiness_probe
    return probe.initial_delay_seconds + (max(1, probe.success_threshold) - 1) * float(probe.period_seconds)


def _startup_succeeded(life: ContainerLife, _profile: Profile, _now: float) -> None:
    life.started = True


def _become_ready(life: ContainerLife, _profile: Profile, now: float) -> None:
    life.ready_since = now


def _lose_readiness(life: ContainerLife, _profile: Profile, now: float) -> None:
    life.note("Unhealthy", "Readiness probe failed: the simulation says so", warning=True)
    life.ready_since, life.flaps, life.lost_readiness = None, life.flaps + 1, now


def _complete(life: ContainerLife, _profile: Profile, now: float) -> None:
    life.exit = Exit(0, "Completed", life.since, now)
    life.state, life.ready_since = State.EXITED, None


def _crash(life: ContainerLife, profile: Profile, now: float) -> None:
    rule, _ = life.rule(Stage.CRASH, profile, life.restarts)
    code = rule.exit_code if rule else 1
    crash(life, now, code, rule.reason if rule else "", rule.message if rule else "")


def crash(life: ContainerLife, now: float, code: int = 1, reason: str = "", message: str = "") -> None:
    """End a running container with ``code``; what follows is its pod's restart policy's business."""
    why = reason or ("Completed" if code == 0 else "OOMKilled" if code == 137 else "Error")
    life.exit = Exit(code, why, life.since, now, message)
    life.state, life.since, life.ready_since, life.started = State.EXITED, now, None, False


def restart(life: ContainerLife, profile: Profile) -> None:
    """Restart an exited container: at once the first time or after a long run, else after the crash back-off."""
    if life.exit is None:
        return
    ran_long = life.exit.finished - life.exit.started >= FORGET_AFTER_SECONDS
    if life.restarts == 0 or ran_long:
        _restart(life, profile, life.exit.finished)
        return
    life.note("BackOff", "Back-off restarting failed container", warning=True)
    life.state = State.CRASH_BACKOFF


def _restart(life: ContainerLife, profile: Profile, now: float) -> None:
    life.last_exit, life.restarts = life.exit, life.restarts + 1
    _start(life, profile, now)
