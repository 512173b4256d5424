"""The rolling-update engine (docs/semantics/rolling-update.md): one ReplicationController grows, another shrinks."""

from rollplane_planners.rolling_update.planner import plan_rolling_update as plan_rolling_update
from rollplane_planners.rolling_update.view import RollingUpdateView as RollingUpdateView
