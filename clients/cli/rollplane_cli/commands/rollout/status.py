"""``rollplane rollout status``.

Unlike kubectl it does not wait for the progress deadline when new pods fail and nothing else can move: a pipeline
learns at once, and why.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from rollplane_cli.choosing import Found, choose, report_failure
from rollplane_cli.command import ChoosingFlags, Command, WaitFlags, output
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import number, switch
from rollplane_cli.output.documents import render
from rollplane_cli.output.pods import pod_document
from rollplane_cli.output.progress import Progress, progress_on
from rollplane_cli.rollout_sight import Ended, Sight, looks, watch_rollout
from rollplane_cli.scene import look
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_cli.waiting import TIMED_OUT
from rollplane_machinery.api import RolloutState, RolloutStatus
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import DEPLOYMENT
from rollplane_planners.reasons import Nature
from rollplane_printing.diagnosis import Diagnosis
from rollplane_printing.scene import is_workload
from rollplane_printing.sentences import path_of

_STATES = {
    RolloutState.PROGRESSING: "Progressing",
    RolloutState.DONE: "Done",
    RolloutState.FAILED: "Failed",
}


class StatusFlags(ChoosingFlags, WaitFlags):
    """Flags of ``rollout status``."""

    watch = switch("Wait for the end; --watch=false looks once", "w", default=True)
    until_deadline = switch("When new pods fail, go on waiting until the progress deadline, as kubectl does")
    revision = number("Fail when another revision's rollout takes over", default=0)
    output = output("json", "yaml")


async def run(flags: StatusFlags, session: Session) -> int:
    """Follow the rollout of each workload named until it is done, fails or cannot go on."""
    chosen = await choose(flags, session, type_is_enough=True)
    for found in chosen.found:
        try:
            outcome = await _follow(flags, session, found)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            chosen.failed = True
            continue
        _conclude(flags, session, found, outcome)
        chosen.failed |= bool(outcome.failure)
    return chosen.exit_code


@dataclass(slots=True)
class Outcome:
    """What was last seen of a rollout. ``failure`` is the sentence of one that did not, or cannot, get done.

    With ``is_patient`` only the server's word that the deadline has passed counts as a failure.
    """

    status: RolloutStatus | None = None
    diagnosis: Diagnosis | None = None
    state: str = "Progressing"
    failure: str = ""
    error: RollplaneError | None = None
    is_patient: bool = False

    def take(self, sight: Sight) -> bool:
        """Take in one sight; returns whether nothing more needs to be seen."""
        match sight:
            case RolloutStatus():
                self.status, self.state = sight, _STATES[sight.state]
                self.failure = sight.message if sight.state is RolloutState.FAILED else ""
                return sight.state is not RolloutState.PROGRESSING
            case Diagnosis():
                self.diagnosis = sight
                if not sight.is_stuck or self.is_patient:
                    return False
                self.state, self.failure = "Stuck", sight.sentence
                return True
            case Ended():
                self.error = sight.error
                return True


async def _follow(flags: StatusFlags, session: Session, found: Found) -> Outcome:
    # A revision is looked at for Deployments only, as in kubectl; elsewhere it is passed over in silence.
    revision = flags.revision if found.key.kind is DEPLOYMENT else 0
    outcome = Outcome(is_patient=flags.until_deadline)
    title = path_of(found.key.kind, found.key.name)
    with progress_on(session.console, flags.output, title) as progress, told_as_own():
        if not flags.watch:
            await _look_once(session, found, revision, outcome, progress)
        else:
            await _watch(session, found, revision, outcome, progress, flags.timeout)
        if outcome.error is not None:
            raise outcome.error
    return outcome


async def _look_once(session: Session, found: Found, revision: int, outcome: Outcome, progress: Progress) -> None:
    async with looks(session, found.key, revision) as statuses:
        async for status in statuses:
            outcome.take(status)
            progress.look(status)
            break
    workload = found.parse()
    if is_workload(workload):
        outcome.diagnosis = await look(session, found.key, workload)


async def _watch(
    session: Session, found: Found, revision: int, outcome: Outcome, progress: Progress, timeout_seconds: float
) -> None:
    def see(sight: Sight) -> bool:
        enough = outcome.take(sight)
        if isinstance(sight, RolloutStatus):
            progress.look(sight)
        elif isinstance(sight, Diagnosis):
            progress.explain(sight)
        return enough

    try:
        async with asyncio.timeout(timeout_seconds or None):
            await watch_rollout(session, found, revision, see)
    except TimeoutError:
        outcome.state, outcome.failure = "TimedOut", TIMED_OUT


def _conclude(flags: StatusFlags, session: Session, found: Found, outcome: Outcome) -> None:
    if form := flags.output:
        session.console.write(render(_document(found, outcome), form))
    if outcome.failure:
        session.console.warn(f"error: {outcome.failure}")
    if outcome.state == "TimedOut" and outcome.diagnosis is not None and _is_held(outcome.diagnosis):
        session.console.warn(outcome.diagnosis.sentence)


def _is_held(diagnosis: Diagnosis) -> bool:
    """Whether something holds the rollout; one that only takes longer needs no second line behind kubectl's."""
    return any(reason.nature in (Nature.WAIT, Nature.TROUBLE) for reason in diagnosis.reasons[:1])


def _document(found: Found, outcome: Outcome) -> dict[str, Any]:
    """The outcome as stable JSON, described in docs/cli.md."""
    status, diagnosis = outcome.status, outcome.diagnosis
    is_over = outcome.state == "Done"
    counts = ("desired", "updated", "ready", "available", "total")
    return {
        "apiVersion": "cli.rollplane.dev/v1",
        "kind": "RolloutStatus",
        "workload": path_of(found.key.kind, found.key.name),
        "namespace": found.key.namespace,
        "state": outcome.state,
        "message": outcome.failure or (status.message if status else ""),
        "reason": _reason(outcome),
        "replicas": {name: getattr(status, name) if status else 0 for name in counts},
        "pods": [pod_document(pod) for pod in diagnosis.pods] if diagnosis and not is_over else [],
    }


def _reason(outcome: Outcome) -> str:
    """One word for what stands in the way; empty when the rollout is done."""
    if outcome.state == "Done":
        return ""
    if outcome.status is not None and outcome.state == "Failed":
        return outcome.status.reason
    if outcome.diagnosis is not None and not outcome.diagnosis.is_complete:
        return outcome.diagnosis.reason
    return outcome.status.reason if outcome.status is not None else ""


STATUS = Command(
    "(TYPE NAME | TYPE/NAME…)",
    "Follow a rollout until it is done; fail at once, with the reason, when it cannot go on.",
    StatusFlags,
    run,
)
