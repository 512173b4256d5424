"""The end of a namespace: what is left in it, shown as conditions, and when it may go.

Source: docs/semantics/api-conventions.md section 11; conditions as in kubernetes/kubernetes
pkg/controller/namespace/deletion/status_condition_utils.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rollplane.core.v1 import Namespace, NamespaceCondition
from rollplane_machinery.kinds import KINDS, POD, Kind
from rollplane_machinery.releases import Release
from rollplane_machinery.times import set_time

FINALIZER = "kubernetes"
CONTENT: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind.namespaced)
"""What a namespace can hold."""

_UNTROUBLED = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
)
"""What cannot fail here: the kinds are known without asking, and no name of a version is parsed."""


def deleted_first(release: Release) -> tuple[Kind, ...]:
    """Return what must have gone before all else is touched: from 1.33 on pods, which may need the rest to end well."""
    return (POD,) if release.pods_deleted_first else ()


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is left of one kind: ``count`` objects, and how many of those looked at have each finalizer."""

    kind: Kind
    count: int
    finalizers: Counter[str] = field(default_factory=Counter)


def may_go(namespace: Namespace, left: Sequence[Remainder]) -> bool:
    """Tell whether our finalizer can be removed: nothing is left, and it has not been removed before."""
    return not left and FINALIZER in namespace.spec.finalizers


def other_finalizers(namespace: Namespace) -> list[str]:
    """Return the finalizers in the spec that others answer for."""
    return [one for one in namespace.spec.finalizers if one != FINALIZER]


def with_conditions(namespace: Namespace, left: Sequence[Remainder], failures: Sequence[str], now: float) -> Namespace:
    """Return a copy that says what is left, which finalizers hold it, and which deletions failed, one text for each.

    Equal to ``namespace`` if that says so already.
    """
    wanted = Namespace()
    wanted.CopyFrom(namespace)
    for type_, reason, message in _UNTROUBLED:
        _show(wanted, type_, reason, message, present=False, now=now)
    failed = ", ".join(sorted(failures))
    _show(
        wanted,
        "NamespaceDeletionContentFailure",
        "ContentDeletionFailed" if failures else "ContentDeleted",
        f"Failed to delete all resource types, {len(failures)} remaining: {failed}"
        if failures
        else "All content successfully deleted, may be waiting on finalization",
        present=bool(failures),
        now=now,
    )
    counts = ", ".join(sorted(f"{_named(one.kind)} has {one.count} resource instances" for one in left))
    _show(
        wanted,
        "NamespaceContentRemaining",
        "SomeResourcesRemain" if left else "ContentRemoved",
        f"Some resources are remaining: {counts}" if left else "All content successfully removed",
        present=bool(left),
        now=now,
    )
    finalizers: Counter[str] = sum((one.finalizers for one in left), Counter())
    held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
    _show(
        wanted,
        "NamespaceFinalizersRemaining",
        "SomeFinalizersRemain" if held else "ContentHasNoFinalizers",
        f"Some content in the namespace has finalizers remaining: {held}"
        if held
        else "All content-preserving finalizers finished",
        present=bool(held),
        now=now,
    )
    return wanted


def _named(kind: Kind) -> str:
    """Return resource and group with a dot between, also where the group has no name."""
    return kind.resource if kind.group else f"{kind.resource}."


def _show(namespace: Namespace, type_: str, reason: str, message: str, *, present: bool, now: float) -> None:
    """Set one condition in place; its time moves only with its status."""
    status = "True" if present else "False"
    condition = next((one for one in namespace.status.conditions if one.type == type_), None)
    if condition is None:
        condition = namespace.status.conditions.add(type=type_)
    if condition.status != status:
        set_time(condition.last_transition_time, now)
    condition.MergeFrom(NamespaceCondition(status=status, reason=reason, message=message))
