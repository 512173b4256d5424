"""kubectl follows and awaits kinds that are only stored."""

from __future__ import annotations

import json

from tests.clients.real.programs import Program

JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: work, image: "busybox:1.36"}]}}}
"""


def end(kubectl: Program) -> None:
    """Report the Job done, as its controller would; kubectl 1.20 has no word for subresources."""
    job = json.loads(kubectl.ok("get", "job", "once", "-o", "json"))
    job["status"] = {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}
    path = f"/apis/batch/v1/namespaces/{job['metadata']['namespace']}/jobs/once/status"
    kubectl.ok("replace", "--raw", path, "-f", "-", given=json.dumps(job))


def test_a_job_is_followed_to_its_end(kubectl: Program) -> None:
    kubectl.done("apply", "-f", "-", given=JOB)
    with kubectl.running("get", "jobs", "--watch", "--no-headers") as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().split()[:3] == ["once", "Running", "0/1"]
        end(kubectl)
        assert watching.stdout.readline().split()[:3] == ["once", "Complete", "1/1"]
    assert "condition met" in kubectl.done("wait", "job/once", "--for=condition=Complete", "--timeout=10s")
    kubectl.done("delete", "job", "once", "--timeout=30s")
