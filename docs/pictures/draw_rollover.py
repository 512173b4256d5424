"""Draws docs/pictures/rollover.svg: a real rollover on an embedded plane, watched from its first pod to its last.

Run it from the repository's root: ``make picture``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from rollplane.apps.v1 import Deployment
from rollplane_cli.console import Console
from rollplane_cli.main import execute
from rollplane_client.objects import connect
from rollplane_plane.plane import EmbeddedPlane, PlaneSettings

PICTURE = Path(__file__).parent / "rollover.svg"
REPLICAS = 20
PROFILE = """
name: picture
rules:
  - {stage: pull, delay: {min: 0.2, max: 0.6}}
  - {stage: ready, delay: {median: 1.0, p95: 2.0}}
  - {stage: terminate, delay: {min: 0.3, max: 1.0}}
"""
MANIFEST = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: default}}
spec:
  replicas: {REPLICAS}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: nginx, image: "nginx:1.7.9"}}]}}
"""


async def draw(folder: Path) -> None:
    """Create a Deployment, update it, update it again in flight, and draw that."""
    profile = folder / "profile.yaml"
    profile.write_text(PROFILE, encoding="utf-8")
    console = Console(sys.stdout, sys.stderr, sys.stdin)
    settings = PlaneSettings(folder / "data", port=0, nodes=10, profile=str(profile))
    async with EmbeddedPlane(settings) as plane, connect(plane.address) as client:
        environ = {**os.environ, "ROLLPLANE_SERVER": plane.address}
        await client.create_yaml(MANIFEST)
        await execute(["rollout", "status", "deploy/web"], environ, console)
        async with asyncio.TaskGroup() as tasks:
            await client.set_image(Deployment, "default", "web", {"nginx": "nginx:1.9.1"})
            tasks.create_task(execute(["rollout", "plot", "deploy/web", f"--file={PICTURE}"], environ, console))
            await asyncio.sleep(1.6)
            await client.set_image(Deployment, "default", "web", {"nginx": "nginx:1.10.0"})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="rollplane-picture-") as name:
        asyncio.run(draw(Path(name)))
