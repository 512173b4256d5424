"""StatefulSets, their pods and revisions to plan with; revisions are called after the images they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rollplane.apps.v1 import ControllerRevision, StatefulSet, StatefulSetStatus
from rollplane.core.v1 import PersistentVolumeClaim, Pod
from rollplane_machinery.codec import from_json
from rollplane_machinery.kinds import STATEFUL_SET
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners.claims import Owner
from rollplane_planners.model import CreateObject, DeleteObject, Plan, UpdateObject, UpdateObjectStatus
from rollplane_planners.pods import PodView, pod_view
from rollplane_planners.stateful_set import StatefulSetView, plan_stateful_set
from rollplane_planners.templates import template_data
from rollplane_rules.defaults import apply_defaults
from tests.planners.pods import NOW, a_pod

UID = "db-uid"


def a_stateful_set(
    image: str = "v2",
    replicas: int = 3,
    *,
    current: str = "v1",
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> StatefulSet:
    """Return a set called db in the middle of an update from ``current`` to ``image``."""
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "shop", "uid": UID, "annotations": dict(annotations or {})},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [{"name": "db", "image": image}]},
            },
            **spec,
        },
    }
    stateful_set = from_json(manifest)
    assert isinstance(stateful_set, StatefulSet)
    apply_defaults(stateful_set)
    stateful_set.metadata.generation = stateful_set.status.observed_generation = 7
    stateful_set.status.current_revision, stateful_set.status.update_revision = current, image
    return stateful_set


def rolling(**fields: Any) -> dict[str, Any]:
    """Return an ``updateStrategy`` of type RollingUpdate with these fields."""
    return {"type": "RollingUpdate", "rollingUpdate": fields}


def a_claim_template(name: str = "data") -> dict[str, Any]:
    resources = {"requests": {"storage": "1Gi"}}
    return {"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources}}


def owner_of(stateful_set: StatefulSet) -> Owner:
    return Owner(STATEFUL_SET, stateful_set.metadata.name, stateful_set.metadata.uid, deleting=False)


def a_revision(stateful_set: StatefulSet, image: str, number: int, *, name: str = "") -> ControllerRevision:
    """Return the set's revision with that image, named for it."""
    template = type(stateful_set.spec.template)()
    template.CopyFrom(stateful_set.spec.template)
    template.spec.containers[0].image = image
    revision = ControllerRevision(revision=number)
    revision.metadata.name, revision.metadata.namespace = name or image, stateful_set.metadata.namespace
    revision.metadata.uid = f"{revision.metadata.name}-uid"
    revision.metadata.labels["app"] = "db"
    revision.metadata.owner_references.append(owner_of(stateful_set).reference())
    revision.data.raw = template_data(template)
    return revision


def member(ordinal: int, revision: str = "v1", **fields: Any) -> Pod:
    """Return the set's pod of that ordinal, available for long unless told otherwise."""
    name = f"db-{ordinal}"
    labels = {"app": "db", "controller-revision-hash": revision, "statefulset.kubernetes.io/pod-name": name}
    return a_pod(name, **{"owner": UID, "labels": labels, "ready": 1000, **fields})


def members(*revisions: str, start: int = 0) -> list[Pod]:
    """Return available pods, one for each revision named, from ordinal ``start`` on."""
    return [member(ordinal, revision) for ordinal, revision in enumerate(revisions, start)]


def plan(
    stateful_set: StatefulSet,
    pods: Iterable[Pod],
    *,
    revisions: Iterable[ControllerRevision] | None = None,
    claims: Iterable[PersistentVolumeClaim] = (),
    taken: Iterable[str] = (),
    now: float = NOW,
    release: Release = LATEST,
) -> Plan:
    """Plan with revisions v1 and the set's own image, unless others are given."""
    by_name = {pod.metadata.name: pod for pod in pods}

    def fetch(view: PodView) -> Pod:
        return by_name[view.name]

    if revisions is None:
        images = dict.fromkeys(["v1", stateful_set.spec.template.spec.containers[0].image])
        revisions = [a_revision(stateful_set, image, number) for number, image in enumerate(images, 1)]
    view = StatefulSetView(
        stateful_set,
        [pod_view(pod) for pod in by_name.values()],
        list(revisions),
        fetch,
        {claim.metadata.name: claim for claim in claims},
        set(taken),
        release,
    )
    return plan_stateful_set(view, now)


def steps(made: Plan) -> list[str]:
    """Return what a plan does to pods, in order: "+db-0@v1" creates, "-db-2" deletes, "~db-1" updates."""
    found = []
    for write in made.writes:
        match write:
            case CreateObject(Pod() as pod):
                found.append(f"+{pod.metadata.name}@{pod.metadata.labels['controller-revision-hash']}")
            case UpdateObject(Pod() as pod):
                found.append(f"~{pod.metadata.name}")
            case DeleteObject(kind=kind, name=name) if kind.message is Pod:
                found.append(f"-{name}")
    return found


def claim_steps(made: Plan) -> list[str]:
    """Return what a plan does to claims: "+name" creates, "~name:owner" gives an owner of that kind, or none."""
    found = []
    for write in made.writes:
        match write:
            case CreateObject(PersistentVolumeClaim() as claim):
                found.append(f"+{claim.metadata.name}")
            case UpdateObject(PersistentVolumeClaim() as claim):
                owners = ",".join(one.kind for one in claim.metadata.owner_references)
                found.append(f"~{claim.metadata.name}:{owners}")
    return found


def revision_steps(made: Plan) -> list[str]:
    """Return what a plan does to revisions: "+4" creates number 4, "v1=4" renumbers v1, "-v1" deletes it."""
    found = []
    for write in made.writes:
        match write:
            case CreateObject(ControllerRevision() as revision):
                found.append(f"+{revision.revision}")
            case UpdateObject(ControllerRevision() as revision):
                found.append(f"{revision.metadata.name}={revision.revision}")
            case DeleteObject(kind=kind, name=name) if kind.message is ControllerRevision:
                found.append(f"-{name}")
    return found


def status_of(made: Plan) -> StatefulSetStatus:
    written = [write.object for write in made.writes if isinstance(write, UpdateObjectStatus)]
    assert len(written) == 1
    assert isinstance(written[0], StatefulSet)
    return written[0].status
