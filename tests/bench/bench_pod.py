"""What it costs to take in one realistic Pod: decode, default, admit, validate, encode; with and without the memo."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from typing import Any

from rollplane.core import v1 as core
from rollplane_machinery import codec
from rollplane_machinery.kinds import ApiObject
from rollplane_rules import defaults, strategy, validation

REPEATS = 25
ROUNDS = 400

LABELS = {"app": "web", "tier": "front", "pod-template-hash": "5c8c6cdc76"}
MANIFEST: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web-5c8c6cdc76-x7k2p",
        "generateName": "web-5c8c6cdc76-",
        "namespace": "shop",
        "labels": LABELS,
        "annotations": {
            "example.com/config-checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        },
        "ownerReferences": [
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "name": "web-5c8c6cdc76",
                "uid": "0b8b2f81-c588-42dd-b4aa-1b51200c4a2c",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    },
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": "registry.example.com/shop/web:2.14.3",
                "args": ["--listen=0.0.0.0:8080", "--log-format=json"],
                "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
                "env": [
                    {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "web", "key": "database-url"}}},
                    {"name": "FEATURE_FLAGS", "value": "checkout-v2,search-suggest"},
                ],
                "resources": {
                    "requests": {"cpu": "250m", "memory": "256Mi"},
                    "limits": {"cpu": "1", "memory": "512Mi"},
                },
                "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
                "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}, "initialDelaySeconds": 10},
                "volumeMounts": [
                    {"name": "config", "mountPath": "/etc/web", "readOnly": True},
                    {"name": "cache", "mountPath": "/var/cache/web"},
                ],
                "securityContext": {
                    "runAsNonRoot": True,
                    "readOnlyRootFilesystem": True,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            },
            {
                "name": "proxy",
                "image": "registry.example.com/mesh/proxy:1.9.0",
                "ports": [{"name": "proxy", "containerPort": 15001}],
                "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
                "readinessProbe": {"tcpSocket": {"port": 15001}},
                "volumeMounts": [{"name": "certs", "mountPath": "/etc/certs", "readOnly": True}],
            },
        ],
        "volumes": [
            {"name": "config", "configMap": {"name": "web-config"}},
            {"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "certs", "secret": {"secretName": "web-certs"}},
        ],
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 100,
                        "podAffinityTerm": {
                            "labelSelector": {"matchLabels": {"app": "web"}},
                            "topologyKey": "kubernetes.io/hostname",
                        },
                    }
                ]
            }
        },
        "serviceAccountName": "web",
        "terminationGracePeriodSeconds": 45,
    },
}


def main() -> None:
    """Print rows of name, value, unit."""
    raw = as_created_by_a_replica_set()
    _row("the Pod as JSON, before defaulting", len(json.dumps(MANIFEST, separators=(",", ":"))), "B")
    _row("the Pod as it is sent", len(raw), "B")
    memo = validation.PodSpecMemo()
    _measure("decode, default, validate, encode: cold", lambda: take_in(raw, admitted=False))
    _measure("the same with admission: cold", lambda: take_in(raw))
    _measure("the same with admission: template memoized", lambda: take_in_memoized(raw, memo))
    _measure("of which: decode and encode", lambda: _parse(raw).SerializeToString(deterministic=True))
    _measure_steps(raw)
    _measure_updates()


def as_created_by_a_replica_set() -> bytes:
    """Return the Pod with the spec of a defaulted template, as every replica is sent."""
    pod = codec.from_json(MANIFEST)
    assert isinstance(pod, core.Pod)  # for the type checker
    defaults.default_pod_spec(pod.spec)
    strategy.prepare_create(pod, now=1_600_000_000.0, uid="7c9e6679-7425-40de-944b-e07fc1f90ae7")
    return pod.SerializeToString(deterministic=True)


def _parse(raw: bytes) -> core.Pod:
    pod = core.Pod()
    pod.MergeFromString(raw)
    return pod


def take_in(raw: bytes, *, admitted: bool = True) -> bytes:
    """Take in a Pod with the plain functions; raises InvalidError when it is refused."""
    pod = _parse(raw)
    defaults.apply_defaults(pod)
    if admitted:
        defaults.admit(pod)
    validation.raise_invalid(pod, validation.validate_create(pod))
    return pod.SerializeToString(deterministic=True)


def take_in_memoized(raw: bytes, memo: validation.PodSpecMemo) -> bytes:
    """Take in a Pod through ``memo``; raises InvalidError when it is refused."""
    pod = _parse(raw)
    validation.raise_invalid(pod, memo.complete(pod))
    return pod.SerializeToString(deterministic=True)


def _measure_steps(raw: bytes) -> None:
    done = _parse(take_in(raw))

    def over_fresh(step: Callable[[ApiObject], object]) -> Callable[[], object]:
        return lambda: step(_parse(raw))

    parse = _best(lambda: _parse(raw))
    _row("step: decode", parse, "µs")
    _row("step: apply_defaults", _best(over_fresh(defaults.apply_defaults)) - parse, "µs")
    _row("step: admit, defaulted", _best(lambda: defaults.admit(done)), "µs")
    _row("step: validate_create", _best(lambda: validation.validate_create(done)), "µs")


def _measure_updates() -> None:
    """Measure what a controller's write of a workload costs: its template hardly ever changes."""
    template = {"metadata": {"labels": LABELS}, "spec": MANIFEST["spec"]}
    spec = {"selector": {"matchLabels": LABELS}, "template": template}
    metadata = {"name": "web", "namespace": "shop"}
    manifest = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}
    old, new = codec.from_json(manifest), codec.from_json(manifest)
    memo = validation.PodSpecMemo()

    def plain() -> None:
        defaults.apply_defaults(new)
        validation.check_update(new, old)

    def memoized() -> None:
        memo.apply_defaults(new)
        validation.raise_invalid(new, memo.validate_update(new, old))

    defaults.apply_defaults(old)
    _measure("update of a ReplicaSet, default and validate: cold", plain)
    _measure("update of a ReplicaSet, default and validate: memoized", memoized)


def _measure(name: str, work: Callable[[], object]) -> None:
    _row(name, _best(work), "µs")


def _best(work: Callable[[], object]) -> float:
    """Return the µs that one call takes in the best of several rounds: the one other work disturbed least."""
    work()
    gc.disable()
    try:
        return min(_round(work) for _ in range(ROUNDS))
    finally:
        gc.enable()


def _round(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(REPEATS):
        work()
    return (time.perf_counter() - started) / REPEATS * 1e6


def _row(name: str, value: float, unit: str) -> None:
    print(f"{name:<55} {value:8.1f} {unit}")


if __name__ == "__main__":
    main()
