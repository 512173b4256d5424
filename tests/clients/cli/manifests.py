"""Manifests that the tests apply."""

from __future__ import annotations

from pathlib import Path

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {tier: front}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.7.9
        ports: [{containerPort: 80}]
"""

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: "1", b: "2"}
"""


def written(folder: Path, text: str, name: str = "web.yaml") -> str:
    """Write ``text`` into a file and return its path."""
    path = folder / name
    path.write_text(text)
    return str(path)
