"""What the reconcilers see of the world: one informer over all kinds they need, with the indexes they ask for.

One watch for all kinds means one revision: when the informer has reached it, everything up to it has been seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from rollplane.core.v1 import Pod, PodTemplateSpec
from rollplane_client.cache import IndexValues
from rollplane_client.informer import Informer
from rollplane_controller.reconcile.views import View, WatchedPod, make_view
from rollplane_machinery.api import Key, ObjectApi, WatchFilter
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import InternalError
from rollplane_machinery.kinds import POD, ApiObject, Encoded, Kind
from rollplane_planners.pods import PodView
from rollplane_planners.templates import Templates
from rollplane_rules.defaults import default_pod_spec

M = TypeVar("M", bound=ApiObject)

BY_CONTROLLER = "controller uid"
BY_OTHER_OWNER = "uid of an owner that does not control it"
BY_NAMESPACE = "namespace"
ORPHANS = "namespace of orphans"
BY_UID = "uid"
BY_NODE = "node name"
ENDING = "pods that are being deleted or have ended"

INDEXES: Mapping[str, IndexValues[View]] = {
    BY_CONTROLLER: lambda view: (view.controller_uid,) if view.controller_uid else (),
    BY_OTHER_OWNER: lambda view: view.other_owner_uids,
    BY_NAMESPACE: lambda view: (view.namespace,),
    ORPHANS: lambda view: () if view.controller_uid else (view.namespace,),
}


class Observer:
    """The shared informer and typed ways to ask it. What is read is as of its revision; nothing blocks.

    Of the kinds in ``metadata_only`` nothing else is kept.
    """

    def __init__(
        self, api: ObjectApi, kinds: Sequence[Kind], clock: Clock, metadata_only: Collection[Kind] = frozenset()
    ) -> None:
        filters = [WatchFilter(kind, metadata_only=kind in metadata_only) for kind in kinds]
        self._metadata_only = metadata_only
        self.informer: Informer[View] = Informer(api, filters, self._view, clock=clock)
        for kind in kinds:
            for name, values in INDEXES.items():
                self.informer.add_index(kind, name, values)
            # An index costs each object a tenth of a kilobyte, and there are many pods, which nobody seeks by uid.
            name, values = (BY_NODE, _node_of) if kind is POD else (BY_UID, _uid_of)
            self.informer.add_index(kind, name, values)
            if kind is POD:
                self.informer.add_index(kind, ENDING, _ending)
        self.informer.on_progress(self._tell_waiting)
        self._waiting: dict[Callable[[int], None], None] = {}
        self.templates = Templates(_complete)
        """Compares pod templates by what they mean under the defaults of today."""

    def at_next_progress(self, callback: Callable[[int], None]) -> None:
        """Call ``callback`` once, with the revision that the informer reaches next; after all handlers."""
        self._waiting[callback] = None

    def _tell_waiting(self, revision: int) -> None:
        waiting, self._waiting = self._waiting, {}
        for callback in waiting:
            callback(revision)

    def _view(self, encoded: Encoded) -> View:
        return make_view(encoded, self.informer.get)

    def message(self, key: Key, type_: type[M]) -> M | None:
        """Return the object parsed, None when it is not there; raises InternalError for a kind without contents."""
        if key.kind in self._metadata_only:
            raise InternalError(f"{key} is watched for its metadata only")
        encoded = self.informer.encoded(key)
        if encoded is None:
            return None
        message = encoded.parse()
        if not isinstance(message, type_):
            raise InternalError(f"{key} holds no {type_.__name__}")
        return message

    def controlled(self, kind: Kind, uid: str) -> Iterator[tuple[Key, View]]:
        """Return what of ``kind`` is controlled by the owner with that uid."""
        return iter(self.informer.indexed(kind, BY_CONTROLLER, uid).items())

    def dependents(self, kind: Kind, uid: str) -> Iterator[tuple[Key, View]]:
        """Yield what of ``kind`` the owner with that uid owns, whether it controls it or not."""
        yield from self.controlled(kind, uid)
        yield from self.informer.indexed(kind, BY_OTHER_OWNER, uid).items()

    def orphans(self, kind: Kind, namespace: str) -> Iterator[tuple[Key, View]]:
        """Return what of ``kind`` in the namespace nobody controls."""
        return iter(self.informer.indexed(kind, ORPHANS, namespace).items())

    def controlled_pods(self, uid: str) -> Iterator[PodView]:
        """Yield the pods that the owner with that uid controls."""
        yield from (view.pod for _, view in self.controlled(POD, uid) if isinstance(view, WatchedPod))

    def claimable_pods(self, uid: str, namespace: str) -> list[PodView]:
        """Return the pods that the owner with that uid controls, and the orphans it might adopt."""
        mine, nobodys = self.informer.indexed(POD, BY_CONTROLLER, uid), self.informer.indexed(POD, ORPHANS, namespace)
        found = (*mine.values(), *nobodys.values()) if nobodys else mine.values()
        return [view.pod for view in found if isinstance(view, WatchedPod)]

    def claimable(self, kind: Kind, type_: type[M], uid: str, namespace: str) -> list[M]:
        """Return what of ``kind`` the owner with that uid controls, and the orphans it might adopt, parsed."""
        found = [*self.controlled(kind, uid), *self.orphans(kind, namespace)]
        return [message for key, _ in found if (message := self.message(key, type_)) is not None]

    def fetch_pod(self, view: PodView) -> Pod:
        """Return a pod whole, as planners ask for it."""
        pod = self.message(Key(POD, view.namespace, view.name), Pod)
        if pod is None:
            raise InternalError(f"pod {view.namespace}/{view.name} left the cache while it was planned with")
        return pod

    def pods_on(self, node: str) -> Iterator[tuple[Key, WatchedPod]]:
        """Yield the pods bound to the node of that name, whatever has become of it."""
        for key, view in self.informer.indexed(POD, BY_NODE, node).items():
            if isinstance(view, WatchedPod):
                yield key, view

    def stranded_pods(self, nodes: Collection[str]) -> Iterator[PodView]:
        """Yield the pods bound to others than ``nodes``, and those that are being deleted or have ended."""
        for name in self.informer.index_values(POD, BY_NODE):
            if isinstance(name, str) and name not in nodes:
                yield from (view.pod for _, view in self.pods_on(name))
        for view in self.informer.indexed(POD, ENDING, True).values():
            if isinstance(view, WatchedPod) and (not view.pod.node_name or view.pod.node_name in nodes):
                yield view.pod

    def namespace_of_kind(self, kind: Kind, namespace: str) -> Iterator[tuple[Key, View]]:
        """Yield all objects of ``kind`` in the namespace."""
        yield from self.informer.indexed(kind, BY_NAMESPACE, namespace).items()


def _complete(template: PodTemplateSpec) -> None:
    default_pod_spec(template.spec, of_object=False)


def _uid_of(view: View) -> tuple[str]:
    return (view.uid,)


def _ending(view: View) -> tuple[bool, ...]:
    return (True,) if isinstance(view, WatchedPod) and not view.pod.active else ()


def _node_of(view: View) -> tuple[str, ...]:
    return (view.pod.node_name,) if isinstance(view, WatchedPod) and view.pod.node_name else ()
