"""DaemonSets, their nodes, pods and revisions to plan with; hashes are the images they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rollplane.apps.v1 import ControllerRevision, DaemonSet, DaemonSetStatus
from rollplane.core.v1 import Node, Pod
from rollplane_machinery.codec import from_json
from rollplane_machinery.kinds import DAEMON_SET
from rollplane_planners.claims import Owner
from rollplane_planners.daemon_set import DaemonSetView, plan_daemon_set
from rollplane_planners.daemon_set.placement import target_node
from rollplane_planners.model import (
    CreateDistinctPods,
    CreateObject,
    DeleteObject,
    Plan,
    UpdateObject,
    UpdateObjectStatus,
)
from rollplane_planners.pods import PodView, pod_view
from rollplane_planners.scheduling.nodes import node_view
from rollplane_planners.templates import template_data
from rollplane_rules.defaults import apply_defaults
from tests.planners.pods import NOW, a_node, a_pod

UID = "log-uid"


def a_daemon_set(
    image: str = "v2", *, pod: Mapping[str, Any] | None = None, generation: str = "2", **spec: Any
) -> DaemonSet:
    """Return a set called log; ``pod`` are further fields of its pods' spec."""
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            "name": "log",
            "namespace": "shop",
            "uid": UID,
            "annotations": {"deprecated.daemonset.template.generation": generation},
        },
        "spec": {
            "selector": {"matchLabels": {"app": "log"}},
            "template": {
                "metadata": {"labels": {"app": "log"}},
                "spec": {"containers": [{"name": "log", "image": image}], **(pod or {})},
            },
            **spec,
        },
    }
    daemon_set = from_json(manifest)
    assert isinstance(daemon_set, DaemonSet)
    apply_defaults(daemon_set)
    daemon_set.metadata.generation = daemon_set.status.observed_generation = 7
    return daemon_set


def rolling(**fields: Any) -> dict[str, Any]:
    """Return an ``updateStrategy`` of type RollingUpdate with these fields."""
    return {"type": "RollingUpdate", "rollingUpdate": fields}


def surging(most: int | str) -> dict[str, Any]:
    return rolling(maxUnavailable=0, maxSurge=most)


def nodes(count: int) -> list[Node]:
    return [a_node(f"n{number}") for number in range(count)]


def a_revision(
    daemon_set: DaemonSet, image: str, number: int, *, name: str = "", labelled: bool = True
) -> ControllerRevision:
    """Return the set's revision with that image; its hash label is its name."""
    template = type(daemon_set.spec.template)()
    template.CopyFrom(daemon_set.spec.template)
    template.spec.containers[0].image = image
    revision = ControllerRevision(revision=number)
    revision.metadata.name, revision.metadata.namespace = name or image, daemon_set.metadata.namespace
    revision.metadata.uid = f"{revision.metadata.name}-uid"
    revision.metadata.labels["app"] = "log"
    if labelled:
        revision.metadata.labels["controller-revision-hash"] = revision.metadata.name
    owner = Owner(DAEMON_SET, daemon_set.metadata.name, daemon_set.metadata.uid, deleting=False)
    revision.metadata.owner_references.append(owner.reference())
    revision.data.raw = template_data(template)
    return revision


def daemon(node: int | str, revision: str = "v1", *, name: str = "", bound: bool = True, **fields: Any) -> Pod:
    """Return the set's pod on a node, available for long unless told otherwise, or on its way there if not bound."""
    place = node if isinstance(node, str) else f"n{node}"
    labels = {"app": "log", "controller-revision-hash": revision}
    pod = a_pod(
        name or f"{place}-{revision}",
        **{"owner": UID, "labels": labels, "ready": 1000, "node": place if bound else "", **fields},
    )
    if not bound:
        terms = pod.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution
        terms.node_selector_terms.add().match_fields.add(key="metadata.name", operator="In", values=[place])
    return pod


def daemons(*revisions: str) -> list[Pod]:
    """Return available pods of these revisions on nodes n0, n1 and so on; "" leaves a node without."""
    return [daemon(number, revision) for number, revision in enumerate(revisions) if revision]


def at_once(_node: str) -> float:
    return 0.0


def plan(
    daemon_set: DaemonSet,
    where: Iterable[Node],
    pods: Iterable[Pod],
    *,
    revisions: Iterable[ControllerRevision] | None = None,
    backoff: Callable[[str], float] = at_once,
    taken: Iterable[str] = (),
    now: float = NOW,
) -> Plan:
    """Plan with revisions v1 and the set's own image, unless others are given."""
    by_name = {pod.metadata.name: pod for pod in pods}

    def fetch(view: PodView) -> Pod:
        return by_name[view.name]

    if revisions is None:
        images = dict.fromkeys(["v1", daemon_set.spec.template.spec.containers[0].image])
        revisions = [a_revision(daemon_set, image, number) for number, image in enumerate(images, 1)]
    view = DaemonSetView(
        daemon_set,
        [node_view(node) for node in where],
        [pod_view(pod) for pod in by_name.values()],
        list(revisions),
        fetch,
        backoff,
        set(taken),
    )
    return plan_daemon_set(view, now)


def created(made: Plan) -> list[Pod]:
    return [pod for write in made.writes if isinstance(write, CreateDistinctPods) for pod in write.pods]


def steps(made: Plan) -> list[str]:
    """Return what a plan does to pods: "+n1@v2" creates on a node, "-name" deletes, "~name" updates; sorted."""
    found = [f"+{target_node(pod.spec)}@{pod.metadata.labels['controller-revision-hash']}" for pod in created(made)]
    for write in made.writes:
        match write:
            case UpdateObject(Pod() as pod):
                found.append(f"~{pod.metadata.name}")
            case DeleteObject(kind=kind, name=name) if kind.message is Pod:
                found.append(f"-{name}")
    return sorted(found)


def revision_steps(made: Plan) -> list[str]:
    """Return what a plan does to revisions: "+4" creates number 4, "v1=4" rewrites v1, "-v1" deletes it."""
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


def status_of(made: Plan) -> DaemonSetStatus:
    written = [write.object for write in made.writes if isinstance(write, UpdateObjectStatus)]
    assert len(written) == 1
    assert isinstance(written[0], DaemonSet)
    return written[0].status
