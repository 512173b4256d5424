"""How far a rollout may deviate from the declared size (docs/semantics/deployment.md section 1)."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.apps.v1 import DeploymentSpec
from rollplane_machinery.int_or_string import resolve

RECREATE = "Recreate"
ROLLING_UPDATE = "RollingUpdate"
NO_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Limits:
    """Pods: the declared number, how many more there may be, and how many of them may be missing."""

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
    """Return the resolved limits.

    Surge rounds up and unavailable down; when both come out 0, unavailable becomes 1, else nothing could ever move.
    """
    replicas = spec.replicas
    if spec.strategy.type == RECREATE:
        return Limits(replicas, 0, 0)
    rolling = spec.strategy.rolling_update
    surge = resolve(rolling.max_surge, replicas, round_up=True)
    unavailable = resolve(rolling.max_unavailable, replicas, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Limits(replicas, surge, min(unavailable, replicas))
