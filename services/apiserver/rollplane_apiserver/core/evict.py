"""Deleting a pod as far as its PodDisruptionBudget allows."""

from __future__ import annotations

from dataclasses import replace

from rollplane.core.v1 import Pod
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_apiserver.core.delete import propose_delete
from rollplane_apiserver.core.refusals import not_found
from rollplane_apiserver.core.step import Decision, Proposal, placed, token_of
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.store.interface import Mutation
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery import kinds
from rollplane_machinery.api import DEFAULT_OPTIONS, Evict, Key
from rollplane_machinery.errors import UnsupportedError
from rollplane_machinery.times import time_of
from rollplane_rules.registry.deletion import DeleteRequest
from rollplane_rules.registry.disruption import (
    budget_of,
    draw,
    ignores_budgets,
    mark_disrupted,
    needs_no_allowance,
)
from rollplane_rules.registry.preconditions import check_preconditions

MAX_EVICT_TRIES = 20  # as many evictions as come at once draw on one budget, one after the other


class EvictStep:
    """An eviction: the budget is charged and the pod deleted in one commit, the pod only if the budget went through.

    Budgets are read from the cache, which the pipeline brings up to date before an eviction is decided.
    """

    reads = True
    is_live = True  # budgets are read from the cache
    max_tries = MAX_EVICT_TRIES
    deletes = True

    def __init__(self, write: Evict, tools: Tools) -> None:
        self._write = write
        self._tools = tools
        self.options = write.options
        self.key = placed(write.key)
        self._charged_at: float | None = None

    def decide(self, current: Entry | None, now: float) -> Decision:
        if current is None:
            raise not_found(self.key)
        old, pod = current.encoded.parse(), current.encoded.parse()
        if not isinstance(pod, Pod):
            raise UnsupportedError(f"{self.key.kind.resource} cannot be evicted", resource=self.key.kind.resource)
        check_preconditions(self.key, old, self._write.preconditions)
        charge = None if ignores_budgets(pod) else self._charge(pod, now)
        if not ignores_budgets(pod):
            mark_disrupted(pod, now)
        request = DeleteRequest(self._write.grace_period_seconds)
        decision = propose_delete(self._tools, self.key, pod, old, current, request, now, self.options)
        return replace(decision, before=charge) if isinstance(decision, Proposal) else decision

    def may_retry_existing(self) -> bool:
        return False

    def _charge(self, pod: Pod, now: float) -> Mutation | None:
        """Return the mutation that charges the pod's budget, None when it has none or need not draw on it."""
        entries = {
            entry.key: entry for entry in self._tools.cache.snapshot(kinds.POD_DISRUPTION_BUDGET, self.key.namespace)
        }
        budget = budget_of(pod, map(_parsed, entries.values()))
        if budget is None or needs_no_allowance(pod, budget) or self._has_charged(pod, budget):
            return None
        key = Key(kinds.POD_DISRUPTION_BUDGET, budget.metadata.namespace, budget.metadata.name)
        entry = entries[f"{key.namespace}/{key.name}"]
        old = _parsed(entry)
        draw(budget, pod, now)
        self._charged_at = now
        decision = self._tools.writer.replace(key, budget, old, entry, DEFAULT_OPTIONS)
        return replace(decision.mutation, token=self._charge_token) if isinstance(decision, Proposal) else None

    @property
    def _charge_token(self) -> str:
        """What the charge is known by: the store then charges a repeat no second time."""
        token = token_of(self.options)
        return token and f"{token}/charge"

    def _has_charged(self, pod: Pod, budget: PodDisruptionBudget) -> bool:
        """Whether a former try was committed as far as the budget, and the pod was then overtaken."""
        if self._charged_at is None or pod.metadata.name not in budget.status.disrupted_pods:
            return False
        return budget.status.disrupted_pods[pod.metadata.name] == time_of(self._charged_at)


def _parsed(entry: Entry) -> PodDisruptionBudget:
    budget = entry.encoded.parse()
    if not isinstance(budget, PodDisruptionBudget):
        raise TypeError(f"{entry.key} is no PodDisruptionBudget")
    return budget
