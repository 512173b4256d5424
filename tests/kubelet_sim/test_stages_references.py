"""docs/semantics/pod-lifecycle.md section 5: what a kubelet does about ConfigMaps and Secrets that are not there."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Pod
from rollplane_kubelet_sim.stages.references import KeyNames, has_references, missing_of
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery import codec
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import CONFIG_MAP, SECRET
from tests.kubelet_sim.pod_lives import INSTANT, START, Sim, bound_pod, rules

HINTS = Key(CONFIG_MAP, "default", "hints")
TOKEN = Key(SECRET, "default", "token")
THERE = {HINTS: KeyNames(frozenset({"hint"}), frozenset({"blob"})), TOKEN: KeyNames(frozenset({"key"}))}

Json = dict[str, Any]


def _pod(env: list[Json] | None = None, env_from: list[Json] | None = None, volumes: list[Json] | None = None) -> Pod:
    volumes = [{"name": f"v{number}", **volume} for number, volume in enumerate(volumes or [])]
    container = {
        "name": "app",
        "image": "app:1",
        "env": [{"name": f"E{number}", "valueFrom": source} for number, source in enumerate(env or [])],
        "envFrom": env_from or [],
        "volumeMounts": [{"name": volume["name"], "mountPath": f"/{volume['name']}"} for volume in volumes],
    }
    spec = {"containers": [container], "volumes": volumes}
    read = codec.from_json({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec})
    assert isinstance(read, Pod)
    pod = bound_pod()
    for field in ("containers", "volumes"):
        pod.spec.ClearField(field)
    pod.spec.containers.extend(read.spec.containers)
    pod.spec.volumes.extend(read.spec.volumes)
    return pod


def _secret(key: str = "key", name: str = "token", **more: object) -> Json:
    return {"secretKeyRef": {"name": name, "key": key, **more}}


def _config(key: str = "hint", name: str = "hints", **more: object) -> Json:
    return {"configMapKeyRef": {"name": name, "key": key, **more}}


ENVIRONMENTS: dict[str, tuple[list[Json], list[Json], str]] = {
    "all there": ([_secret(), _config()], [{"configMapRef": {"name": "hints"}}, {"secretRef": {"name": "token"}}], ""),
    "secretKeyRef to no Secret": ([_secret(name="no")], [], 'secret "no" not found'),
    "secretKeyRef to no key": ([_secret("no")], [], "couldn't find key no in Secret default/token"),
    "secretKeyRef, optional, to no Secret": ([_secret(name="no", optional=True)], [], ""),
    "secretKeyRef, optional, to no key": ([_secret("no", optional=True)], [], ""),
    "configMapKeyRef to no ConfigMap": ([_config(name="no")], [], 'configmap "no" not found'),
    "configMapKeyRef to no key": ([_config("no")], [], "couldn't find key no in ConfigMap default/hints"),
    "configMapKeyRef to a key of binaryData": (
        [_config("blob")],
        [],
        "couldn't find key blob in ConfigMap default/hints",
    ),
    "configMapKeyRef, optional": ([_config("no", optional=True), _config(name="no", optional=True)], [], ""),
    "envFrom of no ConfigMap": ([], [{"configMapRef": {"name": "no"}}], 'configmap "no" not found'),
    "envFrom of no Secret": ([], [{"secretRef": {"name": "no"}}], 'secret "no" not found'),
    "envFrom, optional": ([], [{"secretRef": {"name": "no", "optional": True}}], ""),
    "envFrom comes before env": ([_secret(name="no")], [{"configMapRef": {"name": "no"}}], 'configmap "no" not found'),
    "the first fault counts": ([_secret("no"), _config(name="no")], [], "couldn't find key no in Secret default/token"),
}


@pytest.mark.parametrize(("env", "env_from", "fault"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_make_environment_variables(env: list[Json], env_from: list[Json], fault: str) -> None:
    found = missing_of(_pod(env, env_from), THERE.get)
    assert (found.containers, found.volumes) == ({"app": fault} if fault else {}, ())


def _items(*keys: str) -> Json:
    return {"items": [{"key": key, "path": key} for key in keys]}


VOLUMES: dict[str, tuple[Json, str]] = {
    "secret": ({"secret": {"secretName": "token", **_items("key")}}, ""),
    "no secret": ({"secret": {"secretName": "no"}}, 'secret "no" not found'),
    "no secret, optional": ({"secret": {"secretName": "no", "optional": True}}, ""),
    "secret without the key": (
        {"secret": {"secretName": "token", **_items("key", "no")}},
        "references non-existent secret key: no",
    ),
    "configMap, keys of binaryData too": ({"configMap": {"name": "hints", **_items("hint", "blob")}}, ""),
    "no configMap": ({"configMap": {"name": "no"}}, 'configmap "no" not found'),
    "configMap without the key": (
        {"configMap": {"name": "hints", **_items("no")}},
        "configmap references non-existent config key: no",
    ),
    "configMap without the key, optional": ({"configMap": {"name": "hints", "optional": True, **_items("no")}}, ""),
    "projected, one fault": ({"projected": {"sources": [{"secret": {"name": "no"}}]}}, 'secret "no" not found'),
    "projected, all faults": (
        {"projected": {"sources": [{"secret": {"name": "no"}}, {"configMap": {"name": "no"}}]}},
        '[secret "no" not found, configmap "no" not found]',
    ),
    "projected, certificates every namespace has": (
        {"projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt", **_items("ca.crt")}}]}},
        "",
    ),
    "neither": ({"emptyDir": {}}, ""),
}


@pytest.mark.parametrize(("volume", "fault"), VOLUMES.values(), ids=VOLUMES)
def test_mount_volume_set_up(volume: Json, fault: str) -> None:
    found = missing_of(_pod(volumes=[volume]), THERE.get)
    assert found.volumes == ((f'MountVolume.SetUp failed for volume "v0" : {fault}',) if fault else ())


def test_volumes_that_no_container_mounts_are_not_mounted() -> None:
    pod = _pod(volumes=[{"secret": {"secretName": "no"}}])
    pod.spec.containers[0].ClearField("volume_mounts")
    assert not missing_of(pod, THERE.get)


def test_pods_without_references_are_told_apart() -> None:
    assert not has_references(_pod([{"fieldRef": {"fieldPath": "metadata.name"}}], volumes=[{"emptyDir": {}}]))
    assert has_references(_pod([_secret(optional=True)]))
    assert has_references(_pod(volumes=[{"projected": {"sources": [{"secret": {"name": "x"}}]}}]))


# Lives.

PULLING = rules("stage: pull, delay: 2", "stage: start, delay: 1")


@pytest.mark.parametrize("profile", [INSTANT, PULLING], ids=["instant", "with delays"])
def test_without_its_secret_a_container_is_not_created_until_the_secret_is_there(profile: Profile) -> None:
    sim = Sim(_pod([_secret()]), profile).until(10)
    assert (sim.shown, sim.app.state.waiting.message) == ("CreateContainerConfigError", 'secret "token" not found')
    assert (sim.pod.status.phase, sim.pod.status.pod_ip, sim.due) == ("Pending", "10.0.0.1", None)
    failed = [note for note in sim.notes if note.reason == "Failed"]
    assert [(note.message, note.warning) for note in failed] == [('Error: secret "token" not found', True)]
    sim.there = dict(THERE)
    sim.until(20)
    assert (sim.shown, sim.app.ready, sim.app.restart_count) == ("Running", True, 0)
    assert sim.app.state.running.started_at.seconds == START + 10 + (0 if profile is INSTANT else 1)


def test_another_fault_is_told_anew() -> None:
    sim = Sim(_pod([_secret("no")])).until(1)
    sim.there = dict(THERE)
    sim.until(2)
    assert sim.app.state.waiting.message == "couldn't find key no in Secret default/token"
    assert [note.message for note in sim.notes if note.reason == "Failed"] == [
        'Error: secret "token" not found',
        "Error: couldn't find key no in Secret default/token",
    ]
    assert sim.words == ["CreateContainerConfigError"] * 2


def test_the_image_is_pulled_first() -> None:
    sim = Sim(_pod([_secret()]), PULLING).until(1)
    assert sim.shown == "ContainerCreating"
    assert sim.until(3).shown == "CreateContainerConfigError"


def test_the_environment_is_made_anew_at_every_restart() -> None:
    sim = Sim(_pod([_secret()]), rules("stage: crash, limit: 1, delay: 5"))
    sim.there = dict(THERE)
    sim.until(3)
    assert sim.shown == "Running"
    sim.there.clear()
    sim.until(20)
    assert (sim.shown, sim.app.last_state.terminated.exit_code) == ("CreateContainerConfigError", 1)
    assert (sim.pod.status.phase, sim.app.restart_count) == ("Running", 0)
    sim.there.update(THERE)
    sim.until(21)
    assert (sim.shown, sim.app.restart_count) == ("Running", 1)


def test_a_running_pod_does_not_care_whether_its_objects_go() -> None:
    sim = Sim(_pod([_secret()], volumes=[{"configMap": {"name": "hints"}}]))
    sim.there = dict(THERE)
    sim.until(1)
    sim.there.clear()
    sim.until(2)
    sim.restart_kubelet()
    assert (sim.until(3).shown, sim.app.ready, sim.app.restart_count) == ("Running", True, 0)


def test_nothing_begins_before_all_volumes_are_mounted() -> None:
    sim = Sim(_pod(volumes=[{"secret": {"secretName": "token"}}, {"configMap": {"name": "hints"}}]), PULLING).until(10)
    assert (sim.shown, sim.pod.status.pod_ip, sim.due) == ("ContainerCreating", "", None)
    assert sim.condition("PodReadyToStartContainers")[0] == "False"
    assert [(note.reason, note.message, note.warning) for note in sim.notes] == [
        ("FailedMount", 'MountVolume.SetUp failed for volume "v0" : secret "token" not found', True),
        ("FailedMount", 'MountVolume.SetUp failed for volume "v1" : configmap "hints" not found', True),
    ]
    sim.there = dict(THERE)
    sim.until(20)
    assert sim.app.state.running.started_at.seconds == START + 13
    assert (sim.shown, len([1 for note in sim.notes if note.reason == "FailedMount"])) == ("Running", 2)


def test_init_containers_wait_for_volumes_and_environments_too() -> None:
    pod = _pod([_secret()], volumes=[{"configMap": {"name": "hints"}}])
    pod.spec.init_containers.append(pod.spec.containers[0])
    pod.spec.init_containers[0].name = "prepare"
    sim = Sim(pod).until(1)
    assert sim.shown == "Init:0/1"
    sim.there[HINTS] = THERE[HINTS]
    assert sim.until(2).shown == "Init:CreateContainerConfigError"
    sim.there.update(THERE)
    assert sim.until(3).shown == "Running"


@pytest.mark.parametrize("at", [0.5, 5.0])
@pytest.mark.parametrize("volumes", [[], [{"configMap": {"name": "hints"}}]], ids=["environment", "volume"])
def test_a_restarted_kubelet_goes_on_waiting(volumes: list[Json], at: float) -> None:
    sim = Sim(_pod([_secret()], volumes=volumes), PULLING).until(at)
    shown = sim.shown
    sim.restart_kubelet()
    sim.until(10)
    assert sim.shown == ("ContainerCreating" if volumes else "CreateContainerConfigError")
    assert at < 2 or sim.shown == shown
    sim.restart_kubelet()
    sim.there = dict(THERE)
    sim.until(20)
    assert (sim.shown, sim.app.ready, sim.app.restart_count) == ("Running", True, 0)


def test_a_waiting_pod_that_is_deleted_goes_at_once() -> None:
    sim = Sim(_pod([_secret()], volumes=[{"configMap": {"name": "hints"}}])).until(1)
    sim.mark().until(2)
    assert sim.ended == 1


def test_an_order_to_be_ready_overcomes_it() -> None:
    sim = Sim(_pod([_secret()], volumes=[{"configMap": {"name": "hints"}}])).until(1)
    assert sim.order("ready").app.ready
