"""Deployments and ReplicaSets to plan with, and what a plan says, in as few words as tables need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollplane.apps.v1 import Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet
from rollplane_machinery.codec import from_json
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.deployments import DESIRED_REPLICAS, HASH_LABEL, MAX_REPLICAS, REVISION
from rollplane_machinery.kinds import DEPLOYMENT
from rollplane_planners.claims import Owner
from rollplane_planners.deployment import DeploymentView, plan_deployment
from rollplane_planners.deployment import conditions as c
from rollplane_planners.limits import limits_of
from rollplane_planners.model import CreateObject, DeleteObject, Plan, UpdateObject, UpdateObjectStatus
from rollplane_rules.defaults import apply_defaults

NOW = 1_700_000_000.0
GENERATION = 7


def a_deployment(
    image: str = "v2", replicas: int = 3, *, surge: Any = 1, unavailable: Any = 1, **spec: Any
) -> Deployment:
    """Return a Deployment of generation 7, all of it observed, without conditions."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "web-uid"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": rolling,
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
            **spec,
        },
    }
    deployment = from_json(manifest)
    assert isinstance(deployment, Deployment)
    apply_defaults(deployment)
    deployment.metadata.generation = deployment.status.observed_generation = GENERATION
    return deployment


def a_recreating(image: str = "v2", replicas: int = 3, **spec: Any) -> Deployment:
    return a_deployment(image, replicas, **{"strategy": {"type": "Recreate"}, **spec})


def a_set(
    deployment: Deployment,
    image: str,
    size: int,
    *,
    available: int | None = None,
    running: int | None = None,
    revision: int | str = 1,
    age: int = 0,
    desired: int | None = None,
    maximum: int | None = None,
    annotations: Mapping[str, str] | None = None,
) -> ReplicaSet:
    """Return the Deployment's set for ``image``, named for it; all its pods run and are available unless told.

    ``age`` counts seconds. ``desired`` and ``maximum`` are the scaling annotations, by default the right ones.
    """
    limits = limits_of(deployment.spec)
    one = ReplicaSet()
    one.metadata.name, one.metadata.namespace, one.metadata.uid = image, "shop", f"{image}-uid"
    one.metadata.creation_timestamp.seconds = int(NOW) - age
    one.metadata.generation = one.status.observed_generation = 1
    one.metadata.owner_references.append(owner_of(deployment).reference())
    one.metadata.annotations[REVISION] = str(revision)
    one.metadata.annotations[DESIRED_REPLICAS] = str(limits.replicas if desired is None else desired)
    one.metadata.annotations[MAX_REPLICAS] = str(limits.max_total if maximum is None else maximum)
    one.metadata.annotations.update(annotations or {})
    one.spec.replicas = size
    one.spec.min_ready_seconds = deployment.spec.min_ready_seconds
    one.spec.selector.match_labels.update({"app": "web", HASH_LABEL: image})
    one.spec.template.CopyFrom(deployment.spec.template)
    one.spec.template.spec.containers[0].image = image
    one.spec.template.metadata.labels[HASH_LABEL] = image
    one.metadata.labels.update(one.spec.template.metadata.labels)
    one.status.replicas = size if running is None else running
    one.status.available_replicas = one.status.ready_replicas = size if available is None else available
    return one


def owner_of(deployment: Deployment) -> Owner:
    return Owner(DEPLOYMENT, deployment.metadata.name, deployment.metadata.uid, deleting=False)


def with_condition(
    deployment: Deployment, reason: str, status: str = "True", *, type_: str = c.PROGRESSING, at: float = NOW
) -> Deployment:
    """Give the stored status a condition in place and return the Deployment."""
    deployment.status.conditions.append(c.new_condition(type_, status, reason, "as stored", at))
    return deployment


def with_status(deployment: Deployment, **counts: int) -> Deployment:
    """Set counters of the stored status in place and return the Deployment."""
    for field, value in counts.items():
        setattr(deployment.status, field, value)
    return deployment


def plan(deployment: Deployment, *sets: ReplicaSet, now: float = NOW, **view: Any) -> Plan:
    return plan_deployment(DeploymentView(deployment, sets, **view), now)


def written_sets(made: Plan) -> dict[str, ReplicaSet]:
    """Return the ReplicaSets a plan creates or updates, by name; a created one is called "new"."""
    written = {}
    for write in made.writes:
        match write:
            case CreateObject(ReplicaSet() as one):
                written["new"] = one
            case UpdateObject(ReplicaSet() as one):
                written[one.metadata.name] = one
    return written


def sizes(made: Plan) -> dict[str, int]:
    """Return the sizes of the ReplicaSets a plan writes."""
    return {name: one.spec.replicas for name, one in written_sets(made).items()}


def written_status(made: Plan) -> DeploymentStatus | None:
    written = [write.object for write in made.writes if isinstance(write, UpdateObjectStatus)]
    assert len(written) <= 1
    for one in written:
        assert isinstance(one, Deployment)
        return one.status
    return None


def status_of(made: Plan) -> DeploymentStatus:
    status = written_status(made)
    assert status is not None
    return status


def condition(made: Plan, type_: str = c.PROGRESSING) -> DeploymentCondition | None:
    return get_condition(status_of(made).conditions, type_)


def shown(made: Plan, type_: str = c.PROGRESSING) -> tuple[str, str] | None:
    """Return status and reason of a condition as written, None without it."""
    found = condition(made, type_)
    return (found.status, found.reason) if found else None


def deleted(made: Plan) -> list[str]:
    return [write.name for write in made.writes if isinstance(write, DeleteObject)]


def told(made: Plan) -> list[tuple[str, str]]:
    """Return reason and text of all events, those that wait for their write's success included."""
    of_writes = [event for write in made.writes for event in getattr(write, "events", ())]
    return [(event.reason, event.message) for event in [*made.events, *of_writes]]
