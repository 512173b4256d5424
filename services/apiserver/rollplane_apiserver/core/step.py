"""What every write has in common: it looks at what is stored and decides what is to be stored instead.

A step is synchronous and does no input or output. It may be asked several times: first about what the cache holds,
then about what the store holds, until its mutation is committed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Protocol

from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.core.quota_book import Hold
from rollplane_apiserver.core.quotas import GROWING, Quotas
from rollplane_apiserver.core.refusals import too_large
from rollplane_apiserver.store.interface import Mutation, Reckoning, Require
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import DEFAULT_OPTIONS, Key, WriteOptions
from rollplane_machinery.equality import same_texts
from rollplane_machinery.errors import BadRequestError, RollplaneError
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import (
    NAMESPACE,
    RESOURCE_QUOTA,
    SERVICE,
    ApiObject,
    CustomKind,
    Kind,
    custom_kind_in,
)
from rollplane_machinery.names import random_suffix
from rollplane_machinery.selectors import have_same_fields
from rollplane_rules.registry.addresses import claims_of
from rollplane_rules.registry.deletion import is_finished
from rollplane_rules.registry.namespaces import is_sealed
from rollplane_rules.strategy import is_unchanged

MAX_TRIES = 5

_UUID_MASK = ~(0xF << 76 | 0x3 << 62)
_UUID_VERSION = 4 << 76 | 0x2 << 62
"""Where RFC 9562 has the version and the variant."""


class Identifiers:
    """Uids and name suffixes from an injected source, so that a simulation gives the same ones again."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def uid(self) -> str:
        """Return a random UUID, of version 4."""
        # What uuid.UUID does, in a fifth of its time.
        digits = f"{self._source.getrandbits(128) & _UUID_MASK | _UUID_VERSION:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def number(self, below: int) -> int:
        """Return a number from 0 to below ``below``."""
        return self._source.randrange(below)

    def suffix(self, token: str, number: int) -> str:
        """Return the end of the ``number``-th name that a create generates.

        A repeat of the create, by its ``token``, gets the same ones again and so finds what it made.
        """
        return random_suffix(random.Random(f"{token} {number}") if token else self._source)


@frozen
class Proposal:
    """What to commit: ``before`` first, where there is one, and ``mutation`` only if that went through.

    ``value`` is the object to answer with, as bytes without a resource version; ``warnings`` go with the answer.
    ``hold`` is what it draws on quotas, and hears what becomes of it.
    """

    mutation: Mutation
    value: bytes
    before: Mutation | None = None
    warnings: tuple[str, ...] = ()
    hold: Hold | None = None


@frozen
class Unchanged:
    """Nothing is to be written: the object is already what the write wants."""

    entry: Entry
    warnings: tuple[str, ...] = ()
    hold: None = None


Decision = Proposal | Unchanged


def warned(decision: Decision, warnings: tuple[str, ...]) -> Decision:
    """Return ``decision`` with ``warnings`` behind those it has."""
    return replace(decision, warnings=(*decision.warnings, *warnings)) if warnings else decision


class Step(Protocol):
    """One write on its way."""

    @property
    def key(self) -> Key:
        """The object; a created one has its name once it was decided."""
        ...

    @property
    def options(self) -> WriteOptions: ...

    @property
    def reads(self) -> bool:
        """Whether ``decide`` depends on what is stored: such a decision is confirmed before it refuses."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether to decide on the store's present state, with the cache brought up to date as well.

        From the start, or from when ``decide`` refuses for what the cache does not hold and asks for this.
        """
        ...

    @property
    def max_tries(self) -> int:
        """How often to decide before giving up on an object that keeps moving on."""
        ...

    @property
    def deletes(self) -> bool:
        """Whether it leaves nothing behind but an object that is marked as deleted."""
        ...

    def decide(self, current: Entry | None, now: float) -> Decision:
        """Return what to do to ``current`` (None: nothing is stored), at ``now`` in seconds since the epoch.

        Raises what refuses the write.
        """
        ...

    def may_retry_existing(self) -> bool:
        """Return whether to decide anew after something was found where nothing should be."""
        ...


class RefusedStep:
    """A write that was refused before it had a step: it keeps its place in its batch and its group."""

    reads = False
    is_live = False
    max_tries = 1
    deletes = False
    options = DEFAULT_OPTIONS
    key = Key(NAMESPACE, "", "")

    def __init__(self, error: RollplaneError) -> None:
        self._error = error

    def decide(self, current: Entry | None, now: float) -> Decision:
        raise self._error

    def may_retry_existing(self) -> bool:
        return False


def placed(key: Key) -> Key:
    """Return ``key`` with the namespace its kind demands: ``default`` where none is given, none for the cluster's.

    Raises BadRequestError for a name that cannot be one.
    """
    if not key.name:
        raise BadRequestError("a name is required", resource=key.kind.resource)
    if "/" in key.name or "/" in key.namespace or "\0" in key.name or "\0" in key.namespace:
        raise BadRequestError(f"no object can be called {str(key)!r}", resource=key.kind.resource, name=key.name)
    namespace = namespace_for(key.kind, key.namespace)
    return key if namespace == key.namespace else Key(key.kind, namespace, key.name)


