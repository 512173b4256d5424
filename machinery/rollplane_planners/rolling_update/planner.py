"""One look at a rolling update: what comes next, judged by the present sizes and the step that was written down.

The loop of kubectl, taken apart at its waits: each write holds the next step, its times and what was done, so that
the engine can be stopped between any two writes and gone on with elsewhere. Source: docs/semantics/rolling-update.md
section 7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rollplane.core.v1 import ReplicationController
from rollplane_machinery.errors import InvalidError, TerminalError
from rollplane_machinery.int_or_string import of
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.rolling_update import (
    DESIRED_REPLICAS,
    RENAMED_FROM,
    STATE,
    CleanupPolicy,
    Source,
    Step,
    UpdateState,
    set_state,
    source_of,
    state_of,
)
from rollplane_planners import reasons
from rollplane_planners.limits import Limits, resolved
from rollplane_planners.model import (
    NOTHING,
    Plan,
    PlanBuilder,
    PlannedEvent,
    PlannedWrite,
    Severity,
    UpdateObject,
)
from rollplane_planners.pods import PodView
from rollplane_planners.reasons import Reason, counted
from rollplane_planners.rolling_update import finish
from rollplane_planners.rolling_update.labelling import plan_label
from rollplane_planners.rolling_update.sizes import Sizes, grown, is_reached, shrunk
from rollplane_planners.rolling_update.view import RollingUpdateView, copy_of, is_settled, is_shrinking

STOPPED = "RollingUpdateStopped"
TIMED_OUT = "timed out waiting for any update progress to be made"
MARGIN_SECONDS = 0.01
"""Added to waits, so that what is due then is due when we look."""


def plan_rolling_update(view: RollingUpdateView, now: float) -> Plan:
    """Return the next step of the update that ``view.target`` carries; nothing when it carries none.

    A plan without writes means waiting for what ``reasons`` names. Raises TerminalError for annotations that cannot be
    read: nothing helps but changing them.
    """
    try:
        return _next_step(view, now)
    except InvalidError as exc:
        raise TerminalError(exc.message) from exc


def _next_step(view: RollingUpdateView, now: float) -> Plan:
    annotations = view.target.metadata.annotations
    state, source = state_of(annotations), source_of(annotations)
    if state is None or is_being_deleted(view.target.metadata):
        return NOTHING
    if source is None or not annotations.get(DESIRED_REPLICAS, "").isdecimal():
        lost = _Update(view, state, Source("", ""), 0, now)
        return Plan(reasons=(_stopped(state.error),)) if state.error else lost.stop("its annotations have been changed")
    return _Update(view, state, source, int(annotations[DESIRED_REPLICAS]), now).run()


class _Update:
    """One look at one update."""

    def __init__(self, view: RollingUpdateView, state: UpdateState, source: Source, desired: int, now: float) -> None:
        self.view = view
        self.state = state
        self.replaced = source
        self.desired = desired
        self.now = now
        self.target = view.target
        self.result = PlanBuilder()

    def run(self) -> Plan:
        if self.state.step is Step.RENAME:
            return self._rename()
        if self._is_turned_round():
            return self.result.plan()
        if self.state.error:
            return Plan(reasons=(_stopped(self.state.error),))
        if self.state.step is Step.FINISH:
            return self._finish()
        if self.view.source is not None and not self.replaced.is_same(self.view.source):
            return self.stop(f"controller {self.replaced.name} was replaced by another of its name")
        self._steps()[self.state.step]()
        return self.result.plan()

    def _steps(self) -> Mapping[Step, Callable[[], None]]:
        return {
            Step.LABEL: self._label,
            Step.SCALE_UP: self._begin_round,
            Step.RESIZE_UP: self._wait_for_target,
            Step.PAUSE: self._pause,
            Step.RESIZE_DOWN: self._wait_for_source,
        }

    @property
    def limits(self) -> Limits:
        return resolved(self.desired, of(self.state.max_surge), of(self.state.max_unavailable))

    @property
    def sizes(self) -> Sizes:
        """The sizes as declared; a source that somebody has deleted has none."""
        source = self.view.source
        return Sizes(self.target.spec.replicas, source.spec.replicas if source is not None else 0)

    @property
    def available(self) -> int:
        """How many pods of the target are ready and stay."""
        return sum(pod.ready and pod.active for pod in self.view.target_pods)

    # Direction

    def _is_turned_round(self) -> bool:
        """Stand back when the source is itself a target, of ours: only one of the two directions may act.

        The one with the lower turn lays its state down; the other waits until it has, and so has seen all it wrote.
        """
        other = self.view.source
        if other is None or other.metadata.annotations.get(RENAMED_FROM) == self.target.metadata.name:
            return False
        state, source = state_of(other.metadata.annotations), source_of(other.metadata.annotations)
        if state is None or source is None or source.name != self.target.metadata.name:
            return False
        if state.turn > self.state.turn:
            wanted = copy_of(self.target)
            del wanted.metadata.annotations[STATE]
            self.result.writes.append(UpdateObject(wanted))
        self._wait("TurnedRound", f"for the update from {self.target.metadata.name} to {self.replaced.name} to end")
        return True

    # The loop

    def _label(self) -> None:
        source = self.view.source
        writes = None if source is None else plan_label(self.view, source, self.state.label_key, self.state.label_value)
        if writes is None:
            self._begin_round()
        else:
            self.result.writes.extend(writes)
            self._wait("Labelling", f"for {self.replaced.name} and its pods to have the label {self.state.label_key}")

    def _begin_round(self) -> None:
        """The head of the loop: done, out of patience, or one more round."""
        if self._is_source_shrinking():
            return
        sizes = self.sizes
        if is_reached(self.limits, sizes):
            self._go(Step.FINISH, messages=self._farewell())
            return
        opening = self._opening() if self.state.round_sizes is None else ()
        if self.state.round_sizes != (sizes.new, sizes.old):
            deadline = self.now + self.state.pace.timeout_seconds
            self.state = replace(self.state, round_sizes=(sizes.new, sizes.old), deadline=deadline, messages=())
        elif self.now > self.state.deadline:
            self.stop(TIMED_OUT)
            return
        self._scale_up(sizes, opening)

    def _is_source_shrinking(self) -> bool:
        """Wait for pods of the source that are yet to go: its size alone would tell of room that is not there.

        Usually RESIZE_DOWN has waited; an engine that was stopped right behind the resize, or an update that was
        started again, has not.
        """
        source = self.view.source
        if source is None or not is_shrinking(source):
            return False
        self._wait_for_size(source)
        if self.state.deadline and self.now > self.state.deadline:
            self.stop(TIMED_OUT)
        elif self.state.deadline:
            self.result.requeue(self.state.deadline - self.now + MARGIN_SECONDS)
        return True

    def _scale_up(self, sizes: Sizes, messages: tuple[str, ...]) -> None:
        size = grown(self.limits, sizes)
        if size != sizes.new:
            message = f"Scaling {self.target.metadata.name} up to {size}"
            self._go(Step.RESIZE_UP, messages=(*messages, message), size=size)
        else:
            self._go_to_pause(messages)

    def _wait_for_target(self) -> None:
        if self._is_resized(self.target):
            self._go_to_pause()

    def _go_to_pause(self, messages: tuple[str, ...] = ()) -> None:
        if self.state.step is Step.PAUSE and self.state.pace.update_period_seconds == 0 and not messages:
            self._stay_paused()
        else:
            self._go(Step.PAUSE, messages=messages)

    def _stay_paused(self) -> None:
        """Without a period there is nothing to count: what happens to the pods, or the deadline, wakes us."""
        if state_of(self.target.metadata.annotations) != self.state:
            self._write_state()
        self._wait_for_pods()
        self.result.requeue(max(0.0, self.state.deadline - self.now) + MARGIN_SECONDS)

    def _pause(self) -> None:
        remaining = self.state.since + self.state.pace.update_period_seconds - self.now
        if remaining > 0:
            self.result.requeue(remaining + MARGIN_SECONDS)
            period = f"waits out its update period of {self.state.pace.update_period_seconds:g} s"
            self.result.reasons.append(reasons.wait("UpdatePeriod", period, until=self.now + remaining))
            self._wait_for_pods()
        else:
            self._scale_down()

    def _scale_down(self) -> None:
        if self._is_source_shrinking():
            return
        source, sizes = self.view.source, self.sizes
        size = shrunk(self.limits, sizes, self.available)
        if source is None or size == sizes.old:
            self._begin_round()
            return
        # The state first: whatever becomes of the resize behind it, what is to be done has been told, and is known.
        self._go(Step.RESIZE_DOWN, messages=(f"Scaling {self.replaced.name} down to {size}",), source_size=size)
        self._shrink(source, size)

    def _shrink(self, source: ReplicationController, size: int) -> None:
        wanted = copy_of(source)
        wanted.spec.replicas = size
        self.result.writes.append(UpdateObject(wanted))

    def _wait_for_source(self) -> None:
        source, size = self.view.source, self.state.source_size
        if source is not None and size is not None and source.spec.replicas > size:
            self._shrink(source, size)
        elif source is None or self._is_resized(source):
            self._begin_round()

    def _is_resized(self, one: ReplicationController) -> bool:
        """Tell whether ``one`` has as many pods as it was told to have, ready or not; plan the next look if not."""
        pace, seen, waited = self.state.pace, is_settled(one), self.now - self.state.since
        if seen and waited >= pace.poll_interval_seconds:
            return True
        self._wait_for_size(one)
        if not seen and waited > pace.timeout_seconds:
            self.stop(f"timed out waiting for {one.metadata.name} to have {one.spec.replicas} pods")
        else:
            due = pace.poll_interval_seconds if waited < pace.poll_interval_seconds else pace.timeout_seconds
            self.result.requeue(due - waited + MARGIN_SECONDS)
        return False

    # The end

    def _finish(self) -> Plan:
        source = self.view.source
        if not is_settled(self.target):
            self._wait_for_size(self.target)
        elif source is not None and source.metadata.annotations.get(RENAMED_FROM) == self.target.metadata.name:
            self._wait("Renaming", f"for {source.metadata.name} to take the pods over")
        elif source is not None and self.replaced.is_same(source) and self._cleanup is not CleanupPolicy.PRESERVE:
            if not is_being_deleted(source.metadata) and is_shrinking(source):
                # Deleted now it would leave the pods that are yet to go behind, as nobody's.
                self._wait_for_size(source)
                return self.result.plan()
            self._extend(finish.plan_deletion(source), source.metadata.name)
        elif self._cleanup is not CleanupPolicy.RENAME:
            self.result.writes.extend(finish.plan_completion(self.target))
        elif source is not None:
            return self.stop(f"cannot rename {self.target.metadata.name}: {source.metadata.name} has been made anew")
        else:
            self.result.writes.extend(finish.plan_place_holder(self.target, self.state, self.replaced.name))
        return self.result.plan()

    def _rename(self) -> Plan:
        temporary = self.view.source
        if temporary is not None and not self.replaced.is_same(temporary):
            temporary = None
        writes = finish.plan_rename(self.target, temporary, self.desired)
        self._extend(writes, self.replaced.name)
        return self.result.plan()

    @property
    def _cleanup(self) -> CleanupPolicy:
        return self.state.cleanup

    def _extend(self, writes: Sequence[PlannedWrite], deleted: str) -> None:
        """Plan the step, or without one wait until ``deleted`` is gone."""
        self.result.writes.extend(writes)
        if not writes:
            self._wait(reasons.TERMINATING, f"for {deleted} to be deleted")

    # Words

    def _opening(self) -> tuple[str, ...]:
        limits, sizes = self.limits, self.sizes
        return (
            f"Scaling up {self.target.metadata.name} from {sizes.new} to {limits.replicas}, "
            f"scaling down {self.replaced.name} from {sizes.old} to 0 "
            f"(keep {limits.min_available} pods available, don't exceed {limits.max_total} pods)",
        )

    def _farewell(self) -> tuple[str, ...]:
        if self._cleanup is CleanupPolicy.PRESERVE:
            return ("Update succeeded.",)
        return (f"Update succeeded. Deleting old controller: {self.replaced.name}",)

    def _wait(self, code: str, what: str, pods: Sequence[PodView] = ()) -> None:
        self.result.reasons.append(reasons.wait(code, f"waits {what}", pods))

    def _wait_for_size(self, one: ReplicationController) -> None:
        pods = f"{one.status.replicas} of {counted(one.spec.replicas, 'pod')}"
        self._wait("Resizing", f"for {one.metadata.name} to have the size it was told to have: {pods}")

    def _wait_for_pods(self) -> None:
        """Say which pods of the target are not available, and what the source keeps for that long."""
        waiting = [pod for pod in self.view.target_pods if pod.active and not pod.ready]
        about = reasons.about_pods(waiting, "new pod", 0, self.now)
        if about is not None:
            keeps = f"{self.replaced.name} keeps {counted(self.sizes.old, 'pod')} until more are available"
            self.result.reasons.extend((about, reasons.limit("MaxUnavailable", keeps)))

    # Writing

    def _go(
        self, step: Step, *, messages: tuple[str, ...] = (), size: int | None = None, source_size: int | None = None
    ) -> None:
        """Write down the next step, with the target's new size if it has one."""
        self.state = replace(self.state, step=step, since=self.now, messages=messages, source_size=source_size)
        self._write_state(size)

    def _write_state(self, size: int | None = None) -> None:
        wanted = copy_of(self.target)
        set_state(wanted, self.state)
        if size is not None:
            wanted.spec.replicas = size
        self.result.writes.append(UpdateObject(wanted))

    def stop(self, error: str) -> Plan:
        """Give up, and say why: as when kubectl ends with an error, the sizes stay until the command is repeated."""
        self.state = replace(self.state, error=error, messages=())
        self.result.reasons.append(_stopped(error))
        wanted = copy_of(self.target)
        set_state(wanted, self.state)
        self.result.writes.append(UpdateObject(wanted, (PlannedEvent(STOPPED, error, Severity.WARNING),)))
        return self.result.plan()


def _stopped(error: str) -> Reason:
    return reasons.wait(STOPPED, f"has stopped its rolling update: {error}")
