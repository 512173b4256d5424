"""What the scheduler tells the planner of budgets, and how victims are marked, deleted and told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rollplane.core.v1 import Pod, PodCondition
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_controller.reconcile.observer import Observer
from rollplane_machinery.api import Key
from rollplane_machinery.conditions import TRUE
from rollplane_machinery.kinds import POD, POD_DISRUPTION_BUDGET
from rollplane_machinery.pods import DISRUPTION_TARGET, observe_generation
from rollplane_machinery.references import reference_to
from rollplane_machinery.releases import Release
from rollplane_machinery.selectors import label_selector_of
from rollplane_machinery.times import time_of
from rollplane_planners.model import DeleteObject, MarkPod, PlannedEvent, PlannedWrite
from rollplane_planners.pods import BY_SCHEDULER
from rollplane_planners.scheduling.preemption import Budget


def budgets_of(observer: Observer) -> Sequence[Budget]:
    """Return all PodDisruptionBudgets that cover any pod; an empty selector covers none here."""
    keys = [key for key, _ in observer.informer.items(POD_DISRUPTION_BUDGET)]
    found = [budget for key in keys if (budget := observer.message(key, PodDisruptionBudget)) is not None]
    return [_budget(one) for one in found if one.spec.selector.ByteSize()]


def _budget(message: PodDisruptionBudget) -> Budget:
    status = message.status
    selector = label_selector_of(message.spec.selector)
    return Budget(message.metadata.namespace, selector, status.disruptions_allowed, frozenset(status.disrupted_pods))


def evictions(
    victims: Iterable[Pod], preemptor: Pod, node: str, now: float, release: Release
) -> Iterator[PlannedWrite]:
    """Yield what lets ``victims`` go for a pod that wants their node."""
    by = preemptor.metadata
    words = release.preempted_sentence.value.format(namespace=by.namespace, name=by.name, uid=by.uid, node=node)
    for victim in victims:
        namespace, name, uid = victim.metadata.namespace, victim.metadata.name, victim.metadata.uid
        told = PlannedEvent("Preempted", words, about=reference_to(Key(POD, namespace, name), uid))
        yield MarkPod(namespace, name, uid, _condition(victim, preemptor, now))
        yield DeleteObject(POD, namespace, name, uid, events=(told,), is_last=True)


def _condition(victim: Pod, preemptor: Pod, now: float) -> PodCondition:
    condition = PodCondition(
        type=DISRUPTION_TARGET,
        status=TRUE,
        reason=BY_SCHEDULER,
        message=f"{preemptor.spec.scheduler_name}: preempting to accommodate a higher priority pod",
        last_transition_time=time_of(now),
    )
    observe_generation(condition, victim)
    return condition
