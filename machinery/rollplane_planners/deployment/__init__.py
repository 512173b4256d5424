"""The Deployment planner, split as docs/semantics/deployment.md is."""

from rollplane_planners.deployment.planner import DeploymentView as DeploymentView
from rollplane_planners.deployment.planner import plan_deployment as plan_deployment
