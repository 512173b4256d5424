"""The rolling-update engine (semantics/rolling-update.md): one ReplicationController grows, another shrinks."""

from rollplane_controller.plan.rolling_update.planner import plan_rolling_update as plan_rolling_update
from rollplane_controller.plan.rolling_update.view import RollingUpdateView as RollingUpdateView
