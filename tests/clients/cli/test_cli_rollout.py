"""``rollout status`` for people and pipelines, ``why``, and the other rollout verbs beyond the recorded session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
import yaml

from rollplane.apps.v1 import Deployment, DeploymentCondition
from rollplane.core.v1 import Pod
from tests.clients.cli.commands import Cli, Running
from tests.clients.cli.manifests import WEB
from tests.clients.cli.stand_in import StandIn
from tests.clients.cli.transcript import normalized
from tests.clients.python.plane import Plane

STUCK = (
    'deployment "web" cannot proceed: 1 new pod fails, image "nginx:404" cannot be pulled: not found (ErrImagePull); '
    "nothing else can move, since 3 pods must stay available (maxUnavailable 0) and there may be no more than 4 pods "
    "(maxSurge 1)"
)
WAITING = 'Waiting for deployment "web" rollout to finish: '
ONE_OF_THREE = f"{WAITING}1 out of 3 new replicas have been updated...\n"
DONE = 'deployment "web" successfully rolled out\n'


@pytest.fixture
async def web(cli: Cli, stand_in: StandIn) -> StandIn:
    """A Deployment with three pods of its first version, all well."""
    await cli.ok("create", "-f", "-", input=WEB)
    first = await stand_in.replica_set("web", "v1")
    for number in range(3):
        await stand_in.pod(first, f"web-v1-{number}", node=f"node-{number}")
    await stand_in.counts("web", updated=3, total=3, available=3)
    return stand_in


async def begin_rollout(cli: Cli, stand_in: StandIn, *, image: str = "nginx:404") -> None:
    """Set an image; of the new version there is one pod, and all three old ones."""
    await cli.ok("set", "image", "deploy/web", f"nginx={image}")
    new = await stand_in.replica_set("web", "v2")
    await stand_in.resize("web-v1", 3)
    await stand_in.resize("web-v2", 1, ready=0)
    await stand_in.pod(new, "web-v2-0", node="node-0", ready=False, waiting="ContainerCreating")
    await stand_in.counts("web", updated=1, total=4, available=3)


async def test_status_fails_at_once_when_nothing_can_move(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    command = Running(cli, "rollout", "status", "deploy/web")
    await command.out.until(ONE_OF_THREE)
    await web.pod_state("web-v2-0", ready=False, waiting="ErrImagePull")
    ran = await command.end()
    assert (ran.code, ran.out, ran.err) == (1, ONE_OF_THREE, f"error: {STUCK}\n")


async def test_status_waits_on_when_told_so(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    await web.pod_state("web-v2-0", ready=False, waiting="ErrImagePull")
    command = Running(cli, "rollout", "status", "deploy/web", "--until-deadline")
    await command.out.until(ONE_OF_THREE)
    await web.counts("web", updated=3, total=3, available=3)
    ran = await command.end()
    assert (ran.code, ran.out, ran.err) == (0, ONE_OF_THREE + DONE, "")


async def test_status_fails_on_the_deadline(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    command = Running(cli, "rollout", "status", "deploy/web")
    await command.out.until(ONE_OF_THREE)
    await web.set_status(Deployment, "web", exceed_deadline)
    ran = await command.end()
    sentence = 'error: deployment "web" exceeded its progress deadline\n'
    assert (ran.code, ran.out, ran.err) == (1, ONE_OF_THREE, sentence)


def exceed_deadline(deployment: Deployment) -> None:
    condition = DeploymentCondition(type="Progressing", status="False", reason="ProgressDeadlineExceeded")
    deployment.status.conditions.append(condition)


async def test_status_of_a_rollout_that_another_takes_over(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    command = Running(cli, "rollout", "status", "deploy/web", "--revision=2")
    await command.out.until(ONE_OF_THREE)
    await cli.ok("set", "image", "deploy/web", "nginx=nginx:3")
    await web.replica_set("web", "v3")
    ran = await command.end()
    assert ran.code == 1
    assert ran.err == "error: desired revision (2) is different from the running revision (3)\n"


async def test_status_of_an_object_that_is_deleted(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    command = Running(cli, "rollout", "status", "deploy/web")
    await command.out.until(ONE_OF_THREE)
    await cli.ok("delete", "deploy", "web")
    ran = await command.end()
    assert (ran.code, ran.err) == (1, "error: object has been deleted\n")


async def test_status_goes_on_after_the_server_was_away(cli: Cli, web: StandIn, plane: Plane) -> None:
    await begin_rollout(cli, web)
    command = Running(cli, "rollout", "status", "deploy/web")
    await command.out.until(ONE_OF_THREE)
    await plane.stop()
    await plane.start()
    await StandIn(plane.in_process()).counts("web", updated=3, total=3, available=3)
    ran = await command.end()
    assert (ran.code, ran.out, ran.err) == (0, ONE_OF_THREE + DONE, "")


async def test_status_looks_once(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    assert await cli.ok("rollout", "status", "deploy/web", "--watch=false") == ONE_OF_THREE


async def test_status_of_several(cli: Cli, web: StandIn) -> None:
    ran = await cli.run("rollout", "status", "deploy/web", "deploy/none")
    assert (ran.code, ran.out) == (1, DONE)
    assert ran.err == 'Error from server (NotFound): deployments.apps "none" not found\n'
    assert await web.list(Pod)


async def test_status_json_of_a_rollout_that_cannot_proceed(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    await web.pod_state("web-v2-0", ready=False, waiting="ErrImagePull")
    ran = await cli.run("rollout", "status", "deploy/web", "-o", "json")
    assert (ran.code, ran.err) == (1, f"error: {STUCK}\n")
    assert json.loads(ran.out) == {
        "apiVersion": "cli.rollplane.dev/v1",
        "kind": "RolloutStatus",
        "workload": "deployment.apps/web",
        "namespace": "default",
        "state": "Stuck",
        "reason": "ErrImagePull",
        "message": STUCK,
        "replicas": {"desired": 3, "updated": 1, "ready": 3, "available": 3, "total": 4},
        "pods": [
            {
                "name": "web-v2-0",
                "node": "node-0",
                "status": "ErrImagePull",
                "restarts": 0,
                "message": 'image "nginx:404" cannot be pulled: not found',
            }
        ],
    }


async def test_status_json_of_a_rollout_that_is_done(cli: Cli, web: StandIn) -> None:
    shown = json.loads(await cli.ok("rollout", "status", "deploy/web", "-o", "json"))
    assert (shown["state"], shown["reason"], shown["pods"]) == ("Done", "", [])
    assert shown["message"] == DONE.rstrip()
    assert shown["replicas"] == {"desired": 3, "updated": 3, "ready": 3, "available": 3, "total": 3}
    assert await web.list(Pod)


STATES: dict[str, tuple[list[str], str, int]] = {
    "one look": (["--watch=false"], "Progressing", 0),
    "out of time": (["--timeout=50ms"], "TimedOut", 1),
}


@pytest.mark.parametrize(("flags", "state", "code"), STATES.values(), ids=STATES)
async def test_status_json_of_a_rollout_under_way(
    cli: Cli, web: StandIn, flags: list[str], state: str, code: int
) -> None:
    await begin_rollout(cli, web)
    ran = await cli.run("rollout", "status", "deploy/web", "-o", "yaml", *flags)
    shown = yaml.safe_load(ran.out)
    assert (ran.code, shown["state"], shown["reason"]) == (code, state, "PodsNotReady")
    assert [pod["name"] for pod in shown["pods"]] == ["web-v2-0"]


async def test_status_json_after_the_deadline(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    await web.set_status(Deployment, "web", exceed_deadline)
    ran = await cli.run("rollout", "status", "deploy/web", "-o", "json", "--until-deadline")
    shown = json.loads(ran.out)
    assert (ran.code, shown["state"], shown["reason"]) == (1, "Failed", "ProgressDeadlineExceeded")


async def test_on_a_terminal_the_rollout_is_drawn(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    cli.environ["TERM"] = "xterm"
    command = Running(cli, "rollout", "status", "deploy/web", terminal=True)
    await command.out.until("1/3")
    await web.pod_state("web-v2-0", ready=False, waiting="ErrImagePull")
    ran = await command.end()
    assert ran.code == 1
    for part in ("deployment.apps/web", "updated", "available", "3/3", "web-v2-0", "ErrImagePull"):
        assert part in ran.out
    assert ran.err == f"error: {STUCK}\n"


async def test_ctrl_c_ends_it(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    command = Running(cli, "rollout", "status", "deploy/web")
    await command.out.until(ONE_OF_THREE)
    await command.interrupt()
    assert [task for task in asyncio.all_tasks() if "_pump" in repr(task.get_coro())] == []


async def test_why_names_the_pods_behind_it(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    await web.pod_state("web-v2-0", ready=False, waiting="ErrImagePull", restarts=2)
    assert normalized(await cli.ok("why", "deploy/web")) == (
        f"{STUCK}\n\nNAME  READY  STATUS  RESTARTS  AGE\nweb-v2-0  0/1  ErrImagePull  2  AGE"
    )


async def test_why_of_a_rollout_that_is_complete(cli: Cli, web: StandIn) -> None:
    said = 'deployment "web" is complete: 3 pods are updated and available\n'
    assert await cli.ok("why", "deploy", "web") == said
    assert await web.list(Pod)


async def test_why_json(cli: Cli, web: StandIn) -> None:
    await begin_rollout(cli, web)
    shown = json.loads(await cli.ok("why", "deploy/web", "-o", "json"))
    assert [pod.pop("name") for pod in shown.pop("pods")] == ["web-v2-0"]
    assert shown == {
        "apiVersion": "cli.rollplane.dev/v1",
        "kind": "RolloutDiagnosis",
        "workload": "deployment.apps/web",
        "namespace": "default",
        "complete": False,
        "stuck": False,
        "reason": "PodsNotReady",
        "message": 'deployment "web" waits for 1 new pod to become ready (ContainerCreating)',
        "reasons": [
            {
                "reason": "PodsNotReady",
                "nature": "Wait",
                "message": "waits for 1 new pod to become ready (ContainerCreating)",
                "pods": ["web-v2-0"],
            },
            {
                "reason": "MaxUnavailable",
                "nature": "Limit",
                "message": "3 pods must stay available (maxUnavailable 0)",
                "pods": [],
            },
            {
                "reason": "MaxSurge",
                "nature": "Limit",
                "message": "there may be no more than 4 pods (maxSurge 1)",
                "pods": [],
            },
        ],
    }


async def test_history_json(cli: Cli, web: StandIn) -> None:
    await cli.run("set", "image", "deploy/web", "nginx=nginx:2", "--record", "-n", "default")
    await web.replica_set("web", "v2")
    shown = json.loads(await cli.ok("rollout", "history", "deploy/web", "-o", "json"))
    assert (shown["kind"], shown["workload"]) == ("RolloutHistory", "deployment.apps/web")
    images = [each.pop("template")["spec"]["containers"][0]["image"] for each in shown["revisions"]]
    assert images == ["nginx:1.7.9", "nginx:2"]
    cause = "rollplane set image deploy/web nginx=nginx:2 --record=true --namespace=default"
    assert shown["revisions"] == [
        {"revision": 1, "changeCause": "", "name": "web-v1"},
        {"revision": 2, "changeCause": cause, "name": "web-v2"},
    ]


async def test_undo_to_the_present_template_is_skipped(cli: Cli, web: StandIn) -> None:
    said = await cli.ok("rollout", "undo", "deploy/web", "--to-revision=1")
    assert said == "deployment.apps/web skipped rollback (current template already matches revision 1)\n"
    assert (await web.get(Deployment, "web")).metadata.generation == 1


DRY_RUNS = {
    "rollout pause deploy/web": "deployment.apps/web paused",
    "rollout restart deploy/web": "deployment.apps/web restarted",
    "scale deploy/web --replicas=9": "deployment.apps/web scaled",
    "set image deploy/web nginx=nginx:9": "deployment.apps/web image updated",
    "patch deploy/web -p spec:{replicas:9}": "deployment.apps/web patched",
}


@pytest.mark.parametrize(("line", "said"), DRY_RUNS.items(), ids=DRY_RUNS)
async def test_a_dry_run_changes_nothing(cli: Cli, web: StandIn, line: str, said: str) -> None:
    before = await web.get(Deployment, "web")
    words = [word.replace(":{replicas:9}", ": {replicas: 9}") for word in line.split()]
    assert await cli.ok(*words, "--dry-run=client") == f"{said} (dry run)\n"
    assert await cli.ok(*words, "--dry-run=server") == f"{said} (server dry run)\n"
    assert await web.get(Deployment, "web") == before


async def test_an_image_that_is_set_already_is_passed_over(cli: Cli, web: StandIn) -> None:
    assert await cli.ok("set", "image", "deploy/web", "nginx=nginx:1.7.9") == ""
    assert (await web.get(Deployment, "web")).metadata.generation == 1


async def test_every_container_by_a_star(cli: Cli, web: StandIn) -> None:
    assert await cli.ok("set", "image", "deploy", "--all", "*=app:3") == "deployment.apps/web image updated\n"
    assert (await web.get(Deployment, "web")).spec.template.spec.containers[0].image == "app:3"


PATCHES: dict[str, tuple[list[str], Callable[[Deployment], bool]]] = {
    "strategic, in YAML": (["-p", "spec: {replicas: 4}"], lambda web: web.spec.replicas == 4),
    "merge": (
        ["--type=merge", "-p", '{"metadata":{"labels":{"x":"y"}}}'],
        lambda web: web.metadata.labels["x"] == "y",
    ),
    "JSON": (
        ["--type=json", "-p", '[{"op":"replace","path":"/spec/replicas","value":5}]'],
        lambda web: web.spec.replicas == 5,
    ),
    "scale": (["--subresource=scale", "-p", "spec: {replicas: 6}"], lambda web: web.spec.replicas == 6),
}


@pytest.mark.parametrize(("flags", "holds"), PATCHES.values(), ids=PATCHES)
async def test_patch(cli: Cli, web: StandIn, flags: list[str], holds: Callable[[Deployment], bool]) -> None:
    assert await cli.ok("patch", "deploy", "web", *flags) == "deployment.apps/web patched\n"
    assert holds(await web.get(Deployment, "web"))


async def test_a_patch_that_changes_nothing_says_so(cli: Cli, web: StandIn) -> None:
    said = await cli.ok("patch", "deploy", "web", "-p", "spec: {replicas: 3}")
    assert said == "deployment.apps/web patched (no change)\n"
    assert (await web.get(Deployment, "web")).metadata.generation == 1


@pytest.mark.parametrize("order", ["ready", "unready", "crash", "finish"])
async def test_sim_writes_the_order_onto_the_pod(cli: Cli, web: StandIn, order: str) -> None:
    assert await cli.ok("sim", order, "web-v1-0") == f"pod/web-v1-0 told: {order}\n"
    assert (await web.get(Pod, "web-v1-0")).metadata.annotations["sim.rollplane.dev/do"] == order


async def test_sim_takes_a_selector(cli: Cli, web: StandIn) -> None:
    said = await cli.ok("sim", "crash", "-l", "app=web")
    assert said == "".join(f"pod/web-v1-{number} told: crash\n" for number in range(3))
    assert len(await web.list(Pod)) == 3


async def test_cordon_twice(cli: Cli, stand_in: StandIn) -> None:
    await stand_in.nodes(["node-0"])
    assert await cli.ok("cordon", "node/node-0") == "node/node-0 cordoned\n"
    assert await cli.ok("cordon", "node-0") == "node/node-0 already cordoned\n"
    assert await cli.ok("uncordon", "node-0") == "node/node-0 uncordoned\n"
    assert await cli.ok("uncordon", "node-0") == "node/node-0 already uncordoned\n"
