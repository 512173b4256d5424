"""What is done to a new object, and what other objects have to say on it, in the order of Kubernetes' admission.

Other objects are looked for in the cache. So that no lag refuses a write, what is refused with AdmissionRefusedError is
decided again by the pipeline, with the cache brought up to date.
"""

from __future__ import annotations

from rollplane.core.v1 import PersistentVolumeClaim, Pod
from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.core.judge import Judge
from rollplane_apiserver.core.known import Known
from rollplane_apiserver.core.refusals import account_missing, not_admitted, uncalled
from rollplane_apiserver.core.step import store_key
from rollplane_apiserver.watch.cache import Cache
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import (
    LIMIT_RANGE,
    NAMESPACE,
    NODE,
    PRIORITY_CLASS,
    SERVICE_ACCOUNT,
    UNCALLED_KINDS,
    ApiObject,
    Kind,
    kind_of,
)
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import Release
from rollplane_rules.admission.limit_range import default_pod, read_limits, violations
from rollplane_rules.admission.priority import give_priority, priority_class_of, second_default
from rollplane_rules.registry.binding import copy_topology
from rollplane_rules.registry.namespaces import is_sealed

DEFAULT_ACCOUNT = "default"
"""Taken to be in every namespace, as clusters put it there."""


class Admission:
    """One core's; ``release`` is the Kubernetes it behaves as. Quotas come last, in ``quotas.py``."""

    def __init__(self, cache: Cache, judge: Judge, release: Release, *, ignore_webhooks: bool) -> None:
        self._cache = cache
        self._judge = judge
        self._release = release
        self._ignores_webhooks = ignore_webhooks
        self._limit_ranges = Known(cache, LIMIT_RANGE, read_limits)
        self._classes = Known(cache, PRIORITY_CLASS, priority_class_of)

    def admit_new(self, kind: Kind, obj: ApiObject) -> None:
        """Make a new object whole, in place; raises InvalidError, AdmissionRefusedError."""
        if isinstance(obj, StoredObject):
            self._check_called(kind_of(obj), obj.metadata.name)
        if isinstance(obj, Pod):
            self._default_resources(obj)
            self._check_account(obj)
            self._give_priority(obj)
            self.place(obj)
        self._judge.admit_new(kind, obj)
        self.check_limits(obj)
        self.check_default_class(obj)

    def check_limits(self, obj: ApiObject, old: ApiObject | None = None) -> None:
        """Raise AdmissionRefusedError for a new pod, or a claim new or changed, that breaks a LimitRange."""
        if not isinstance(obj, PersistentVolumeClaim) and (old is not None or not isinstance(obj, Pod)):
            return
        if old is not None and is_being_deleted(old.metadata):
            return
        for limits in self._limit_ranges.of(obj.metadata.namespace):
            if why := violations(limits, obj, old):
                raise not_admitted(obj, why)

    def check_default_class(self, obj: ApiObject) -> None:
        """Raise AdmissionRefusedError for a PriorityClass that would be a second default."""
        if not isinstance(obj, StoredObject) or kind_of(obj) is not PRIORITY_CLASS:
            return
        if why := second_default(obj, self._classes.of("")):
            raise not_admitted(obj, why)

    def place(self, pod: Pod) -> None:
        """Give a pod that has a node, in place, what it gets from there: zone and region, by release."""
        if not self._release.topology_labels or not pod.spec.node_name:
            return
        node = self._entry(Key(NODE, "", pod.spec.node_name))
        if node is not None:
            copy_topology(pod, node.encoded.parse().metadata.labels)

    def _default_resources(self, pod: Pod) -> None:
        ranges = self._limit_ranges.of(pod.metadata.namespace)
        if ranges:
            self._judge.complete(pod)  # requests follow from the pod's own limits first
        for limits in ranges:
            default_pod(limits, pod)

    def _check_called(self, kind: Kind, name: str) -> None:
        """Raise ForbiddenError for what would have others asked, which nobody does here; unless that is known."""
        if kind in UNCALLED_KINDS and not self._ignores_webhooks:
            raise uncalled(Key(kind, "", name))

    def _check_account(self, pod: Pod) -> None:
        """Raise AdmissionRefusedError where there is no such ServiceAccount.

        In a namespace that takes no pods it is the commit that tells so.
        """
        name = pod.spec.service_account_name or pod.spec.service_account or DEFAULT_ACCOUNT
        if name == DEFAULT_ACCOUNT:
            return
        namespace = pod.metadata.namespace
        if self._entry(Key(SERVICE_ACCOUNT, namespace, name)) is None and self._is_open(namespace):
            raise account_missing(pod, name)

    def _give_priority(self, pod: Pod) -> None:
        """Give a pod what its PriorityClass says; raises AdmissionRefusedError where it does not fit, as above."""
        why = give_priority(pod.spec, self._classes.of(""))
        if why and self._is_open(pod.metadata.namespace):
            raise not_admitted(pod, why, pod.metadata.generate_name)

    def _is_open(self, namespace: str) -> bool:
        entry = self._entry(Key(NAMESPACE, "", namespace))
        return entry is not None and not is_sealed(entry.encoded.parse())

    def _entry(self, key: Key) -> Entry | None:
        return self._cache.entry(key.kind, store_key(key))
