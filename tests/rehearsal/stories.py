"""Stories that tests of rehearsals tell."""

from __future__ import annotations

from rollplane_rehearsal.rehearse.outcome import Outcome
from rollplane_rehearsal.rehearse.run import rehearse
from rollplane_rehearsal.rehearse.story import Change, Cluster, Story

DEPLOYMENT = "deployment/default/web"


def deployment(image: str = "web:v1", replicas: int = 4, **spec: str) -> str:
    """Return a Deployment's manifest; ``spec`` are further lines of its pods' spec."""
    more = "".join(f"\n      {name}: {value}" for name, value in spec.items())
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers: [{{name: web, image: "{image}"}}]{more}
"""


STATEFUL_SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 3
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:v1"}]}
"""


def story(change: Change, before: str = deployment(), *, profile: str = "realistic", undo: bool = True) -> Story:
    return Story("web", before, (change,), Cluster(5, profile), 900.0, undo)


def outcome(told: Story, seed: int = 1) -> Outcome:
    """Return what came of it; blocks."""
    return rehearse(told, seed)[0]
