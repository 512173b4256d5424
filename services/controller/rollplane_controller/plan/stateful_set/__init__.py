"""The StatefulSet planner, split as semantics/statefulset.md is."""

from rollplane_controller.plan.stateful_set.planner import StatefulSetView as StatefulSetView
from rollplane_controller.plan.stateful_set.planner import plan_stateful_set as plan_stateful_set
