"""An operator that follows rollouts: ``kopf run --standalone --all-namespaces rollouts.py``.

It writes on each Deployment which images run in all its pods, and tells of each change of that in an Event, which
``kubectl describe deployment`` and ``rollplane describe deployment`` show. KUBECONFIG says where.
"""

from typing import Any

import kopf

RUNS = "rollouts.example.com/runs"
DEPLOYMENTS = ("apps", "v1", "deployments")


def is_complete(spec: kopf.Spec, status: kopf.Status, meta: kopf.Meta) -> bool:
    """Return whether all pods are of the newest template, and available: what ``rollout status`` waits for."""
    counts = [status.get(each, 0) for each in ("updatedReplicas", "replicas", "availableReplicas")]
    return status.get("observedGeneration") == meta["generation"] and counts == [spec["replicas"]] * 3


def images(spec: kopf.Spec) -> str:
    """Return what the template says, in a line."""
    return ", ".join(container["image"] for container in spec["template"]["spec"]["containers"])


@kopf.on.startup()
def settings(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Post only the Events that we make ourselves, not one for each line of the log."""
    settings.posting.loggers = False


@kopf.on.resume(*DEPLOYMENTS)
@kopf.on.field(*DEPLOYMENTS, field="status")
def follow(body: kopf.Body, spec: kopf.Spec, status: kopf.Status, meta: kopf.Meta, patch: kopf.Patch, **_: Any) -> None:
    """Write down what runs once it runs everywhere."""
    new = images(spec)
    old = meta.annotations.get(RUNS)
    if old == new or not is_complete(spec, status, meta):
        return
    patch.meta.annotations[RUNS] = new
    kopf.info(body, reason="RolledOut", message=f"{new} runs in {spec['replicas']} pods, {old or 'nothing'} before")
