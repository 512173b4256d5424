"""How far a rollout may deviate from the size that is wanted, for every kind.

Source: docs/semantics/deployment.md section 1, rolling-update.md section 7, statefulset.md section 5 and daemonset.md
section 5. The invariants (rollplane_machinery.invariants) reckon for themselves, so that they find what is wrong here.
"""

from __future__ import annotations

from rollplane.apps.v1 import DaemonSet, DeploymentSpec, StatefulSet
from rollplane.meta.v1 import IntOrString
from rollplane_machinery.frozen import frozen
from rollplane_machinery.int_or_string import resolve

RECREATE = "Recreate"
ROLLING_UPDATE = "RollingUpdate"
NO_LIMIT = 2**31 - 1


@frozen
class Limits:
    """Pods: the wanted number, how many more there may be, and how many of them may be missing."""

    replicas: int
    max_surge: int
    max_unavailable: int

    @property
    def max_total(self) -> int:
        return self.replicas + self.max_surge

    @property
    def min_available(self) -> int:
        return self.replicas - self.max_unavailable


def limits_of(spec: DeploymentSpec) -> Limits:
    """Return a Deployment's limits; Recreate knows neither surge nor pods that may be missing."""
    if spec.strategy.type == RECREATE:
        return Limits(spec.replicas, 0, 0)
    rolling = spec.strategy.rolling_update
    return resolved(spec.replicas, rolling.max_surge, rolling.max_unavailable)


def resolved(replicas: int, max_surge: IntOrString, max_unavailable: IntOrString) -> Limits:
    """Return the limits as counts: surge rounds up, unavailable down and is at most all.

    When both come out 0, unavailable becomes 1, else nothing could ever move. Raises InvalidError for a text that is no
    percentage.
    """
    surge = resolve(max_surge, replicas, round_up=True)
    unavailable = resolve(max_unavailable, replicas, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Limits(replicas, surge, min(unavailable, replicas))


def stateful_set_max_unavailable(stateful_set: StatefulSet) -> int:
    """Return how many pods may be missing while a StatefulSet is updated; percentages round down, at least one."""
    rolling = stateful_set.spec.update_strategy.rolling_update
    if not rolling.HasField("max_unavailable"):
        return 1
    return max(1, resolve(rolling.max_unavailable, stateful_set.spec.replicas, round_up=False))


def daemon_set_max_surge(daemon_set: DaemonSet, desired: int) -> int:
    """Return how many of ``desired`` nodes may run two pods at a time; percentages round up."""
    rolling = daemon_set.spec.update_strategy.rolling_update
    return resolve(rolling.max_surge, desired, round_up=True) if rolling.HasField("max_surge") else 0


def daemon_set_max_unavailable(daemon_set: DaemonSet, desired: int) -> int:
    """Return how many of ``desired`` nodes may be without a daemon; percentages round up, and it is at least one."""
    rolling = daemon_set.spec.update_strategy.rolling_update
    if not rolling.HasField("max_unavailable"):
        return 1
    return max(1, resolve(rolling.max_unavailable, desired, round_up=True))
