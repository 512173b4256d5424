"""Whom a change to a dependent concerns: the owners it had and has, and, for an orphan, those that may adopt it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rollplane_controller.reconcile.observer import BY_UID, Observer
from rollplane_controller.reconcile.reconciler import Wake
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import EventType, Key
from rollplane_machinery.kinds import Kind, Workload
from rollplane_machinery.selectors import pod_selector_of


class Names:
    """The names of a kind's objects in a namespace, asked for one at a time: collisions are rarely looked for."""

    def __init__(self, observer: Observer, kind: Kind, namespace: str) -> None:
        self._observer, self._kind, self._namespace = observer, kind, namespace

    def __contains__(self, name: object) -> bool:
        return self._observer.informer.get(Key(self._kind, self._namespace, str(name))) is not None


def _never(_old: View, _new: View) -> bool:
    return False


def wake_owners(
    observer: Observer, owner: Kind, dependent: Kind, wake: Wake, are_alike: Callable[[View, View], bool] = _never
) -> None:
    """Wake the owners of kind ``owner`` whenever a ``dependent`` of theirs, or an orphan they select, changes.

    They are let sleep through changes between views that ``are_alike`` to them.
    """

    def on_change(_type: EventType, key: Key, old: View | None, new: View | None) -> None:
        if old is not None and new is not None and are_alike(old, new):
            return
        before = old.controller_uid if old is not None else None
        after = new.controller_uid if new is not None else None
        for uid in (before, after) if before != after else (after,):
            for concerned in observer.informer.indexed(owner, BY_UID, uid) if uid else ():
                wake(concerned)
        if new is not None and not after:
            for concerned in _possible_adopters(observer, owner, key.namespace, new):
                wake(concerned)

    observer.informer.add_handler(dependent, on_change)


def _possible_adopters(observer: Observer, owner: Kind, namespace: str, orphan: View) -> Iterator[Key]:
    for key, _ in observer.namespace_of_kind(owner, namespace):
        encoded = observer.informer.encoded(key)
        workload = encoded.parse() if encoded is not None else None
        if isinstance(workload, Workload) and pod_selector_of(workload).matches(orphan.labels):
            yield key
