"""An operator with a kind of its own: ``kopf run --standalone --all-namespaces websites.py``.

It makes a Deployment of each Website (``website.yaml`` defines them), keeps it as the Website says, and writes into the
Website's status how many of its pods are available. The Deployment is owned by the Website and goes with it. KUBECONFIG
says where.
"""

from typing import Any

import kopf
import kubernetes

WEBSITES = ("example.com", "v1", "websites")
MERGE = {"_content_type": "application/merge-patch+json"}


def deployment(name: str, spec: kopf.Spec) -> dict[str, Any]:
    """Return the Deployment of a Website."""
    labels = {"website": name}
    containers = [{"name": "web", "image": spec["image"]}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": spec["replicas"], "selector": {"matchLabels": labels}, "template": template},
    }


@kopf.on.startup()
def settings(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Find the plane as kubectl does, and post no Event for each line of the log."""
    kubernetes.config.load_kube_config()
    settings.posting.enabled = False


@kopf.on.create(*WEBSITES)
def create(name: str, namespace: str, spec: kopf.Spec, **_: Any) -> None:
    """Make the Deployment, owned by the Website that is being handled."""
    made = deployment(name, spec)
    kopf.adopt(made)
    kubernetes.client.AppsV1Api().create_namespaced_deployment(namespace, made)


@kopf.on.update(*WEBSITES, field="spec")
def update(name: str, namespace: str, spec: kopf.Spec, **_: Any) -> None:
    """Bring the Deployment to what the Website says now."""
    wanted = {"spec": deployment(name, spec)["spec"]}
    kubernetes.client.AppsV1Api().patch_namespaced_deployment(name, namespace, wanted, **MERGE)


@kopf.on.event("apps", "v1", "deployments", labels={"website": kopf.PRESENT})
def tell(name: str, namespace: str, status: kopf.Status, **_: Any) -> None:
    """Write into the Website how many of its pods are available."""
    told = {"status": {"replicas": status.get("availableReplicas", 0)}}
    try:
        kubernetes.client.CustomObjectsApi().patch_namespaced_custom_object_status(
            *WEBSITES[:2], namespace, WEBSITES[2], name, told
        )
    except kubernetes.client.ApiException as exc:
        if exc.status != 404:  # the Website has gone, and its Deployment is about to
            raise
