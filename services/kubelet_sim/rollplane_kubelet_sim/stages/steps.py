"""Which steps a container may take next, and when each is due."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rollplane.core.v1 import Probe
from rollplane_kubelet_sim.stages.backoff import backoff_seconds
from rollplane_kubelet_sim.stages.containers import SIGNALLED, ContainerLife, State
from rollplane_kubelet_sim.stages.images import is_reference
from rollplane_kubelet_sim.stages.probes import failure_seconds, period_seconds, success_seconds
from rollplane_kubelet_sim.stages.rules import Outcome, Profile, Rule, Stage
from rollplane_machinery.codec.time_text import format_duration

LOOK_AGAIN_SECONDS = 1.0
"""From a failed pull or an exit to the kubelet's next look, which restarts the container or shows the back-off."""
LEAST_SECONDS = 1.0
"""The least time anything good lasts once there: without it, a rule without delay would turn in circles."""

Step = Callable[[float], None]
"""Changes a life in place as of the time given."""


def next_step(life: ContainerLife, profile: Profile) -> tuple[float, Step] | None:
    """Return the step that comes next, and when it is due; None when none will come by itself."""
    return min(_steps(life, profile), key=lambda one: one[0], default=None)


def _steps(life: ContainerLife, profile: Profile) -> list[tuple[float, Step]]:
    """Return the steps that may come next, each with its time."""
    if life.since is None:
        return []
    match life.state:
        case State.CREATING | State.PULL_BACKOFF | State.NEVER_PULL:
            return [_pull(life, life.since, profile)]
        case State.PULL_FAILED:
            return [(life.since + LOOK_AGAIN_SECONDS, partial(_show_pull_backoff, life))]
        case State.CONFIG_FAILED if life.lacking and life.lacking == life.cause:
            return []
        case State.CONFIG_FAILED:
            return [_start(life, life.since, profile)]
        case State.START_FAILED:
            return [_start(life, life.since + backoff_seconds(life.failed_starts), profile)]
        case State.RUNNING:
            return _while_running(life, life.since, profile)
        case State.EXITED if life.restarts_again:
            return [(life.since + LOOK_AGAIN_SECONDS, partial(_restart, life, profile))]
        case State.CRASH_BACKOFF:
            return [(life.since + life.backoff, partial(_run_again, life, profile))]
        case _:
            return []


# Pulling and starting.


def _pull(life: ContainerLife, since: float, profile: Profile) -> tuple[float, Step]:
    """The image arrives, or does not; then the container starts."""
    if life.pulled_at is not None:
        return _start(life, since, profile)
    if not is_reference(life.image):
        return since, partial(_refuse_image, life)
    rule, pulling = life.rule(Stage.PULL, profile, life.pulls)
    begins = since + backoff_seconds(life.pulls)
    failing = rule is not None and rule.outcome is not Outcome.SUCCEED
    if life.spec.image_pull_policy == "Never":
        return (begins, partial(_miss_image, life)) if failing else _start(life, begins, profile)
    if pulling > 0 and life.pulling_since is None:
        return begins, partial(_begin_pull, life)
    ends = (begins if life.pulling_since is None else life.pulling_since) + pulling
    if failing and rule is not None:
        return ends, partial(_fail_pull, life, rule.message)
    return _start(life, ends, profile) if life.pulling_since is None else (ends, partial(_end_pull, life))


def _begin_pull(life: ContainerLife, now: float) -> None:
    """Tell of a pull that takes time; one that a restarted kubelet takes up again began with the container's turn."""
    life.pulling_since = life.since if life.state is State.CREATING and life.since is not None else now
    _note_pulling(life, life.pulling_since)


def _end_pull(life: ContainerLife, now: float) -> None:
    _note_pulled(life, now)
    life.pulled_at = now


def _note_pulling(life: ContainerLife, at: float) -> None:
    life.note("Pulling", f'Pulling image "{life.image}"', at=at)


def _refuse_image(life: ContainerLife, now: float) -> None:
    life.note("InspectFailed", f'Failed to apply default image tag "{life.image}": no image name', warning=True)
    life.note("Failed", "Error: InvalidImageName", warning=True)
    life.wait(State.INVALID_IMAGE, now)


def _miss_image(life: ContainerLife, now: float) -> None:
    if life.state is not State.NEVER_PULL:
        life.note("ErrImageNeverPull", f'Container image "{life.image}" is not present, policy Never', warning=True)
        life.note("Failed", "Error: ErrImageNeverPull", warning=True)
    life.pulls += 1
    life.wait(State.NEVER_PULL, now)


