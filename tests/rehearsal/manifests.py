"""Manifests of one container that tests of the rehearsal room use."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def deployment(name: str = "web", *, replicas: int = 3, image: str = "web:v1", **spec: Any) -> Json:
    return _workload("Deployment", name, image, {"replicas": replicas, **spec})


def stateful_set(name: str = "db", *, replicas: int = 3, image: str = "db:v1", **spec: Any) -> Json:
    return _workload("StatefulSet", name, image, {"replicas": replicas, "serviceName": name, **spec})


def daemon_set(name: str = "agent", *, image: str = "agent:v1", **spec: Any) -> Json:
    return _workload("DaemonSet", name, image, spec)


def budget(name: str = "web", **spec: Any) -> Json:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, **spec},
    }


def _workload(kind: str, name: str, image: str, spec: Json) -> Json:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }
