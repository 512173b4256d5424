"""Storing a new object."""

from __future__ import annotations

from dataclasses import replace

from rollplane_apiserver.core.owners import enter, settle_owners
from rollplane_apiserver.core.step import Proposal, namespace_for, token_of
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Create, Key, WriteOptions
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.fields import Managers
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, ApiObject, Kind
from rollplane_machinery.names import generate_name
from rollplane_rules.strategy import not_acted_upon, prepare_create

MAX_NAME_TRIES = 8


def propose_create(
    tools: Tools, kind: Kind, obj: ApiObject, now: float, options: WriteOptions, managers: Managers | None = None
) -> Proposal:
    """Propose to store ``obj``, named already, as a new object; raises what refuses it.

    ``managers`` are its owners where it is applied. Otherwise its writer owns what it says and what is defaulted, but
    not what admission adds.
    """
    warnings = tools.judge.read_new(kind, obj, options.field_validation) if kind.is_stored_only else ()
    prepare_create(obj, now=now, uid=tools.identifiers.uid(), release=tools.release)
    key = Key(kind, obj.metadata.namespace, obj.metadata.name)
    if managers is not None:
        enter(obj, None, managers)
    else:
        if options.track_fields:
            tools.judge.complete(obj)
        settle_owners(key, obj, None, options, now)
    tools.admission.admit_new(kind, obj)
    tools.addresses.give(obj)
    if kind is CUSTOM_RESOURCE_DEFINITION:
        tools.settle_names(obj, now)
    proposal = tools.writer.create(key, obj, options)
    return replace(proposal, warnings=(*warnings, *not_acted_upon(kind))) if kind.is_stored_only else proposal


class CreateStep:
    """A create; a name that has to be generated is another one at each try.

    A rehearsed one is decided on the newest cache, since no commit will tell that it has moved on.
    """

    reads = False
    max_tries = MAX_NAME_TRIES
    deletes = False

    def __init__(self, write: Create, tools: Tools) -> None:
        self._write = write
        self._tools = tools
        self._names = 0
        self.options = write.options
        self.key = write.key
        self.is_live = write.options.dry_run

    def decide(self, current: Entry | None, now: float) -> Proposal:
        obj = self._write.object.parse()
        meta = obj.metadata
        if meta.resource_version:
            raise BadRequestError(
                "resourceVersion should not be set on objects to be created",
                resource=self.key.kind.resource,
                name=meta.name,
            )
        if not meta.name and meta.generate_name:
            meta.name = self._generated(meta.generate_name)
        self.key = Key(self.key.kind, namespace_for(self.key.kind, meta.namespace), meta.name)
        return propose_create(self._tools, self.key.kind, obj, now, self.options)

    def may_retry_existing(self) -> bool:
        # Whoever chose the name must hear that it is taken; a generated one was bad luck.
        return self._names > 0

    def _generated(self, base: str) -> str:
        self._names += 1
        return generate_name(base, self._tools.identifiers.suffix(token_of(self.options), self._names))
