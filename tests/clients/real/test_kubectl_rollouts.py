"""Rollouts driven by the real kubectl: the commands as people write them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from tests.clients.real.manifests import CONTROLLER, DAEMON_SET, STATEFUL_SET, deployment, read
from tests.clients.real.programs import Program

WEB = "deployment/nginx-deployment"
LOOKS, LOOK_SECONDS = 12, 5.0
RECORD = "Flag --record has been deprecated, --record will be removed in the future\n"
SUCCESS = 'deployment "nginx-deployment" successfully rolled out'


def apply(kubectl: Program, manifest: str) -> str:
    return kubectl.ok("apply", "-f", "-", given=manifest)


def rolled_out(kubectl: Program, what: str = WEB) -> str:
    return kubectl.ok("rollout", "status", what)


def images(kubectl: Program, what: str = WEB) -> str:
    return kubectl.ok("get", what, "-o", "jsonpath={.spec.template.spec.containers[*].image}")


@pytest.fixture
def web(kubectl: Program) -> Program:
    """A Deployment that is rolled out."""
    assert apply(kubectl, deployment()) == "deployment.apps/nginx-deployment created\n"
    assert SUCCESS in rolled_out(kubectl)
    return kubectl


def test_apply_set_image_history_undo(web: Program) -> None:
    ran = web.run("set", "image", WEB, "nginx=nginx:1.9.1", "--record")
    assert ran.out == "deployment.apps/nginx-deployment image updated\n"
    assert ran.err in (RECORD, "")  # 1.20 has not deprecated it yet
    assert SUCCESS in rolled_out(web)
    history = web.ok("rollout", "history", WEB)
    assert "REVISION  CHANGE-CAUSE" in history
    assert "set image deployment/nginx-deployment nginx=nginx:1.9.1" in history.splitlines()[3]
    detail = web.ok("rollout", "history", WEB, "--revision=2")
    assert "with revision #2" in detail
    assert "nginx:1.9.1" in detail
    assert web.done("rollout", "undo", WEB).startswith("deployment.apps/nginx-deployment rolled back\n")
    assert SUCCESS in rolled_out(web)
    assert images(web) == "nginx:1.7.9"
    assert web.done("rollout", "undo", WEB, "--to-revision=2").startswith(
        "deployment.apps/nginx-deployment rolled back"
    )
    assert images(web) == "nginx:1.9.1"
    assert "unable to find specified revision 9 in history" in web.refused("rollout", "undo", WEB, "--to-revision=9")


@pytest.mark.parametrize("command", ["apply", "create"])
def test_record_on_the_first_write(kubectl: Program, command: str) -> None:
    ran = kubectl.run(command, "-f", "-", "--record", given=deployment())
    assert (ran.code, ran.out) == (0, "deployment.apps/nginx-deployment created\n")
    assert ran.err in (RECORD, "")
    rolled_out(kubectl)
    assert f"kubectl {command}" in kubectl.ok("rollout", "history", WEB)


def test_a_second_apply_says_unchanged_and_warns_of_nothing(web: Program) -> None:
    assert apply(web, deployment()) == "deployment.apps/nginx-deployment unchanged\n"
    assert apply(web, deployment(replicas=4)) == "deployment.apps/nginx-deployment configured\n"
    assert apply(web, deployment(replicas=4)) == "deployment.apps/nginx-deployment unchanged\n"


def test_pause_resume_restart(web: Program) -> None:
    assert web.ok("rollout", "pause", WEB) == "deployment.apps/nginx-deployment paused\n"
    assert "is already paused" in web.refused("rollout", "pause", WEB)
    web.ok("set", "image", WEB, "nginx=nginx:1.9.1")
    replica_sets = web.ok("get", "rs", "-o", "name")
    assert web.ok("rollout", "resume", WEB) == "deployment.apps/nginx-deployment resumed\n"
    assert SUCCESS in rolled_out(web)
    assert len(web.ok("get", "rs", "-o", "name").splitlines()) == len(replica_sets.splitlines()) + 1
    assert web.ok("rollout", "restart", WEB) == "deployment.apps/nginx-deployment restarted\n"
    assert SUCCESS in rolled_out(web)
    assert "restartedAt" in web.ok("get", WEB, "-o", "yaml")


def test_edit(web: Program, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/nginx:1.7.9/nginx:1.9.1/' \"$1\"\n")
    editor.chmod(0o755)
    assert web.ok("edit", WEB, EDITOR=str(editor)) == "deployment.apps/nginx-deployment edited\n"
    assert images(web) == "nginx:1.9.1"
    assert SUCCESS in rolled_out(web)
    ran = web.run("edit", WEB, EDITOR="true")
    assert (ran.code, ran.out + ran.err) == (0, "Edit cancelled, no changes made.\n")


def test_scale(web: Program) -> None:
    assert web.ok("scale", WEB, "--replicas=5") == "deployment.apps/nginx-deployment scaled\n"
    assert SUCCESS in rolled_out(web)
    assert web.ok("scale", WEB, "--replicas=2", "--current-replicas=5").endswith("scaled\n")
    assert "Expected replicas to be 9, was 2" in web.refused("scale", WEB, "--replicas=3", "--current-replicas=9")
    assert web.ok("scale", WEB, "--replicas=0", "--timeout=30s").endswith("scaled\n")


def test_status_that_does_not_come(web: Program) -> None:
    web.ok("rollout", "pause", WEB)
    web.ok("set", "image", WEB, "nginx=nginx:1.9.1")
    ran = web.run("rollout", "status", WEB, "--timeout=1s")
    assert ran.code == 1
    assert "timed out waiting for the condition" in ran.err
    assert "0 out of 3 new replicas have been updated" in ran.out
    assert web.ok("rollout", "status", WEB, "--watch=false").count("\n") == 1


def test_delete_waits_until_it_is_gone(web: Program) -> None:
    assert 'deployment.apps "nginx-deployment" deleted' in web.ok("delete", WEB)
    assert 'deployments.apps "nginx-deployment" not found' in web.refused("get", WEB)
    web.run("wait", "--for=delete", "pods", "--all", "--timeout=30s")  # older ones fail when none is left already
    assert web.ok("get", "rs,pods", "-o", "name") == ""


@pytest.mark.parametrize("cascade", ["orphan", "foreground"])
def test_delete_otherwise(web: Program, cascade: str) -> None:
    if web.release < (1, 21):
        cascade = {"orphan": "false", "foreground": "true"}[cascade]
    web.done("delete", WEB, f"--cascade={cascade}")
    assert bool(web.ok("get", "rs", "-o", "name")) == (cascade in ("orphan", "false"))


def test_delete_of_everything(web: Program) -> None:
    assert 'deployment.apps "nginx-deployment" deleted' in web.ok("delete", "deployments", "--all")
    apply(web, deployment())
    assert 'deployment.apps "nginx-deployment" deleted' in web.ok("delete", "deploy", "-l", "app=nginx")


def test_wait(web: Program) -> None:
    assert web.ok("wait", "--for=condition=available", WEB, "--timeout=20s").endswith("condition met\n")
    assert web.ok("wait", "--for=condition=ready", "pods", "--all", "--timeout=20s").count("condition met") == 3
    if web.release >= (1, 24):
        assert web.ok("wait", "--for=jsonpath={.status.readyReplicas}=3", WEB).endswith("condition met\n")
    if web.release >= (1, 31):
        assert web.ok("wait", "--for=create", WEB).endswith("condition met\n")
    assert "timed out" in web.refused("wait", "--for=condition=nosuch", WEB, "--timeout=1s")


def test_a_stateful_set(kubectl: Program) -> None:
    assert apply(kubectl, STATEFUL_SET) == "statefulset.apps/web created\n"
    assert "2 new pods have been updated" in rolled_out(kubectl, "sts/web")
    kubectl.ok("set", "image", "sts/web", "c=app:2")
    assert "2 new pods have been updated" in rolled_out(kubectl, "sts/web")
    assert "with revision #1" in kubectl.ok("rollout", "history", "sts/web", "--revision=1")
    assert kubectl.done("rollout", "undo", "sts/web").startswith("statefulset.apps/web rolled back")
    rolled_out(kubectl, "sts/web")
    assert images(kubectl, "sts/web") == "app:1"
    assert "pausing is not supported" in kubectl.refused("rollout", "pause", "sts/web")
    assert kubectl.ok("rollout", "restart", "sts/web") == "statefulset.apps/web restarted\n"
    rolled_out(kubectl, "sts/web")
    assert kubectl.ok("get", "pods", "-o", "name") == "pod/web-0\npod/web-1\n"


def test_a_daemon_set(kubectl: Program) -> None:
    assert apply(kubectl, DAEMON_SET) == "daemonset.apps/agent created\n"
    assert 'daemon set "agent" successfully rolled out' in rolled_out(kubectl, "ds/agent")
    kubectl.ok("set", "image", "ds/agent", "c=app:2")
    assert 'daemon set "agent" successfully rolled out' in rolled_out(kubectl, "ds/agent")
    assert kubectl.ok("rollout", "history", "ds/agent").splitlines()[-2].split() == ["2", "<none>"]
    assert kubectl.done("rollout", "undo", "ds/agent", "--to-revision=1").startswith("daemonset.apps/agent rolled back")
    rolled_out(kubectl, "ds/agent")
    assert images(kubectl, "ds/agent") == "app:1"


def test_a_replication_controller(kubectl: Program) -> None:
    assert apply(kubectl, CONTROLLER) == "replicationcontroller/redis-master created\n"
    kubectl.ok("scale", "rc/redis-master", "--replicas=3", "--timeout=30s")
    status = read(kubectl.ok("get", "rc", "redis-master", "-o", "json"))["status"]
    assert status["replicas"] == 3


def test_watching_a_rollout(web: Program) -> None:
    with web.running("get", "pods", "--watch-only", "-o", "name") as watching:
        assert watching.stdout is not None
        with ThreadPoolExecutor(1) as reading:
            line = reading.submit(watching.stdout.readline)
            for _ in range(LOOKS):  # a rollout that is over before kubectl watches shows it nothing
                web.ok("rollout", "restart", WEB)
                if wait([line], LOOK_SECONDS).done:
                    break
            else:
                watching.kill()
        assert line.result().startswith("pod/nginx-deployment-")


def test_a_name_watched_is_shown_as_rows(web: Program) -> None:
    with web.running("get", WEB, "--watch") as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
        assert watching.stdout.readline().split()[:2] == ["nginx-deployment", "3/3"]
        web.ok("scale", WEB, "--replicas=4")
        assert watching.stdout.readline().split()[:2] == ["nginx-deployment", "3/4"]
