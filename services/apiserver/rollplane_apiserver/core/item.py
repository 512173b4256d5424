"""One write on its way through the pipeline: what was decided, and what each answer of the store means for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollplane_apiserver.core import refusals
from rollplane_apiserver.core.quota_book import Hold
from rollplane_apiserver.core.refusals import AddressesExhaustedError, AddressesRefusedError, AdmissionRefusedError
from rollplane_apiserver.core.step import Proposal, Step, Unchanged, store_key, token_of
from rollplane_apiserver.store.groups import Groups
from rollplane_apiserver.store.interface import Committed, Mutation, Refusal, Refused, Require, Settled
from rollplane_apiserver.watch.entry import Entry, with_revision
from rollplane_apiserver.watch.ring import RingEvent
from rollplane_machinery.api import EventType, WriteResult
from rollplane_machinery.errors import FencedError, Outcome, RollplaneError
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_rules.registry.preconditions import stale

Result = WriteResult | RollplaneError


@dataclass(slots=True, eq=False)
class Item:
    """A write; settled when it has a ``result``, or was made before by another sending of its token, ``made_at``.

    ``current`` is what it was decided on, which the store confirmed if ``is_live``. A refusal is final once it is live,
    that of a repeat once its token is withdrawn as well: until then an earlier sending may have been made, or be yet.
    ``is_contended`` when others have what it would have claimed, or took of what it would take.
    """

    step: Step
    group: str = ""
    current: Entry | None = None
    is_live: bool = False
    decision: Proposal | Unchanged | None = None
    refusal: RollplaneError | None = None
    hold: Hold | None = None
    result: Result | None = None
    made_at: int = 0
    is_withdrawn: bool = False
    is_contended: bool = False
    tries: int = 0

    @property
    def is_settled(self) -> bool:
        return self.result is not None or self.made_at > 0

    @property
    def is_decided(self) -> bool:
        return self.decision is not None or self.refusal is not None

    @property
    def is_doubtful(self) -> bool:
        """Whether the store must be asked before this can be answered or committed."""
        if isinstance(self.decision, Proposal):
            return False
        if not self.is_decided:
            return True
        return not self.is_live and (self.step.reads or self.asks_cache)

    @property
    def asks_cache(self) -> bool:
        """Whether it is decided on what the cache knows of other objects, which then must be up to date."""
        is_bound = isinstance(self.refusal, AddressesRefusedError | AddressesExhaustedError | AdmissionRefusedError)
        return self.step.is_live or self.is_contended or is_bound

    @property
    def is_unproven(self) -> bool:
        """Whether this is a repeat that would be refused or change nothing, which its token may contradict."""
        if not self.step.options.repeat or self.is_withdrawn or self.made_at:
            return False
        if isinstance(self.result, RollplaneError):
            return self.result.outcome is None
        return _is_definite(self.refusal) or isinstance(self.decision, Unchanged)

    def withdrawal(self) -> Mutation:
        """Return what asks the store about the token, and has it refused for ever where nothing became of it."""
        key = self.step.key
        return Mutation(key.kind.resource, store_key(key), None, Require.NEVER, token=token_of(self.step.options))

    def take_withdrawal(self, settled: Settled) -> None:
        """Take in the store's word on the token."""
        match settled:
            case Committed(revision):
                self.result, self.made_at = None, revision
            case Refused():
                self.is_withdrawn = True
            case RollplaneError():
                self.result = settled

    def claim_nothing(self) -> None:
        """Tell no more of a repeat than is known: this sending was not tried, or not answered, and another may be."""
        if self.step.options.repeat and isinstance(self.result, RollplaneError) and self.result.outcome is not None:
            self.result = self.result.with_outcome(Outcome.OUTCOME_UNKNOWN)

    def reconsider(self) -> None:
        """Forget what was decided: the object has moved on."""
        if self.hold is not None:
            self.hold.release()
        self.decision = self.refusal = self.hold = None
        self.is_live = False
        self.tries += 1

    def let_go(self, hold: Hold, *, for_good: bool = False) -> None:
        """Tell ``hold`` what became of the write, once that is known, or ``for_good`` must be."""
        if self.made_at or self.step.options.dry_run or _is_unmade(self.result):
            hold.release()
        elif isinstance(self.result, WriteResult):
            hold.keep()
        elif for_good:
            hold.lose()

    def mutations(self) -> Sequence[Mutation]:
        """Return what is to be committed, the main mutation last; those before it share a group with it."""
        proposal = self.proposal
        if proposal.before is None:
            return (proposal.mutation.in_group(self.group),) if self.group else (proposal.mutation,)
        group = self.group or f"item {id(self)}"  # only has to differ from the other groups of the call
        return proposal.before.in_group(group), proposal.mutation.in_group(group)

    @property
    def proposal(self) -> Proposal:
        """What is to be committed; only for items that want to write."""
        if not isinstance(self.decision, Proposal):
            raise TypeError(f"nothing was proposed for {self.step.key}")
        return self.decision

    def answer(self, revision: int) -> WriteResult:
        """Return the result of the proposal, made at ``revision``."""
        proposal = self.proposal
        encoded = None
        if not self.step.options.omit_object:
            # A rehearsed create has no revision to tell.
            value = with_revision(proposal.value, revision) if revision else proposal.value
            encoded = Encoded(self.step.key.kind, value)
        return WriteResult(
            revision,
            encoded,
            removed=proposal.mutation.value is None,
            created=proposal.mutation.require is Require.ABSENT,
            warnings=proposal.warnings,
        )

    def answer_made(self, event: RingEvent | None, now: Entry | None) -> WriteResult:
        """Return the result of the sending that was made: what it was told, by the ``event`` it caused.

        Where that is not kept any more the object is told as it is by ``now``.
        """
        if event is not None:
            told = None if self.step.options.omit_object else event.encoded
            return WriteResult(
                self.made_at, told, removed=event.type is EventType.DELETED, created=event.type is EventType.ADDED
            )
        is_gone = now is None or (self.step.deletes and not is_being_deleted(now.encoded.parse().metadata))
        told = None if is_gone or self.step.options.omit_object or now is None else now.encoded
        return WriteResult(self.made_at, told, removed=is_gone, created=self._creates)

    @property
    def _creates(self) -> bool:
        return isinstance(self.decision, Proposal) and self.decision.mutation.require is Require.ABSENT

    def answer_unchanged(self, unchanged: Unchanged) -> WriteResult:
        """Return the result of a write that changes nothing."""
        entry = unchanged.entry
        told = None if self.step.options.omit_object else entry.encoded
        return WriteResult(entry.revision, told, warnings=unchanged.warnings)


