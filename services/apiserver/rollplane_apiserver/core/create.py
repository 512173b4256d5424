"""Storing a new object."""

from __future__ import annotations

from rollplane.core.v1 import Pod
from rollplane_apiserver.core.step import Proposal, namespace_for, token_of
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Create, Key, WriteOptions
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import ApiObject, Kind
from rollplane_machinery.names import generate_name
from rollplane_rules.strategy import prepare_create

MAX_NAME_TRIES = 8


def propose_create(tools: Tools, kind: Kind, obj: ApiObject, now: float, options: WriteOptions) -> Proposal:
    """Propose to store ``obj``, named already, as a new object; raises what refuses it."""
    prepare_create(obj, now=now, uid=tools.identifiers.uid(), release=tools.release)
    if isinstance(obj, Pod):
        tools.place(obj)
    tools.judge.admit_new(obj)
    return tools.writer.create(Key(kind, obj.metadata.namespace, obj.metadata.name), obj, options)


class CreateStep:
    """A create; a name that has to be generated is another one at each try."""

    reads = False
    is_live = False
    max_tries = MAX_NAME_TRIES
    deletes = False

    def __init__(self, write: Create, tools: Tools) -> None:
        self._write = write
        self._tools = tools
        self._names = 0
        self.options = write.options
        self.key = write.key

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
