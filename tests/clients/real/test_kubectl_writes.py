"""What the real kubectl changes: generators, patches, labels, server-side apply, differences, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.real.manifests import deployment, read
from tests.clients.real.programs import Program

WEB = "deployment/nginx-deployment"


@pytest.fixture
def web(kubectl: Program) -> Program:
    """A Deployment that was applied."""
    kubectl.ok("apply", "-f", "-", given=deployment())
    return kubectl


def field(kubectl: Program, what: str, path: str) -> str:
    return kubectl.ok("get", what, "-o", f"jsonpath={{{path}}}")


@pytest.mark.parametrize(
    ("line", "created"),
    [
        ("deployment web --image=nginx:1.7.9", "deployment.apps/web"),
        ("configmap settings --from-literal=a=b", "configmap/settings"),
        ("secret generic keys --from-literal=a=b", "secret/keys"),
        ("serviceaccount robot", "serviceaccount/robot"),
        ("service clusterip web --tcp=80:8080", "service/web"),
        ("pdb web --selector=app=web --min-available=1", "poddisruptionbudget.policy/web"),
    ],
)
def test_generators(kubectl: Program, line: str, created: str) -> None:
    assert kubectl.ok("create", *line.split()) == f"{created} created\n"
    assert kubectl.ok("get", created, "-o", "name") == f"{created}\n"
    assert "already exists" in kubectl.refused("create", *line.split())


def test_run_and_expose(kubectl: Program) -> None:
    assert kubectl.ok("run", "one", "--image=nginx:1.7.9", "--port=80") == "pod/one created\n"
    kubectl.ok("wait", "--for=condition=ready", "pod/one", "--timeout=20s")
    assert kubectl.ok("expose", "pod", "one", "--port=80") == "service/one exposed\n"
    assert field(kubectl, "svc/one", ".spec.clusterIP")


@pytest.mark.parametrize(
    ("type_", "patch"),
    [
        ("strategic", '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","image":"nginx:1.9.1"}]}}}}'),
        ("merge", '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","image":"nginx:1.9.1"}]}}}}'),
        ("json", '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"nginx:1.9.1"}]'),
    ],
)
def test_patch(web: Program, type_: str, patch: str) -> None:
    assert web.ok("patch", WEB, "--type", type_, "-p", patch) == "deployment.apps/nginx-deployment patched\n"
    assert field(web, WEB, ".spec.template.spec.containers[*].image") == "nginx:1.9.1"
    web.ok("rollout", "status", WEB)  # the controller's own writes count as changes in between
    assert "(no change)" in web.ok("patch", WEB, "--type", type_, "-p", patch)


def test_patch_of_the_scale(web: Program) -> None:
    if web.release < (1, 24):
        pytest.skip("kubectl learnt --subresource in 1.24")
    web.ok("patch", WEB, "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":2}}')
    assert field(web, WEB, ".spec.replicas") == "2"


def test_labels_and_annotations(web: Program) -> None:
    assert web.ok("label", WEB, "tier=front") == "deployment.apps/nginx-deployment labeled\n"
    assert field(web, WEB, ".metadata.labels.tier") == "front"
    assert "--overwrite is false" in web.refused("label", WEB, "tier=back")
    web.ok("label", WEB, "tier-")
    assert field(web, WEB, ".metadata.labels.tier") == ""
    assert web.ok("annotate", WEB, "note=x").startswith("deployment.apps/nginx-deployment annotate")
    assert field(web, WEB, ".metadata.annotations.note") == "x"


def test_environment_and_resources(web: Program) -> None:
    web.ok("set", "env", WEB, "MODE=test")
    web.ok("set", "resources", WEB, "--limits=cpu=200m")
    assert field(web, WEB, ".spec.template.spec.containers[0].env[0].value") == "test"
    assert field(web, WEB, ".spec.template.spec.containers[0].resources.limits.cpu") == "200m"


def test_replace(web: Program) -> None:
    web.ok("rollout", "status", WEB)
    changed = web.ok("get", WEB, "-o", "yaml").replace("replicas: 3", "replicas: 2")
    assert web.ok("replace", "-f", "-", given=changed) == "deployment.apps/nginx-deployment replaced\n"
    assert field(web, WEB, ".spec.replicas") == "2"
    stale = web.refused("replace", "-f", "-", given=changed)
    assert "the object has been modified" in stale
    assert "replaced" in web.done("replace", "--force", "-f", "-", given=deployment())


def test_diff(web: Program) -> None:
    assert web.ok("diff", "-f", "-", given=deployment()) == ""
    ran = web.run("diff", "-f", "-", given=deployment(image="nginx:1.9.1"))
    assert ran.code == 1
    changed = [line.split() for line in ran.out.splitlines() if line[:1] in "+-" and "image:" in line]
    assert [(line[0], line[-1]) for line in changed] == [("-", "nginx:1.7.9"), ("+", "nginx:1.9.1")]
    assert field(web, WEB, ".spec.template.spec.containers[0].image") == "nginx:1.7.9"


def test_apply_server_side(kubectl: Program) -> None:
    applied = "deployment.apps/nginx-deployment serverside-applied\n"
    for _ in range(2):
        assert kubectl.ok("apply", "--server-side", "-f", "-", given=deployment()) == applied
    kubectl.ok("set", "image", WEB, "nginx=nginx:1.9.1")
    conflict = kubectl.refused("apply", "--server-side", "-f", "-", given=deployment())
    assert "conflict with" in conflict
    assert ".spec.template.spec.containers" in conflict
    assert kubectl.ok("apply", "--server-side", "--force-conflicts", "-f", "-", given=deployment()) == applied
    assert field(kubectl, WEB, ".spec.template.spec.containers[0].image") == "nginx:1.7.9"


def test_hand_over_to_server_side(web: Program) -> None:
    assert web.ok("apply", "--server-side", "-f", "-", given=deployment(replicas=4)).endswith("serverside-applied\n")
    managers = read(web.ok("get", WEB, "-o", "json", *_with_managed_fields(web)))["metadata"]["managedFields"]
    assert ("kubectl", "Apply") in [(each["manager"], each["operation"]) for each in managers]
    assert field(web, WEB, ".spec.replicas") == "4"


def _with_managed_fields(kubectl: Program) -> list[str]:
    return ["--show-managed-fields"] if kubectl.release >= (1, 21) else []


def test_diff_server_side(web: Program) -> None:
    web.ok("apply", "--server-side", "-f", "-", given=deployment())
    ran = web.run("diff", "--server-side", "-f", "-", given=deployment(replicas=5))
    assert ran.code == 1
    assert "replicas: 5" in ran.out
    assert field(web, WEB, ".spec.replicas") == "3"


@pytest.mark.parametrize(("kind", "words"), [("client", "dry run"), ("server", "server dry run")])
def test_dry_runs_store_nothing(kubectl: Program, kind: str, words: str) -> None:
    out = kubectl.ok("apply", "-f", "-", f"--dry-run={kind}", given=deployment())
    assert out == f"deployment.apps/nginx-deployment created ({words})\n"
    assert kubectl.ok("get", "deploy", "-o", "name") == ""


def test_a_misspelt_field_is_told(kubectl: Program) -> None:
    wrong = deployment().replace("replicas: 3", "replicaz: 3")
    assert "replicaz" in kubectl.refused("apply", "-f", "-", given=wrong)
    assert "replicaz" in kubectl.refused("create", "-f", "-", given=wrong)


def test_an_invalid_object_is_told(kubectl: Program) -> None:
    wrong = deployment().replace("matchLabels: {app: nginx-deployment}", "matchLabels: {app: other}")
    said = kubectl.refused("create", "-f", "-", given=wrong)
    assert said.startswith('The Deployment "nginx-deployment" is invalid: spec.template.metadata.labels: ')


def test_files_and_folders(kubectl: Program, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(deployment("a", replicas=1))
    (tmp_path / "b.yaml").write_text(deployment("b", replicas=1))
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml, b.yaml]\nnamePrefix: x-\n")
    assert kubectl.ok("apply", "-f", f"{tmp_path}/a.yaml") == "deployment.apps/a created\n"
    assert kubectl.ok("apply", "-k", str(tmp_path)) == "deployment.apps/x-a created\ndeployment.apps/x-b created\n"
    assert kubectl.ok("delete", "-f", f"{tmp_path}/a.yaml").startswith('deployment.apps "a" deleted')


def test_prune(kubectl: Program) -> None:
    both = f"{deployment('a', replicas=1)}---\n{deployment('b', replicas=1)}"
    listed = "--prune-allowlist" if kubectl.release >= (1, 26) else "--prune-whitelist"
    flags = ("apply", "--prune", "-l", "app=nginx", f"{listed}=apps/v1/Deployment", "-f", "-")
    kubectl.done(*flags, given=both)
    assert "deployment.apps/b pruned" in kubectl.done(*flags, given=deployment("a", replicas=1))
