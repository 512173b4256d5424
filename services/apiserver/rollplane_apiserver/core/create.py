"""Storing a new object."""

from __future__ import annotations

from dataclasses import replace

from rollplane.core.v1 import Pod
from rollplane_apiserver.core.owners import enter, settle_owners
from rollplane_apiserver.core.refusals import account_missing
from rollplane_apiserver.core.step import Proposal, namespace_for, token_of
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Create, Key, WriteOptions
from rollplane_machinery.errors import BadRequestError, ForbiddenError
from rollplane_machinery.fields import Managers
from rollplane_machinery.kinds import POD, ApiObject, Kind
from rollplane_machinery.names import generate_name
from rollplane_rules.strategy import not_acted_upon, prepare_create

MAX_NAME_TRIES = 8
DEFAULT_ACCOUNT = "default"
"""Taken to be in every namespace, as clusters put it there."""


def propose_create(
    tools: Tools, kind: Kind, obj: ApiObject, now: float, options: WriteOptions, managers: Managers | None = None
) -> Proposal:
    """Propose to store ``obj``, named already, as a new object; raises what refuses it.

    ``managers`` are its owners where it is applied. Otherwise its writer owns what it says and what is defaulted, but
    not what admission adds.
    """
    prepare_create(obj, now=now, uid=tools.identifiers.uid(), release=tools.release)
    key = Key(kind, obj.metadata.namespace, obj.metadata.name)
    if managers is not None:
        enter(obj, None, managers)
    else:
        if options.track_fields:
            tools.judge.complete(obj)
        settle_owners(key, obj, None, options, now)
    if isinstance(obj, Pod):
        tools.place(obj)
    tools.judge.admit_new(obj)
    tools.addresses.give(obj)
    proposal = tools.writer.create(key, obj, options)
    return replace(proposal, warnings=(not_acted_upon(kind),)) if kind.is_stored_only else proposal


def looks_live(options: WriteOptions, key: Key) -> bool:
    """Return whether a create has to be decided on the newest cache: a rehearsed pod has no second chance."""
    return options.dry_run and key.kind is POD


def missing_account(tools: Tools, obj: ApiObject) -> ForbiddenError | None:
    """Return what refuses ``obj``, a new one, when it is a pod whose ServiceAccount the cache does not hold."""
    if not isinstance(obj, Pod):
        return None
    name = obj.spec.service_account_name
    if name == DEFAULT_ACCOUNT or not tools.misses_account(obj.metadata.namespace, name):
        return None
    return account_missing(obj, name)


class CreateStep:
    """A create; a name that has to be generated is another one at each try.

    A pod's ServiceAccount is looked for in the cache. What is not there makes the step a live one: the pipeline brings
    the cache up to date and has it decided again, so that no lag refuses a pod.
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
        self.is_live = looks_live(write.options, write.key)

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
        proposal = propose_create(self._tools, self.key.kind, obj, now, self.options)
        if missing := missing_account(self._tools, obj):
            self.is_live = True
            raise missing
        return proposal

    def may_retry_existing(self) -> bool:
        # Whoever chose the name must hear that it is taken; a generated one was bad luck.
        return self._names > 0

    def _generated(self, base: str) -> str:
        self._names += 1
        return generate_name(base, self._tools.identifiers.suffix(token_of(self.options), self._names))
