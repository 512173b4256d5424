"""kubectl's sentences, the history, and a pod template in words."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Pod, PodTemplateSpec
from rollplane_machinery import kinds
from rollplane_machinery.api import Revision
from rollplane_machinery.errors import (
    BadRequestError,
    Cause,
    CauseReason,
    ConflictError,
    InvalidError,
    NotFoundError,
    RollplaneError,
)
from rollplane_machinery.kinds import Kind
from rollplane_printing.history_text import history_lines, revision_lines
from rollplane_printing.sentences import error_lines, path_of, subject
from rollplane_printing.template_text import template_lines
from tests.machinery.printed_objects import made

REPLICAS = Cause(CauseReason.INVALID, "spec.replicas", "must not be negative")
SELECTOR = Cause(CauseReason.REQUIRED, "spec.selector", "is\nmissing")

ERRORS: dict[str, tuple[RollplaneError, list[str]]] = {
    "not found": (
        NotFoundError('deployments.apps "web" not found', resource="deployments.apps", name="web"),
        ['Error from server (NotFound): deployments.apps "web" not found'],
    ),
    "conflict": (ConflictError("somebody was faster"), ["Error from server (Conflict): somebody was faster"]),
    "bad request": (BadRequestError("what?"), ["Error from server (BadRequest): what?"]),
    "one field wrong": (
        InvalidError("…", resource="deployments.apps", name="web", causes=[REPLICAS]),
        ['The Deployment "web" is invalid: spec.replicas: must not be negative'],
    ),
    "several fields wrong": (
        InvalidError("…", resource="deployments.apps", name="web", causes=[REPLICAS, SELECTOR]),
        [
            'The Deployment "web" is invalid:',
            "* spec.replicas: must not be negative",
            "* spec.selector: is missing",
        ],
    ),
    "wrong, of no kind": (
        InvalidError("…", causes=[REPLICAS]),
        ["The request is invalid: spec.replicas: must not be negative"],
    ),
    "invalid without a cause": (InvalidError("no"), ["Error from server (Invalid): no"]),
}


@pytest.mark.parametrize(("error", "lines"), ERRORS.values(), ids=ERRORS)
def test_error_lines(error: RollplaneError, lines: list[str]) -> None:
    assert error_lines(error) == lines


def test_error_lines_say_what_was_tried() -> None:
    expected = ['Error from server (Conflict): error when creating "a.yaml": no']
    assert error_lines(ConflictError("no"), 'error when creating "a.yaml"') == expected


@pytest.mark.parametrize(
    ("kind", "path", "quoted"),
    [
        (kinds.DEPLOYMENT, "deployment.apps/web", 'deployments.apps "web"'),
        (kinds.POD, "pod/web", 'pods "web"'),
        (kinds.LEASE, "lease.coordination.k8s.io/web", 'leases.coordination.k8s.io "web"'),
    ],
)
def test_names_of_objects(kind: Kind, path: str, quoted: str) -> None:
    assert (path_of(kind, "web"), subject(kind, "web")) == (path, quoted)


def revision(number: int, cause: str = "") -> Revision:
    template = PodTemplateSpec()
    template.metadata.labels["app"] = "web"
    return Revision(number, cause, f"web-{number}", template, 0.0)


def test_history_is_a_table_that_ends_in_an_empty_line() -> None:
    assert history_lines([revision(1), revision(12, "set image")]) == [
        "REVISION  CHANGE-CAUSE",
        "1         <none>",
        "12        set image",
        "",
    ]


def test_no_history() -> None:
    assert history_lines([]) == ["No rollout history found."]


def test_a_revisions_change_cause_is_shown_as_annotation_but_not_written_into_it() -> None:
    one = revision(2, "because")
    assert revision_lines(one)[1:3] == ["  Labels:\tapp=web", "  Annotations:\tkubernetes.io/change-cause: because"]
    assert not one.template.metadata.annotations


FULL = """
metadata:
  labels: {b: "2", a: "1"}
  annotations: {y: "2", x: "1"}