def _fail_pull(life: ContainerLife, message: str, now: float) -> None:
    if life.pulling_since is None:
        _note_pulling(life, now)
    life.cause = message or "not found"
    life.note("Failed", f'Failed to pull image "{life.image}": {life.cause}', warning=True)
    life.note("Failed", "Error: ErrImagePull", warning=True)
    life.pulls += 1
    life.wait(State.PULL_FAILED, now)


def _show_pull_backoff(life: ContainerLife, _now: float) -> None:
    life.note("BackOff", f'Back-off pulling image "{life.image}"')
    life.note("Failed", "Error: ImagePullBackOff", warning=True)
    # ``since`` stays: the back-off counts from the failed pull, not from this look.
    life.state = State.PULL_BACKOFF


def _start(life: ContainerLife, since: float, profile: Profile) -> tuple[float, Step]:
    """Start it once its image is there, which it is from ``since`` on where no pull has told it."""
    there = since if life.pulled_at is None else life.pulled_at
    if life.lacking:
        return there, partial(_fail_config, life)
    rule, starting = life.rule(Stage.START, profile, life.restarts + life.failed_starts)
    if starting > 0 and life.pulled_at is None:
        return there, partial(_end_pull, life)
    if rule is not None and rule.outcome is not Outcome.SUCCEED:
        return there + starting, partial(_fail_start, life, rule)
    return there + starting, partial(_run, life, profile)


def _fail_config(life: ContainerLife, now: float) -> None:
    """The environment cannot be made; it is tried again when what it refers to has changed."""
    _note_pulled(life, now)
    life.cause = life.lacking
    life.note("Failed", f"Error: {life.cause}", warning=True)
    life.wait(State.CONFIG_FAILED, now)


def _fail_start(life: ContainerLife, rule: Rule, now: float) -> None:
    _note_pulled(life, now)
    life.reason, life.cause = rule.reason or State.START_FAILED.value, rule.message
    life.note("Failed", f"Error: {life.cause or life.reason}", warning=True)
    life.failed_starts += 1
    life.wait(State.START_FAILED, now)


def _note_pulled(life: ContainerLife, at: float) -> None:
    """Tell, unless that was told, that the image is there: after a pull, or one that took no time, or from before."""
    if life.pulled_at is not None:
        return
    if life.pulling_since is None and life.spec.image_pull_policy != "Always":
        life.note("Pulled", f'Container image "{life.image}" already present on machine', at=at)
        return
    if life.pulling_since is None:
        _note_pulling(life, at)
    spent = format_duration(round((at - (life.pulling_since or at)) * 1e3) * 10**6)
    life.note("Pulled", life.pull_sentence.value.format(image=life.image, spent=spent), at=at)


def _run(life: ContainerLife, profile: Profile, now: float) -> None:
    _note_pulled(life, now)
    for reason, sentence in zip(("Created", "Started"), life.start_sentence.value, strict=True):
        life.note(reason, sentence.format(name=life.spec.name), at=now)
    life.run(now)
    if not _is_probed_at_startup(life, profile):
        life.started_at = now


def _restart(life: ContainerLife, profile: Profile, now: float) -> None:
    """Restart an exited container: at once after the first exit in a row, else after the back-off."""
    if life.backoff:
        life.back_off()
    else:
        _run_again(life, profile, now)


def _run_again(life: ContainerLife, profile: Profile, now: float) -> None:
    """Start after an exit: the environment is made anew."""
    if life.lacking:
        _fail_config(life, now)
    else:
        _run(life, profile, now)


# Running.


def _while_running(life: ContainerLife, since: float, profile: Profile) -> list[tuple[float, Step]]:
    steps: list[tuple[float, Step]] = []
    if not profile.is_silent_about(Stage.CRASH):
        steps += _crashing(life, since, profile)
    if life.once:
        steps += _completing(life, since, profile)
    elif life.started_at is None:
        steps.append(_starting_up(life, since, profile))
    else:
        if not profile.is_silent_about(Stage.LIVENESS):
            steps += _living(life, life.started_at, profile)
        if life.ready_since is None:
            steps += _becoming_ready(life, since, life.started_at, profile)
        elif not profile.is_silent_about(Stage.UNREADY):
            steps += _losing_readiness(life, life.ready_since, profile)
    return steps


