"""``why`` and ``rollout status`` of the kinds beside Deployment."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollplane.apps.v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import Pod
from rollplane_machinery.extensions import ROLLED_BACK
from rollplane_planners.rolled_back import RolledBack
from tests.clients.cli.commands import Cli, Running
from tests.clients.cli.manifests import WEB
from tests.clients.cli.stand_in import StandIn

DB = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 3
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: "db:404"}]}
"""

AGENT = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: c, image: "agent:404"}]}
"""

DB_STUCK = (
    'statefulset "db" cannot proceed: db-2 fails, image "db:404" cannot be pulled: not found (ErrImagePull); nothing '
    "else can move, since OrderedReady keeps all else waiting for it (2 pods to be updated)"
)
AGENT_STUCK = (
    'daemon set "agent" cannot proceed: 1 new pod fails, image "agent:404" cannot be pulled: not found '
    "(ErrImagePull); nothing else can move, since no more than 1 node may be without an available pod (maxUnavailable)"
)
ONE_TO_BE_READY = "Waiting for 1 pods to be ready...\n"
ONE_OF_TWO = 'Waiting for daemon set "agent" rollout to finish: 1 out of 2 new pods have been updated...\n'


async def labelled(stand_in: StandIn, name: str, revision: str) -> None:
    def change(pod: Pod) -> None:
        pod.metadata.labels["controller-revision-hash"] = revision
        pod.metadata.labels["statefulset.kubernetes.io/pod-name"] = name

    await stand_in.update(Pod, name, change)


@pytest.fixture
async def db(cli: Cli, stand_in: StandIn) -> StandIn:
    """A StatefulSet whose highest pod is of a new revision and starts."""
    await cli.ok("create", "-f", "-", input=DB)
    owner = await stand_in.get(StatefulSet, "db")
    for number, image in ((1, "db:1"), (2, "")):
        await stand_in.controller_revision(owner, "db-new" if not image else "db-old", number, image=image)
    for at in range(3):
        is_new = at == 2
        await stand_in.pod(owner, f"db-{at}", ready=not is_new, waiting="ContainerCreating" if is_new else "")
        await labelled(stand_in, f"db-{at}", "db-new" if is_new else "db-old")

    def status(stateful_set: StatefulSet) -> None:
        stateful_set.status.observed_generation = stateful_set.metadata.generation
        stateful_set.status.replicas = 3
        stateful_set.status.ready_replicas = stateful_set.status.available_replicas = 2
        stateful_set.status.updated_replicas = 1
        stateful_set.status.current_revision, stateful_set.status.update_revision = "db-old", "db-new"

    await stand_in.set_status(StatefulSet, "db", status)
    return stand_in


@pytest.fixture
async def agent(cli: Cli, stand_in: StandIn) -> StandIn:
    """A DaemonSet on two nodes, one of which has a new pod that starts."""
    await cli.ok("create", "-f", "-", input=AGENT)
    owner = await stand_in.get(DaemonSet, "agent")
    await stand_in.nodes(["node-1", "node-2"])
    for number, revision in ((1, "old"), (2, "new")):
        is_new = revision == "new"
        await stand_in.controller_revision(owner, f"agent-{revision}", number, image="" if is_new else "agent:1")
        waiting = "ContainerCreating" if is_new else ""
        await stand_in.pod(owner, f"agent-{number}", node=f"node-{number}", ready=not is_new, waiting=waiting)
        await labelled(stand_in, f"agent-{number}", revision)
    await stand_in.daemon_counts("agent", desired=2, updated=1, available=1)
    return stand_in


async def test_status_of_a_stateful_set_fails_at_once(cli: Cli, db: StandIn) -> None:
    command = Running(cli, "rollout", "status", "sts/db", "--revision=9")
    await command.out.until(ONE_TO_BE_READY)
    await db.pod_state("db-2", ready=False, waiting="ErrImagePull")
    ran = await command.end()
    assert (ran.code, ran.out, ran.err) == (1, ONE_TO_BE_READY, f"error: {DB_STUCK}\n")


async def test_status_of_a_daemon_set_fails_at_once(cli: Cli, agent: StandIn) -> None:
    command = Running(cli, "rollout", "status", "ds/agent")
    await command.out.until(ONE_OF_TWO)
    await agent.pod_state("agent-2", ready=False, waiting="ErrImagePull")
    ran = await command.end()
    assert (ran.code, ran.out, ran.err) == (1, ONE_OF_TWO, f"error: {AGENT_STUCK}\n")


async def test_status_of_a_stateful_set_waits_on_when_told_so(cli: Cli, db: StandIn) -> None:
    await db.pod_state("db-2", ready=False, waiting="ErrImagePull")
    command = Running(cli, "rollout", "status", "sts/db", "--until-deadline")
    await command.out.until(ONE_TO_BE_READY)
    await db.ready_stateful_set("db", updated=3)
    ran = await command.end()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == ONE_TO_BE_READY + "partitioned roll out complete: 3 new pods have been updated...\n"


async def test_status_json_of_a_stateful_set(cli: Cli, db: StandIn) -> None:
    await db.pod_state("db-2", ready=False, waiting="ErrImagePull")
    ran = await cli.run("rollout", "status", "sts/db", "-o", "json")
    shown = json.loads(ran.out)
    assert (ran.code, shown["state"], shown["reason"], shown["message"]) == (1, "Stuck", "ErrImagePull", DB_STUCK)
    assert [each["name"] for each in shown["pods"]] == ["db-2"]


async def test_why_of_the_trap_names_the_way_out(cli: Cli, db: StandIn) -> None:
    await db.pod_state("db-2", ready=False, waiting="ErrImagePull")
    await labelled(db, "db-2", "db-given-up")
    said = await cli.ok("why", "sts/db")
    assert 'delete it ("rollplane delete pod db-2") to go on' in said
    shown = json.loads(await cli.ok("why", "sts/db", "-o", "json"))
    assert (shown["reason"], shown["stuck"]) == ("ForcedRollbackNeeded", True)


async def test_why_of_a_daemon_set(cli: Cli, agent: StandIn) -> None:
    said = await cli.ok("why", "ds", "agent")
    assert said.startswith('daemon set "agent" waits for 1 new pod to become ready (ContainerCreating)\n\nNAME')
    assert await agent.list(Pod)


async def test_why_of_a_replica_set(cli: Cli, stand_in: StandIn) -> None:
    await cli.ok("create", "-f", "-", input=WEB.replace("Deployment", "ReplicaSet"))
    owner = await stand_in.get(ReplicaSet, "web")
    for at, waiting in enumerate(("ErrImagePull", "CrashLoopBackOff", "ErrImagePull")):
        await stand_in.pod(owner, f"web-{at}", ready=False, waiting=waiting, restarts=3)
    await stand_in.resize("web", 3, ready=0)
    said = (await cli.ok("why", "rs/web")).splitlines()
    fails = 'image "nginx:1.7.9" cannot be pulled: not found (ErrImagePull)'
    assert said[0] == f'replicaset "web" cannot proceed: 3 pods fail, {fails}; nothing else can move'
    assert len(said) == 6


REFUSED = {
    "rollout status rs/web": "error: no status viewer has been implemented for ReplicaSet\n",
    "rollout status sts/db": "error: rollout status is only available for RollingUpdate strategy type\n",
    "rollout status ds/agent": "error: rollout status is only available for RollingUpdate strategy type\n",
}


@pytest.mark.parametrize(("line", "error"), REFUSED.items(), ids=REFUSED)
async def test_status_keeps_kubectls_errors(cli: Cli, line: str, error: str) -> None:
    on_delete = "spec:\n  updateStrategy: {type: OnDelete}"
    for manifest in (DB.replace("spec:", on_delete, 1), AGENT.replace("spec:", on_delete, 1)):
        await cli.ok("create", "-f", "-", input=manifest)
    await cli.ok("create", "-f", "-", input=WEB.replace("Deployment", "ReplicaSet"))
    ran = await cli.run(*line.split())
    assert (ran.code, ran.out, ran.err) == (1, "", error)


@pytest.fixture
async def web(cli: Cli, stand_in: StandIn) -> StandIn:
    """A Deployment that is up."""
    await cli.ok("create", "-f", "-", input=WEB)
    first = await stand_in.replica_set("web", "v1")
    for number in range(3):
        await stand_in.pod(first, f"web-v1-{number}", node=f"node-{number}")
    await stand_in.counts("web", updated=3, total=3, available=3)
    return stand_in


GIVEN_UP = RolledBack("given-up", 2, 3, "ErrImagePull", "pod w-x fails, image cannot be pulled (ErrImagePull)")
WENT_BACK: dict[str, tuple[str, str, Any]] = {
    "deploy/web": ("web", 'deployment "web"', Deployment),
    "sts/db": ("db", 'statefulset "db"', StatefulSet),
    "ds/agent": ("agent", 'daemon set "agent"', DaemonSet),
}


@pytest.mark.parametrize("path", WENT_BACK)
async def test_a_rollout_that_was_rolled_back_is_no_success(
    cli: Cli, web: StandIn, db: StandIn, agent: StandIn, path: str
) -> None:
    """Whether the former template is back everywhere or not, until the template is changed again."""
    name, called, message_type = WENT_BACK[path]
    told = GIVEN_UP.to_json()
    await web.update(message_type, name, lambda one: one.metadata.annotations.update({ROLLED_BACK: told}))
    sentence = f"{called} {GIVEN_UP}"
    for flags in ([], ["--until-deadline"], ["--watch=false"]):
        ran = await cli.run("rollout", "status", path, *flags)
        assert (ran.code, ran.out, ran.err) == (1, "", f"error: {sentence}\n")
    ran = await cli.run("rollout", "status", path, "-o", "json")
    shown = json.loads(ran.out)
    assert (ran.code, shown["state"], shown["reason"], shown["message"]) == (1, "Failed", "AutoRollback", sentence)
    await web.update(message_type, name, lambda one: one.metadata.labels.update(team="shop"))
    assert (await cli.run("rollout", "status", path)).code == 1, "another change is no other rollout"
    await cli.ok("rollout", "restart", path)
    assert ROLLED_BACK not in (await web.get(message_type, name)).metadata.annotations


@pytest.mark.parametrize("path", WENT_BACK)
async def test_why_tells_of_the_rollback_first(cli: Cli, web: StandIn, db: StandIn, agent: StandIn, path: str) -> None:
    name, called, message_type = WENT_BACK[path]
    told = GIVEN_UP.to_json()

    def observed(one: Any) -> None:
        one.metadata.annotations[ROLLED_BACK] = told
        one.status.observed_generation = one.metadata.generation

    await web.set_status(message_type, name, observed)
    shown = json.loads(await cli.ok("why", path, "-o", "json"))
    assert (shown["complete"], shown["reason"]) == (False, "AutoRollback")
    assert shown["message"].startswith(f"{called} {GIVEN_UP}")
    assert shown["message"].endswith("(ErrImagePull)") == (name == "web"), "what the others wait for comes behind"
