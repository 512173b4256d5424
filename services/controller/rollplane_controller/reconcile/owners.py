"""What is known of owners: where the cache has them, and, read live, which others exist.

Absence is never taken from the cache: an owner that it does not know is read live.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from rollplane.meta.v1 import ObjectMeta, OwnerReference
from rollplane_client.customs import read_all
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import Key, ObjectApi
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import BY_API_VERSION_KIND, CustomKind
from rollplane_machinery.well_known import FOREGROUND
from rollplane_planners.garbage import Standing

V = TypeVar("V")

REMEMBERED_UIDS = 4096
ALIVE_SECONDS = 1.0
"""How long an owner that was read live counts as there: as long as the many dependents of one are looked at."""


class Owners:
    """Owners by uid, as the cache shows them (``note``, ``forget``) and as they were read live."""

    def __init__(self, observer: Observer, api: ObjectApi, clock: Clock) -> None:
        self._observer = observer
        self._api = api
        self._clock = clock
        self._present: dict[str, Key] = {}
        self._absent: OrderedDict[str, None] = OrderedDict()
        self._alive: OrderedDict[str, float] = OrderedDict()

    def note(self, uid: str, key: Key) -> None:
        """The cache shows the object with that uid under ``key``."""
        self._present[uid] = key

    def forget(self, uid: str) -> None:
        """The cache shows it no more."""
        self._present.pop(uid, None)

    def find(self, uid: str) -> tuple[Key, View] | None:
        """Return the owner as the cache shows it."""
        key = self._present.get(uid)
        view = self._observer.informer.get(key) if key else None
        return (key, view) if key is not None and view is not None else None

    def is_lacking(self, view: View) -> bool:
        """Tell whether the cache lacks an owner of the object."""
        return any(self._seen(uid, view.namespace) is None for uid in view.owner_uids)

    def _seen(self, uid: str, namespace: str) -> Key | None:
        """Return where the cache has the owner; one in another namespace is none."""
        key = self._present.get(uid)
        return key if key is not None and key.namespace in ("", namespace) else None

    def unseen(self, metadata: ObjectMeta, namespace: str) -> dict[str, Key]:
        """Return its owners, by uid, that the cache does not show and that are not known to be absent."""
        return {
            reference.uid: owner
            for reference in metadata.owner_references
            if reference.uid not in self._present and reference.uid not in self._absent
            if (owner := _key_of(reference, namespace)) is not None
        }

    def are_alive(self, uids: Iterable[str]) -> bool:
        """Tell whether all of them were just read live, and were there."""
        since = self._clock.monotonic() - ALIVE_SECONDS
        return all(self._alive.get(uid, -math.inf) >= since for uid in uids)

    async def look_up(self, unseen: Mapping[str, Key]) -> None:
        """Read owners that nobody has read just now. Raises what the Api raises."""
        for uid, owner in unseen.items():
            if uid not in self._absent and not self.are_alive((uid,)):
                await self._look_up(uid, await self._placed(owner))

    async def _placed(self, owner: Key) -> Key | None:
        """Return where an owner is that may be of a custom kind; None for a kind that nobody has defined."""
        if not owner.kind.is_custom:
            return owner
        customs = await read_all(self._api)
        kind = customs.by_type.get((owner.kind.api_version, owner.kind.name))
        return None if kind is None else Key(kind, owner.namespace if kind.namespaced else "", owner.name)

    async def _look_up(self, uid: str, owner: Key | None) -> None:
        """Note whether an owner exists; who is not there under that uid is absent for good: uids never come back.

        One of a kind that nobody has defined counts as there: waiting loses nothing.
        """
        if owner is None:
            _remember(self._alive, uid, self._clock.monotonic())
            return
        try:
            found = (await self._api.get(owner)).parse().metadata.uid
        except NotFoundError:
            found = ""
        if found == uid:
            _remember(self._alive, uid, self._clock.monotonic())
        else:
            _remember(self._absent, uid, None)

    def standing(self, uid: str, namespace: str) -> Standing:
        """Return how it stands with an owner; one of a kind unknown here counts as solid: waiting loses nothing."""
        if key := self._seen(uid, namespace):
            view = self._observer.informer.get(key)
            return Standing.WAITING if view is not None and waits(view) else Standing.SOLID
        gone = uid in self._present or uid in self._absent
        return Standing.DANGLING if gone else Standing.SOLID

    def is_in_circle(self, view: View) -> bool:
        """Tell whether, by way of owners that wait in the foreground, an object is an owner of its own."""
        passed: set[str] = set()
        ahead = list(view.owner_uids)
        while ahead:
            uid = ahead.pop()
            if uid == view.uid:
                return True
            found = self.find(uid)
            if found is not None and uid not in passed and waits(found[1]):
                passed.add(uid)
                ahead.extend(found[1].owner_uids)
        return False


def waits(view: View) -> bool:
    """Tell whether an object is being deleted in the foreground."""
    return view.terminating and FOREGROUND in view.finalizers


def _key_of(reference: OwnerReference, namespace: str) -> Key | None:
    """Return where the owner must be: in the dependent's namespace or cluster-scoped; None for a kind unknown here.

    Of custom kinds only their definitions tell.
    """
    kind = BY_API_VERSION_KIND.get((reference.api_version, reference.kind))
    if kind is None:
        group, _, version = reference.api_version.partition("/")
        return Key(CustomKind(group, version, reference.kind, ""), namespace, reference.name) if version else None
    return Key(kind, namespace if kind.namespaced else "", reference.name)


def _remember(memory: OrderedDict[str, V], uid: str, what: V) -> None:
    memory[uid] = what
    if len(memory) > REMEMBERED_UIDS:
        memory.popitem(last=False)
