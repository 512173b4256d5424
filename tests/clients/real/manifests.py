"""What the tests apply."""

from __future__ import annotations

import json
from typing import Any


def deployment(name: str = "nginx-deployment", image: str = "nginx:1.7.9", replicas: int = 3) -> str:
    """The Deployment that rollouts are shown with."""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels: {{app: nginx}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: nginx
        image: {image}
        ports: [{{containerPort: 80}}]
        resources: {{requests: {{cpu: 100m}}}}
"""


STATEFUL_SET = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: 2
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "app:1"}]}
"""
DAEMON_SET = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: c, image: "app:1"}]}
"""
CONTROLLER = """\
apiVersion: v1
kind: ReplicationController
metadata: {name: redis-master}
spec:
  replicas: 2
  selector: {app: redis}
  template:
    metadata: {labels: {app: redis}}
    spec: {containers: [{name: redis, image: "redis:1.0"}]}
"""


def read(text: str) -> dict[str, Any]:
    """Return the JSON that a program printed."""
    data: dict[str, Any] = json.loads(text)
    return data
