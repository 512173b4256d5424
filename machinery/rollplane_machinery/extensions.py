"""The annotations by which Rollplane does more than Kubernetes; docs/rollouts.md tells users about them.

All are off unless set. None travels between a Deployment and its ReplicaSets: they speak of the workload as a whole.
"""

from __future__ import annotations

HEAL_STUCK_ROLLOUT = "rollplane.dev/heal-stuck-rollout"
"""``"true"`` on a StatefulSet: a broken pod of a template that has been corrected is replaced, not waited for."""

AUTO_ROLLBACK = "rollplane.dev/auto-rollback"
"""``"true"`` on a Deployment, StatefulSet or DaemonSet: a rollout that fails goes back once by itself."""

LAST_AVAILABLE = "rollplane.dev/last-available-revision"
"""Kept by the controller: the name of the ReplicaSet or ControllerRevision that was last available everywhere."""

AUTO_ROLLED_BACK = "rollplane.dev/auto-rolled-back"
"""Kept by the controller: the names of the revisions that were given up, oldest first, separated by commas."""

ROLLING_BACK = "rollplane.dev/rolling-back"
"""Kept by the controller, on a Deployment between the decision to go back and its execution: JSON with the ``revision``
that is given up, and the ``reason`` and ``text`` of its failure."""

ROLLED_BACK = "rollplane.dev/rolled-back"
"""Kept by the controller from an automatic rollback on: JSON that tells of the rollout that failed. The server takes it
off with the next change of the template."""

OWN = frozenset({HEAL_STUCK_ROLLOUT, AUTO_ROLLBACK, LAST_AVAILABLE, AUTO_ROLLED_BACK, ROLLING_BACK, ROLLED_BACK})