def namespace_for(kind: Kind, namespace: str) -> str:
    """Return where an object of ``kind`` lives when its client says ``namespace``."""
    return (namespace or "default") if kind.namespaced else ""


def store_key(key: Key) -> str:
    """Return the key in the store."""
    return f"{key.namespace}/{key.name}"


def token_of(options: WriteOptions) -> str:
    """Return the write's token as the store knows it, empty for none."""
    return "" if options.token is None else str(options.token)


@dataclass(frozen=True, slots=True)
class Writer:
    """Turns decided objects into mutations; ``max_bytes`` is how large an object may be.

    Quotas are drawn on here, where all else is decided: admission asks them last.
    """

    max_bytes: int
    quotas: Quotas

    def encode(self, key: Key, obj: ApiObject) -> bytes:
        """Return ``obj`` as it is stored, without a resource version; raises RequestTooLargeError."""
        obj.metadata.ClearField("resource_version")
        if key.kind.is_custom and isinstance(obj, StoredObject) and isinstance(key.kind, CustomKind):
            # Conversion is a change of version and nothing else.
            obj.api_version = f"{key.kind.group}/{key.kind.stored_version}"
        value = obj.SerializeToString(deterministic=True)
        if len(value) > self.max_bytes:
            raise too_large(key, len(value), self.max_bytes)
        return value

    def create(self, key: Key, obj: ApiObject, options: WriteOptions) -> Proposal:
        """Propose to store a new object; raises AdmissionRefusedError for what a quota does not allow."""
        value = self.encode(key, obj)
        hold = self.quotas.charge(key.kind, obj)
        mutation = Mutation(
            key.kind.resource,
            store_key(key),
            value,
            Require.ABSENT,
            namespace=key.namespace,
            fence=options.fence,
            token=token_of(options),
            claims=_claims(key, obj),
            reckoning=self._reckoning(key.kind, hold, obj),
        )
        return Proposal(mutation, value, hold=hold)

    def replace(self, key: Key, new: ApiObject, old: ApiObject, current: Entry, options: WriteOptions) -> Decision:
        """Propose to store ``new`` over ``old``, or to remove it when that was all it waited for.

        Raises AdmissionRefusedError for what a quota does not allow.
        """
        if is_finished(new):
            return self.remove(key, new, current, options)
        if is_unchanged(new, old) and not _is_outdated(key, current):
            return Unchanged(current)
        value = self.encode(key, new)
        hold = self.quotas.charge(key.kind, new, old, current.revision) if key.kind in GROWING else None
        mutation = Mutation(
            key.kind.resource,
            current.key,
            value,
            Require.REVISION,
            revision=current.revision,
            sealed=is_sealed(new),
            log_previous=_is_selected_otherwise(key, new, old),
            fence=options.fence,
            token=token_of(options),
            claims=_claims(key, new),
            frees=tuple(sorted(claims_of(old) - claims_of(new))) if key.kind is SERVICE else (),
            reckoning=hold.reckoning
            if hold
            else self.quotas.revision(new, old)
            if key.kind is RESOURCE_QUOTA
            else None,
        )
        return Proposal(mutation, value, hold=hold)

    def remove(self, key: Key, last: ApiObject, current: Entry, options: WriteOptions) -> Proposal:
        """Propose to remove the object, of which ``last`` is the final state to answer with."""
        mutation = Mutation(
            key.kind.resource,
            current.key,
            None,
            Require.REVISION,
            revision=current.revision,
            fence=options.fence,
            token=token_of(options),
            frees=_claims(key, current.encoded.parse()) if key.kind is SERVICE else (),
        )
        return Proposal(mutation, self.encode(key, last))

    def _reckoning(
        self, kind: Kind, hold: Hold | None, new: ApiObject, old: ApiObject | None = None
    ) -> Reckoning | None:
        if hold is not None:
            return hold.reckoning
        return self.quotas.revision(new, old) if kind is RESOURCE_QUOTA else None


def _is_outdated(key: Key, current: Entry) -> bool:
    """Return whether a custom object is stored in a version that is not that for storage any more."""
    if not isinstance(key.kind, CustomKind):
        return False
    told = custom_kind_in(current.encoded.value)
    return told is not None and told.version != key.kind.stored_version


def _claims(key: Key, obj: ApiObject) -> tuple[str, ...]:
    return tuple(sorted(claims_of(obj))) if key.kind is SERVICE else ()


def _is_selected_otherwise(key: Key, new: ApiObject, old: ApiObject) -> bool:
    """Return whether a selector may see a difference: filtered watches then need to know what the object was."""
    return not same_texts(new.metadata.labels, old.metadata.labels) or not have_same_fields(key.kind, new, old)
