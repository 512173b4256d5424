"""Generated messages of rollplane.policy.v1; see the .proto files beside this one."""

from rollplane.policy.v1.policy_pb2 import (
    Eviction as Eviction,
    PodDisruptionBudget as PodDisruptionBudget,
    PodDisruptionBudgetList as PodDisruptionBudgetList,
    PodDisruptionBudgetSpec as PodDisruptionBudgetSpec,
    PodDisruptionBudgetStatus as PodDisruptionBudgetStatus,
)
