"""Which pods of a node a drain sends away, which it leaves, and which forbid it. Pure; the words are kubectl's.

Source: kubernetes/kubectl pkg/drain/filters.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from rollplane.core.v1 import Pod
from rollplane_machinery.metadata import controller_of, is_being_deleted
from rollplane_machinery.pods import is_pod_finished
from rollplane_machinery.times import to_seconds

MIRROR_ANNOTATION = "kubernetes.io/config.mirror"

IGNORING_DAEMONS = "ignoring DaemonSet-managed Pods"
DELETING_LOCAL_STORAGE = "deleting Pods with local storage"
DELETING_UNMANAGED = "deleting Pods that declare no controller"
DAEMONS_FORBID = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
LOCAL_STORAGE_FORBIDS = "Pods with local storage (use --delete-emptydir-data to override)"
UNMANAGED_FORBID = "Pods that declare no controller (use --force to override)"


@dataclass(frozen=True, slots=True)
class DrainRules:
    """What the caller allows. ``skip_after_seconds``: pods that have been going for longer are not waited for; 0: none.

    ``missing_daemon_sets`` maps ``namespace/name`` of DaemonSets that are gone to the server's sentence about them.
    """

    ignore_daemon_sets: bool = False
    delete_local_data: bool = False
    force: bool = False
    skip_after_seconds: int = 0
    missing_daemon_sets: Mapping[str, str] | None = None


class _Fate(Enum):
    GO = "go"
    STAY = "stay"
    FORBID = "forbid"


@dataclass(frozen=True, slots=True)
class _Ruling:
    """What becomes of one pod, and why, where that is worth a word."""

    fate: _Fate = _Fate.GO
    message: str = ""


_GO, _STAY = _Ruling(), _Ruling(_Fate.STAY)


@dataclass(frozen=True, slots=True)
class Choice:
    """The pods that go; one warning for all that is done in spite of something; the errors that forbid the drain."""

    going: tuple[Pod, ...]
    warning: str
    errors: tuple[str, ...]


def choose_pods(pods: Sequence[Pod], rules: DrainRules, now: float) -> Choice:
    """Return what a drain by ``rules`` does with the ``pods`` of a node."""
    rulings = [(pod, _rule(pod, rules, now)) for pod in pods]
    warnings = _by_message((pod, one) for pod, one in rulings if one.fate is not _Fate.FORBID and one.message)
    forbidding = _by_message((pod, one) for pod, one in rulings if one.fate is _Fate.FORBID)
    return Choice(
        going=tuple(pod for pod, one in rulings if one.fate is _Fate.GO),
        warning="; ".join(f"{message}: {', '.join(names)}" for message, names in warnings.items()),
        errors=tuple(f"cannot delete {message}: {', '.join(names)}" for message, names in forbidding.items()),
    )


def daemon_sets_of(pods: Iterable[Pod]) -> list[tuple[str, str]]:
    """Return namespace and name of each DaemonSet that controls one of ``pods``."""
    found = {
        (pod.metadata.namespace, owner.name): None
        for pod in pods
        if (owner := controller_of(pod.metadata)) is not None and owner.kind == "DaemonSet"
    }
    return list(found)


def _rule(pod: Pod, rules: DrainRules, now: float) -> _Ruling:
    """Ask each rule in turn: the first that keeps the pod here decides, else the last one's word counts."""
    ruling = _GO
    for rule in (_rule_going(pod, rules, now), _rule_daemon(pod, rules), _rule_mirror(pod), _rule_local(pod, rules)):
        if rule.fate is not _Fate.GO:
            return rule
        ruling = rule if rule.message else ruling
    unmanaged = _rule_unmanaged(pod, rules)
    return unmanaged if unmanaged.message else ruling


def _rule_going(pod: Pod, rules: DrainRules, now: float) -> _Ruling:
    if not rules.skip_after_seconds or not is_being_deleted(pod.metadata):
        return _GO
    long_ago = now - to_seconds(pod.metadata.deletion_timestamp) > rules.skip_after_seconds
    return _STAY if long_ago else _GO


def _rule_daemon(pod: Pod, rules: DrainRules) -> _Ruling:
    owner = controller_of(pod.metadata)
    if owner is None or owner.kind != "DaemonSet" or is_pod_finished(pod):
        return _GO
    missing = (rules.missing_daemon_sets or {}).get(f"{pod.metadata.namespace}/{owner.name}")
    if missing is not None:
        return _Ruling(_Fate.GO if rules.force else _Fate.FORBID, missing)
    if not rules.ignore_daemon_sets:
        return _Ruling(_Fate.FORBID, DAEMONS_FORBID)
    return _Ruling(_Fate.STAY, IGNORING_DAEMONS)


def _rule_mirror(pod: Pod) -> _Ruling:
    return _STAY if MIRROR_ANNOTATION in pod.metadata.annotations else _GO


def _rule_local(pod: Pod, rules: DrainRules) -> _Ruling:
    if is_pod_finished(pod) or not any(volume.volume_source.HasField("empty_dir") for volume in pod.spec.volumes):
        return _GO
    if rules.delete_local_data:
        return _Ruling(_Fate.GO, DELETING_LOCAL_STORAGE)
    return _Ruling(_Fate.FORBID, LOCAL_STORAGE_FORBIDS)


def _rule_unmanaged(pod: Pod, rules: DrainRules) -> _Ruling:
    if is_pod_finished(pod) or controller_of(pod.metadata) is not None:
        return _GO
    return _Ruling(_Fate.GO, DELETING_UNMANAGED) if rules.force else _Ruling(_Fate.FORBID, UNMANAGED_FORBID)


def _by_message(rulings: Iterable[tuple[Pod, _Ruling]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pod, ruling in rulings:
        found.setdefault(ruling.message, []).append(f"{pod.metadata.namespace}/{pod.metadata.name}")
    return found
