"""What selectors, quantities, equality and patches cost watch filters, planners and writes, in µs."""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import Pod
from rollplane_machinery import kinds, quantity
from rollplane_machinery.api import PatchType
from rollplane_machinery.patch import apply
from rollplane_machinery.selectors import parse_field_selector, parse_label_selector, selectable_fields
from rollplane_rules.strategy import is_unchanged, prepare_status_update, semantic_equal

_SECONDS = 0.3


def main() -> None:
    """Print rows of name, value, unit."""
    pod = _pod("1")
    labels, fields = dict(pod.metadata.labels), selectable_fields(kinds.POD, pod)
    one, three = parse_label_selector("app=web"), parse_label_selector("app=web,tier in (front,back),!canary")
    node, fleet = (
        parse_field_selector("spec.nodeName=node-7", kinds.POD),
        parse_field_selector(f"spec.nodeName in ({','.join(f'node-{n}' for n in range(1000))})", kinds.POD),
    )
    _measure("label selector, one equality, dict", lambda: one.matches(labels))
    _measure("label selector, one equality, message", lambda: one.matches(pod.metadata.labels))
    _measure("label selector, three requirements", lambda: three.matches(labels))
    _measure("label selector, parse three", lambda: parse_label_selector("app=web,tier in (front,back),!canary"))
    _measure("field selector, one node", lambda: node.matches(fields))
    _measure("field selector, fleet of 1,000 nodes", lambda: fleet.matches(fields))
    _measure("selectable fields of a pod", lambda: selectable_fields(kinds.POD, pod))
    _measure("quantity, seen before", lambda: quantity.nanos("1536Mi"))
    _measure_equality(pod)
    _measure_patches()


def _measure_equality(pod: Pod) -> None:
    same, spelled, moved = _pod("1"), _pod("1000m"), _pod("1")
    moved.status.phase = "Succeeded"
    _measure("semantic equality, equal bytes", lambda: semantic_equal(pod, same))
    _measure("semantic equality, a quantity spelled otherwise", lambda: semantic_equal(pod, spelled))
    _measure("status update: prepare", lambda: prepare_status_update(moved, pod))
    _measure("status update: is it a change? yes", lambda: is_unchanged(moved, pod))
    _measure("status update: is it a change? no", lambda: is_unchanged(same, pod))


def _measure_patches() -> None:
    deployment = Deployment()
    deployment.metadata.name = "web"
    deployment.spec.template.spec.CopyFrom(_pod("1").spec)
    containers = {"containers": [{"name": "web", "image": "web:2"}]}
    strategic = json.dumps({"spec": {"template": {"spec": containers}}}).encode()
    operation = {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "web:2"}
    operations = json.dumps([operation]).encode()
    _measure("strategic merge patch of a deployment", lambda: apply(deployment, PatchType.STRATEGIC_MERGE, strategic))
    _measure("JSON patch of a deployment", lambda: apply(deployment, PatchType.JSON, operations))


def _pod(cpu: str) -> Pod:
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace, pod.metadata.uid = "web-5d8f7c-x2x4q", "shop", "u" * 36
    pod.metadata.labels.update({"app": "web", "tier": "front", "pod-template-hash": "5d8f7c"})
    container = pod.spec.containers.add(name="web", image="web:1", image_pull_policy="IfNotPresent")
    container.resources.requests["cpu"].string, container.resources.requests["memory"].string = cpu, "64Mi"
    container.env.add(name="MODE", value="prod")
    container.ports.add(container_port=80, protocol="TCP")
    pod.spec.node_name, pod.spec.restart_policy, pod.status.phase = "node-7", "Always", "Running"
    for condition in ("PodScheduled", "Initialized", "ContainersReady", "Ready"):
        pod.status.conditions.add(type=condition, status="True")
    return pod


def _measure(name: str, run: Callable[[], object]) -> None:
    timer = timeit.Timer(run)
    count, _ = timer.autorange()
    rounds = max(3, round(_SECONDS / 0.2))
    best = min(timer.repeat(rounds, count)) / count
    print(f"{name:<50} {best * 1e6:8.2f} µs")


if __name__ == "__main__":
    main()