class Batch:
    """What becomes of the items of one batch: which groups are over, and which wait for an item that is tried again."""

    def __init__(self) -> None:
        self._groups = Groups()
        self._waiting: set[str] = set()

    def conclude(self, items: Sequence[Item]) -> None:
        """Give a result to every item that needs no commit, or that must not be tried any more."""
        self._waiting.clear()
        for item in items:
            if item.made_at or (item.result is None and not item.group and isinstance(item.decision, Proposal)):
                continue
            if isinstance(item.result, RollplaneError):
                self._fail(item, item.result)
            elif self._groups.has_failed(item.group):
                item.result = refusals.not_attempted(item.group)
            elif item.refusal is not None:
                self._fail(item, item.refusal)
            elif isinstance(item.decision, Unchanged):
                item.result = item.answer_unchanged(item.decision)

    def settle(self, item: Item, settled: Sequence[Settled]) -> None:
        """Take in what became of the item's mutations: a result, or another try."""
        first = settled[0]
        if len(settled) > 1:
            first = next((one for one in settled if not isinstance(one, Committed)), settled[-1])
        match first:
            case Committed(revision, repeated=repeated):
                if repeated:
                    item.made_at = revision
                else:
                    item.result = item.answer(revision)
            case RollplaneError():
                self._fail(item, first)
            case Refused(Refusal.NOT_ATTEMPTED) if item.group in self._waiting:
                pass  # the item before it is tried again, and this one behind it
            case Refused(refusal):
                self._settle_refused(item, refusal)

    def settle_rehearsed(self, item: Item, result: Result) -> None:
        """Take in what the item would come to."""
        if self._groups.has_failed(item.group):
            item.result = refusals.not_attempted(item.group)
        elif isinstance(result, RollplaneError):
            self._fail(item, result)
        else:
            item.result = result

    def _settle_refused(self, item: Item, refusal: Refusal) -> None:
        if _may_retry(item, refusal):
            item.reconsider()
            item.is_contended = refusal in (Refusal.CLAIMED, Refusal.OVERTAKEN)
            if item.group:
                self._waiting.add(item.group)
        else:
            self._fail(item, _error_of(item, refusal))

    def _fail(self, item: Item, error: RollplaneError) -> None:
        item.result = error
        self._groups.note(item.group, error)


def _is_unmade(result: Result | None) -> bool:
    """Tell whether this sending was not made, and will not be."""
    return isinstance(result, RollplaneError) and result.outcome is not Outcome.OUTCOME_UNKNOWN


def _is_definite(error: RollplaneError | None) -> bool:
    return error is not None and error.outcome is None


def _may_retry(item: Item, refusal: Refusal) -> bool:
    if item.tries + 1 >= item.step.max_tries:
        return False
    if refusal is Refusal.EXISTS:
        return item.step.may_retry_existing()
    return refusal in (Refusal.STALE, Refusal.MISSING, Refusal.CLAIMED, Refusal.OVERTAKEN)


def _error_of(item: Item, refusal: Refusal) -> RollplaneError:
    key = item.step.key
    match refusal:
        case Refusal.EXISTS:
            return refusals.already_exists(key)
        case Refusal.STALE | Refusal.MISSING:
            return stale(key)
        case Refusal.NAMESPACE_MISSING:
            return refusals.namespace_missing(key.namespace)
        case Refusal.NAMESPACE_SEALED:
            return refusals.namespace_terminating(key)
        case Refusal.FENCED:
            return FencedError(
                f"the epoch sent for {key} is not its shard's", resource=key.kind.resource, name=key.name
            )
        case Refusal.NOT_ATTEMPTED:
            return refusals.not_attempted(item.group)
        case Refusal.WITHDRAWN:
            return refusals.withdrawn(key)
        case Refusal.NO_MEMORY:
            return refusals.no_memory(key)
        case Refusal.CLAIMED:
            return refusals.claimed(key)
        case Refusal.OVERTAKEN:
            return refusals.overtaken(key)
