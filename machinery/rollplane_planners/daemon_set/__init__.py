"""The DaemonSet planner, split as docs/semantics/daemonset.md is."""

from rollplane_planners.daemon_set.planner import DaemonSetView as DaemonSetView
from rollplane_planners.daemon_set.planner import plan_daemon_set as plan_daemon_set
