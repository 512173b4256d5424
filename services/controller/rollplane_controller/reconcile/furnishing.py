"""Observing for what every namespace has: it is made with the namespace, and again when somebody deletes it."""

from __future__ import annotations

from collections.abc import Iterator

from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import EventType, Key
from rollplane_machinery.kinds import CONFIG_MAP, NAMESPACE, SECRET, SERVICE, SERVICE_ACCOUNT
from rollplane_planners.furnishing import ACCOUNT, furniture, plan_furnishing
from rollplane_planners.model import NOTHING, Plan

_FURNITURE = (SERVICE_ACCOUNT, CONFIG_MAP, SECRET, SERVICE)


class Furnisher(Reconciler):
    """Its keys are the accounts ``default``, there or not: one for each namespace, in the shard of that namespace."""

    kind = SERVICE_ACCOUNT
    name = "namespace-furnisher"

    def attach(self, wake: Wake) -> None:
        self._wake = wake
        self._observer.informer.add_handler(NAMESPACE, self._on_namespace)
        for kind in _FURNITURE:
            self._observer.informer.add_handler(kind, self._on_furniture)

    def all_keys(self) -> Iterator[Key]:
        """Yield the accounts of all namespaces."""
        yield from (_account(key.name) for key, _ in self._observer.informer.items(NAMESPACE))

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        informer = self._observer.informer
        namespace = informer.get(Key(NAMESPACE, "", key.namespace))
        if namespace is None or namespace.terminating:
            return NOTHING
        present = [one for one in furniture(key.namespace, self._release) if informer.get(one) is not None]
        account = informer.get(key)
        return plan_furnishing(key.namespace, present, account.uid if account else "", self._release)

    def _on_namespace(self, type_: EventType, key: Key, _old: View | None, new: View | None) -> None:
        if type_ is EventType.ADDED and new is not None and not new.terminating:
            self._wake(_account(key.name))

    def _on_furniture(self, type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
        """What is gone is missed; what came may be what the account's Secret waits for."""
        is_news = type_ is EventType.DELETED or (type_ is EventType.ADDED and self._release.token_secrets)
        if is_news and key in furniture(key.namespace, self._release):
            self._wake(_account(key.namespace))


def _account(namespace: str) -> Key:
    return Key(SERVICE_ACCOUNT, namespace, ACCOUNT)
