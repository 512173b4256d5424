"""A pod in the stable JSON of ``rollout status`` and ``why``."""

from __future__ import annotations

from typing import Any

from rollplane.core.v1 import Pod
from rollplane_planners.pod_trouble import trouble_of, unschedulable
from rollplane_printing.pod_status import pod_summary


def pod_document(pod: Pod) -> dict[str, Any]:
    """Return what a program wants to know of a pod that a rollout waits for."""
    summary, trouble = pod_summary(pod), trouble_of(pod)
    message = trouble.sentence if trouble is not None else unschedulable(pod) or ""
    return {
        "name": pod.metadata.name,
        "node": pod.spec.node_name,
        "status": summary.status,
        "restarts": summary.restarts,
        "message": message,
    }