spec:
  serviceAccountName: robot
  priorityClassName: high
  nodeSelector: {disk: ssd}
  tolerations:
  - {key: dedicated, operator: Equal, value: web, effect: NoSchedule}
  - {key: gone, operator: Exists, effect: NoExecute, tolerationSeconds: 300}
  initContainers: [{name: setup, image: "setup:1"}]
  containers:
  - name: web
    image: web:1
    command: [serve, --all]
    args: [now]
    ports:
    - {containerPort: 80, protocol: TCP}
    - {containerPort: 53, hostPort: 5353, protocol: UDP}
    resources: {limits: {memory: 1Gi, cpu: "2"}, requests: {cpu: 500m}}
    livenessProbe: {httpGet: {path: /live, port: 8080}, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1,
      failureThreshold: 3}
    readinessProbe: {exec: {command: [is, it]}, initialDelaySeconds: 5}
    startupProbe: {tcpSocket: {port: http}}
    env:
    - {name: PLAIN, value: x}
    - {name: OWN, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    - {name: SECRET, valueFrom: {secretKeyRef: {name: s, key: k}}}
    - {name: CONFIG, valueFrom: {configMapKeyRef: {name: c, key: k, optional: true}}}
    envFrom: [{configMapRef: {name: c}, prefix: P_}, {secretRef: {name: s}}]
    volumeMounts: [{name: tmp, mountPath: /tmp}, {name: conf, mountPath: /etc/x, readOnly: true, subPath: x}]
  volumes:
  - {name: tmp, emptyDir: {}}
  - {name: conf, configMap: {name: c}}
  - {name: key, secret: {secretName: s}}
  - {name: host, hostPath: {path: /var}}
  - {name: disk, persistentVolumeClaim: {claimName: d, readOnly: true}}
  - {name: share, nfs: {server: n, path: /}}
"""

LINES = """\
Pod Template:
  Labels:|a=1
|b=2
  Annotations:|x: 1
|y: 2
  Service Account:|robot
  Init Containers:
   setup:
    Image:|setup:1
    Port:|<none>
    Host Port:|<none>
    Environment:|<none>
    Mounts:|<none>
  Containers:
   web:
    Image:|web:1
    Ports:|80/TCP, 53/UDP
    Host Ports:|0/TCP, 5353/UDP
    Command:
      serve
      --all
    Args:
      now
    Limits:
      cpu:|2
      memory:|1Gi
    Requests:
      cpu:|500m
    Liveness:|http-get http://:8080/live delay=0s timeout=1s period=10s #success=1 #failure=3
    Readiness:|exec [is it] delay=5s timeout=0s period=0s #success=0 #failure=0
    Startup:|tcp-socket :http delay=0s timeout=0s period=0s #success=0 #failure=0
    Environment Variables from:
      c|ConfigMap with prefix 'P_'|Optional: false
      s|Secret|Optional: false
    Environment:
      PLAIN:|x
      OWN:|(v1:metadata.name)
      CPU:| (limits.cpu)
      SECRET:|<set to the key 'k' in secret 's'>|Optional: false
      CONFIG:|<set to the key 'k' of config map 'c'>|Optional: true
    Mounts:
      /tmp from tmp (rw)
      /etc/x from conf (ro,path="x")
  Volumes:
   tmp:
    Type:|EmptyDir (lives as long as its pod)
    Medium:|
    SizeLimit:|<unset>
   conf:
    Type:|ConfigMap
    Name:|c
   key:
    Type:|Secret
    SecretName:|s
   host:
    Type:|HostPath
    Path:|/var
    HostPathType:|
   disk:
    Type:|PersistentVolumeClaim
    ClaimName:|d
    ReadOnly:|true
   share:
    Type:|nfs
  Priority Class Name:|high
  Node-Selectors:|disk=ssd
  Tolerations:|dedicated=web:NoSchedule
|gone:NoExecute op=Exists for 300s
"""


def test_a_template_with_everything() -> None:
    pod = made(Pod, FULL)
    template = PodTemplateSpec(metadata=pod.metadata, spec=pod.spec)
    assert template_lines(template) == LINES.replace("|", "\t").splitlines()


def test_a_template_with_nothing() -> None:
    assert template_lines(PodTemplateSpec()) == [
        "Pod Template:",
        "  Labels:\t<none>",
        "  Containers:",
        "  Volumes:\t<none>",
        "  Node-Selectors:\t<none>",
        "  Tolerations:\t<none>",
    ]
