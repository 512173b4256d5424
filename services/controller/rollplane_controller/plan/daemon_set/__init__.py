"""The DaemonSet planner, split as semantics/daemonset.md is."""

from rollplane_controller.plan.daemon_set.planner import DaemonSetView as DaemonSetView
from rollplane_controller.plan.daemon_set.planner import plan_daemon_set as plan_daemon_set
