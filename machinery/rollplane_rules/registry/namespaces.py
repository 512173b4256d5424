"""A namespace's life: some stay for ever, the others are sealed when deleted and go when they are empty."""

from __future__ import annotations

from rollplane.core.v1 import Namespace
from rollplane_machinery.errors import ForbiddenError
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.metadata import is_being_deleted

INITIAL = ("default", "kube-system", "kube-public", "kube-node-lease")
"""The namespaces every plane has from the start."""

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


def check_mortal(namespace: Namespace) -> None:
    """Raise ForbiddenError for a namespace that every plane must have."""
    name = namespace.metadata.name
    if name in IMMORTAL:
        raise ForbiddenError(
            f'namespaces "{name}" is forbidden: this namespace may not be deleted', resource="namespaces", name=name
        )


def is_sealed(obj: ApiObject) -> bool:
    """Return whether ``obj`` is a namespace that takes no new objects."""
    return isinstance(obj, Namespace) and is_being_deleted(obj.metadata)


def finalized(new: Namespace, old: Namespace) -> Namespace:
    """Return ``old`` with the finalizers in ``new``'s spec, which is all that the finalize subresource changes."""
    result = Namespace()
    result.CopyFrom(old)
    del result.spec.finalizers[:]
    result.spec.finalizers.extend(new.spec.finalizers)
    return result
