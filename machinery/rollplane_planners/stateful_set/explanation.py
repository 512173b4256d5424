"""Why a StatefulSet is where it is: the gate of OrderedReady, the update's limit, or pods on their way.

Reasons come in the order in which a round comes upon them (docs/semantics/statefulset.md section 5).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rollplane.apps.v1 import StatefulSet
from rollplane_machinery.extensions import HEAL_STUCK_ROLLOUT
from rollplane_machinery.releases import MaxUnavailable, Release
from rollplane_planners import reasons
from rollplane_planners.limits import stateful_set_max_unavailable
from rollplane_planners.pods import PodView
from rollplane_planners.reasons import Nature, Reason, counted, verb
from rollplane_planners.rolled_back import with_story
from rollplane_planners.stateful_set import healing
from rollplane_planners.stateful_set.identity import pod_name
from rollplane_planners.stateful_set.revisions import Versions
from rollplane_planners.stateful_set.slots import ON_DELETE, Slot, Slots
from rollplane_planners.stateful_set.status import Acts

ORDERED_READY = "OrderedReady"
FORCED_ROLLBACK = "ForcedRollbackNeeded"
"""A pod of a template that is no longer wanted blocks the set until somebody deletes it."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round saw and did.

    ``healed`` are slots it cleared; ``first_updated`` is the lowest ordinal that the update may touch.
    """

    stateful_set: StatefulSet
    slots: Slots
    versions: Versions
    acts: Acts
    healed: Collection[Slot]
    ordered: bool
    first_updated: int
    now: float
    release: Release

    @property
    def max_unavailable(self) -> int:
        return stateful_set_max_unavailable(self.stateful_set)

    @property
    def min_ready(self) -> int:
        return self.stateful_set.spec.min_ready_seconds

    @property
    def is_on_delete(self) -> bool:
        return self.stateful_set.spec.update_strategy.type == ON_DELETE

    @property
    def unavailable(self) -> list[Slot]:
        return [slot for slot in self.slots.replicas if slot.unavailable(self.min_ready, self.now)]

    @property
    def outdated(self) -> list[Slot]:
        """The pods that the update has still to replace, from the highest ordinal down."""
        targets = [slot for slot in reversed(self.slots.replicas) if slot.ordinal >= self.first_updated]
        return [slot for slot in targets if slot.is_outdated(self.versions.update.name)]

    def about(self, pods: Sequence[PodView], noun: str, behind: str = "") -> Reason | None:
        return reasons.about_pods(pods, noun, self.min_ready, self.now, behind=behind)


def explain(done: Round) -> list[Reason]:
    """Return what holds the set, only limits when it is complete as far as they let it, nothing when it is complete.

    After an automatic rollback that comes first, for as long as its story stands.
    """
    holding = _gate(done) or _surplus(done) or _outdated(done) or _unavailable(done) or _kept(done)
    return with_story(done.stateful_set, holding)


def _gate(done: Round) -> list[Reason]:
    """An ordered set does nothing else before its lowest unavailable pod is there and available."""
    if not done.ordered or not done.unavailable:
        return []
    slot = done.unavailable[0]
    behind = _behind(done, slot)
    since = f", since {behind}" if behind else ""
    if slot.pod is None:
        return [reasons.step(f"make {pod_name(done.stateful_set, slot.ordinal)}{since}")]
    if slot.ended:
        return [reasons.wait(reasons.TERMINATING, f"waits for {slot.pod.name} to end{since}", [slot.pod])]
    about = done.about([slot.pod], "", since)
    found = [about] if about is not None else []
    if healing.is_left_over(slot, done.versions, done.first_updated) and not done.is_on_delete:
        return _left_over(done, slot, slot.pod, found)
    if about is not None and about.nature is Nature.TROUBLE and behind:
        found.append(reasons.limit(ORDERED_READY, behind))
    return found


def _left_over(done: Round, slot: Slot, pod: PodView, found: list[Reason]) -> list[Reason]:
    """The well-known trap: the template was corrected, and the set goes on waiting for the pod of the broken one."""
    fails = f" and fails, {pod.trouble}" if pod.trouble is not None else ""
    what = f"{pod.name} runs a template that is no longer wanted{fails}"
    if slot in done.healed:
        text = f"waits for its controller to replace {pod.name}: {what}"
        return [Reason(FORCED_ROLLBACK, Nature.STEP, text, (pod.name,))]
    if not (found and found[0].nature is Nature.TROUBLE):
        return [*found, reasons.note(FORCED_ROLLBACK, f"{what}; delete it to go on")]
    cure = (
        f'OrderedReady replaces no pod before it is available: delete it ("rollplane delete pod {pod.name}") to go on, '
        f"or set the set's annotation {HEAL_STUCK_ROLLOUT}=true to have that done"
    )
    return [Reason(FORCED_ROLLBACK, Nature.TROUBLE, what, (pod.name,)), reasons.limit(ORDERED_READY, cure)]


def _behind(done: Round, gate: Slot) -> str:
    """What OrderedReady keeps waiting behind the gate; empty when that is nothing."""
    missing = sum(slot.pod is None and slot.ordinal > gate.ordinal for slot in done.slots.replicas)
    old = 0 if done.is_on_delete else sum(slot is not gate for slot in done.outdated)
    surplus = len(done.slots.condemned)
    kept = [
        f"{counted(missing, 'pod')} to be made" if missing else "",
        f"{counted(old, 'pod')} to be updated" if old else "",
        f"{counted(surplus, 'pod')} to be removed" if surplus else "",
    ]
    waiting = ", ".join(filter(None, kept))
    return f"OrderedReady keeps all else waiting for it ({waiting})" if waiting else ""


def _surplus(done: Round) -> list[Reason]:
    pods = _pods(done.slots.condemned)
    if not pods:
        return []
    text = f"waits for {counted(len(pods), 'pod')} beyond its size to end"
    return [reasons.wait(reasons.TERMINATING, text, pods)]


def _outdated(done: Round) -> list[Reason]:
    """Pods still to be replaced, when the update's limit holds them; who goes now is not waited for."""
    old = done.outdated
    if not old:
        return []
    if done.is_on_delete:
        return [reasons.on_delete(_pods(old))]
    if replaced := [slot for slot in old if slot in done.acts.replaced]:
        pods = _pods(replaced)
        return [reasons.step(f"replace {', '.join(reasons.names(pods))}", pods)]
    return _held(done, _holding(done), [reasons.most_unavailable(done.max_unavailable)])


def _holding(done: Round) -> list[Slot]:
    """The slots that the update waits for: all that are unavailable, or one by one the first from the top."""
    if done.release.max_unavailable is not MaxUnavailable.IGNORED:
        return done.unavailable
    return [slot for slot in reversed(done.unavailable) if slot.ordinal >= done.first_updated][:1]


def _unavailable(done: Round) -> list[Reason]:
    return _held(done, done.unavailable, [])


def _held(done: Round, slots: Sequence[Slot], limits: list[Reason]) -> list[Reason]:
    about = done.about(_pods(slots), "pod")
    if about is not None:
        return [about, *limits]
    return [reasons.step()] if slots else []


def _kept(done: Round) -> list[Reason]:
    kept = [slot for slot in done.slots.replicas if slot.is_outdated(done.versions.update.name)]
    if not kept:
        return []
    partition = done.stateful_set.spec.update_strategy.rolling_update.partition
    keep = verb(len(kept), "keeps", "keep")
    text = f"{counted(len(kept), 'pod')} below the partition of {partition} {keep} the former revision"
    return [reasons.limit("Partition", text)]


def _pods(slots: Sequence[Slot]) -> list[PodView]:
    return [slot.pod for slot in slots if slot.pod is not None]
