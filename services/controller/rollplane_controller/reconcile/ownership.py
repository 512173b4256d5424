"""Whom a change to a dependent concerns: the owners it had and has, and, for an orphan, those that may adopt it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rollplane_controller.reconcile.observer import BY_UID, Observer
from rollplane_controller.reconcile.reconciler import Wake
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import EventType, Key
from rollplane_machinery.kinds import Kind

Selects = Callable[[Key, Mapping[str, str]], bool]
"""Tells whether the owner under a key selects these labels."""


class Names:
    """The names of a kind's objects in a namespace, asked for one at a time: collisions are rarely looked for."""

    def __init__(self, observer: Observer, kind: Kind, namespace: str) -> None:
        self._observer, self._kind, self._namespace = observer, kind, namespace

    def __contains__(self, name: object) -> bool:
        return self._observer.informer.get(Key(self._kind, self._namespace, str(name))) is not None


def wake_owners(observer: Observer, owner: Kind, dependent: Kind, selects: Selects, wake: Wake) -> None:
    """Wake the owners of kind ``owner`` whenever a ``dependent`` of theirs, or an orphan they select, changes."""

    def on_change(_type: EventType, key: Key, old: View | None, new: View | None) -> None:
        for concerned in _owners_concerned(observer, owner, key, old, new, selects):
            wake(concerned)

    observer.informer.add_handler(dependent, on_change)


def _owners_concerned(
    observer: Observer, owner: Kind, key: Key, old: View | None, new: View | None, selects: Selects
) -> Iterator[Key]:
    """Yield the keys of the owners that a change from ``old`` to ``new`` concerns."""
    uids = {view.controller_uid for view in (old, new) if view is not None and view.controller_uid}
    for uid in sorted(uids):
        yield from observer.informer.indexed(owner, BY_UID, uid)
    if new is not None and not new.controller_uid:
        for candidate, _ in observer.namespace_of_kind(owner, key.namespace):
            if selects(candidate, new.labels):
                yield candidate
