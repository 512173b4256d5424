"""The Deployment planner, split as semantics/deployment.md is."""

from rollplane_controller.plan.deployment.planner import DeploymentView as DeploymentView
from rollplane_controller.plan.deployment.planner import plan_deployment as plan_deployment