def _crashing(life: ContainerLife, since: float, profile: Profile) -> list[tuple[float, Step]]:
    rule, after = life.rule(Stage.CRASH, profile, life.restarts)
    if rule is None or rule.outcome is Outcome.NEVER:
        return []
    code = 1 if rule.exit_code is None else rule.exit_code
    reason = rule.reason or ("OOMKilled" if code == 137 else "")
    return [(since + after, partial(life.end, code=code, reason=reason, message=rule.message))]


def _completing(life: ContainerLife, since: float, profile: Profile) -> list[tuple[float, Step]]:
    rule, after = life.rule(Stage.READY, profile, life.restarts)
    if rule is not None and rule.outcome is not Outcome.SUCCEED:
        return []
    return [(since + after, partial(life.end, code=0))]


def _is_probed_at_startup(life: ContainerLife, profile: Profile) -> bool:
    return life.spec.HasField("startup_probe") and (profile.probes or not profile.is_silent_about(Stage.STARTUP))


def _phase(life: ContainerLife, profile: Profile, probe: Probe) -> float:
    """Return when, within a period, the container's probes look."""
    return life.draw(profile.seed, life.restarts).unit("probe phase") * period_seconds(probe)


def _starting_up(life: ContainerLife, since: float, profile: Profile) -> tuple[float, Step]:
    probe = life.spec.startup_probe
    rule, able_after = life.rule(Stage.STARTUP, profile, life.restarts)
    succeeds = rule is None or rule.outcome is Outcome.SUCCEED
    passes = gives_up = able_after
    if profile.probes:
        phase = _phase(life, profile, probe)
        passes, gives_up = success_seconds(probe, able_after, phase), failure_seconds(probe, 0.0, phase)
        succeeds = succeeds and passes <= gives_up
    if succeeds:
        return since + passes, partial(_pass_startup, life)
    return since + max(gives_up, LEAST_SECONDS), partial(_kill_unhealthy, life, "Startup")


def _pass_startup(life: ContainerLife, now: float) -> None:
    life.started_at = now


def _living(life: ContainerLife, started_at: float, profile: Profile) -> list[tuple[float, Step]]:
    """The liveness probe fails, if there is one and a rule says so."""
    if not life.spec.HasField("liveness_probe"):
        return []
    rule, after = life.rule(Stage.LIVENESS, profile, life.restarts)
    if rule is None or rule.outcome is Outcome.NEVER:
        return []
    if profile.probes:
        after = failure_seconds(life.spec.liveness_probe, after, _phase(life, profile, life.spec.liveness_probe))
    return [(started_at + max(after, LEAST_SECONDS), partial(_kill_unhealthy, life, "Liveness"))]


def _kill_unhealthy(life: ContainerLife, probe: str, now: float) -> None:
    life.note("Unhealthy", f"{probe} probe failed: the simulation says so", warning=True)
    life.note("Killing", f"Container {life.spec.name} failed {probe.lower()} probe, will be restarted")
    life.end(now, SIGNALLED)


def _becoming_ready(life: ContainerLife, since: float, started_at: float, profile: Profile) -> list[tuple[float, Step]]:
    rule, able_after = life.rule(Stage.READY, profile, life.restarts + life.flaps)
    if life.held or (rule is not None and rule.outcome is not Outcome.SUCCEED):
        return []
    if life.lost_readiness > since:
        since = started_at = life.lost_readiness
    if profile.probes and life.spec.HasField("readiness_probe"):
        probe = life.spec.readiness_probe
        able_after = success_seconds(probe, max(able_after, started_at - since), _phase(life, profile, probe))
    return [(max(started_at, since + able_after), partial(_become_ready, life))]


def _become_ready(life: ContainerLife, now: float) -> None:
    life.ready_since = now


def _losing_readiness(life: ContainerLife, ready_since: float, profile: Profile) -> list[tuple[float, Step]]:
    rule, after = life.rule(Stage.UNREADY, profile, life.flaps)
    if rule is None or rule.outcome is Outcome.NEVER:
        return []
    if profile.probes and life.spec.HasField("readiness_probe"):
        # How long the failing takes to be noticed; looks within the initial delay are long over.
        probe = life.spec.readiness_probe
        after += (max(1, probe.failure_threshold) - 1) * period_seconds(probe)
    return [(ready_since + max(after, LEAST_SECONDS), partial(_lose_readiness, life))]


def _lose_readiness(life: ContainerLife, now: float) -> None:
    life.note("Unhealthy", "Readiness probe failed: the simulation says so", warning=True)
    life.ready_since, life.flaps, life.lost_readiness = None, life.flaps + 1, now
