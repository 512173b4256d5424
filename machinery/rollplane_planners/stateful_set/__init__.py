"""The StatefulSet planner, split as docs/semantics/statefulset.md is."""

from rollplane_planners.stateful_set.planner import StatefulSetView as StatefulSetView
from rollplane_planners.stateful_set.planner import plan_stateful_set as plan_stateful_set
