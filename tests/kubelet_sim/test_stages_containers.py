"""docs/semantics/pod-lifecycle.md section 5: container states, image pulls, the crash loop, restart policies."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Container
from rollplane_kubelet_sim.stages.backoff import backoff_seconds
from rollplane_kubelet_sim.stages.images import is_missing_by_name, is_reference
from rollplane_kubelet_sim.stages.life import PodLife
from rollplane_kubelet_sim.stages.pods import Place
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.releases import release_of
from tests.kubelet_sim.pod_lives import INSTANT, START, Sim, app, bound_pod, rules

START_FAILS = "stage: start, outcome: fail"

WAITING: dict[str, tuple[Profile, Container, str]] = {
    "ContainerCreating": (rules("stage: pull, delay: 9"), app(), "ContainerCreating"),
    "ErrImagePull": (INSTANT, app(image="web:404"), "ErrImagePull"),
    "ErrImageNeverPull": (INSTANT, app(image="web:404", pull="Never"), "ErrImageNeverPull"),
    "InvalidImageName": (INSTANT, app(image="Not An Image"), "InvalidImageName"),
    "CreateContainerError": (rules(START_FAILS), app(), "CreateContainerError"),
    "CreateContainerConfigError": (
        rules(START_FAILS + ", reason: CreateContainerConfigError"),
        app(),
        "CreateContainerConfigError",
    ),
    "RunContainerError": (rules(START_FAILS + ", reason: RunContainerError"), app(), "RunContainerError"),
}


@pytest.mark.parametrize(("profile", "container", "reason"), WAITING.values(), ids=WAITING)
def test_waiting_reason(profile: Profile, container: Container, reason: str) -> None:
    sim = Sim(bound_pod(container), profile).until(0.5)
    assert sim.app.state.waiting.reason == reason
    assert (sim.app.ready, sim.app.started, sim.app.restart_count) == (False, False, 0)
    sim.restart_kubelet()
    sim.now += 0.1
    sim.look()
    assert sim.shown == reason


def test_waiting_pod_initializing_while_init_containers_remain() -> None:
    pod = bound_pod()
    pod.spec.init_containers.append(app("init", "init"))
    sim = Sim(pod, rules("stage: ready, match: {image: init}, delay: 9")).until(1)
    assert (sim.app.state.waiting.reason, sim.shown) == ("PodInitializing", "Init:0/1")


EXITS: dict[str, tuple[str, int, str]] = {
    "Completed": ("exit_code: 0", 0, "Completed"),
    "Error": ("exit_code: 2", 2, "Error"),
    "Error by default": ("delay: 0", 1, "Error"),
    "OOMKilled": ("exit_code: 137", 137, "OOMKilled"),
    "ContainerCannotRun": ("exit_code: 128, reason: ContainerCannotRun", 128, "ContainerCannotRun"),
    "StartError": ("exit_code: 128, reason: StartError, message: no such file", 128, "StartError"),
}


@pytest.mark.parametrize(("how", "code", "reason"), EXITS.values(), ids=EXITS)
def test_terminated_reason(how: str, code: int, reason: str) -> None:
    sim = Sim(bound_pod(policy="Never"), rules(f"stage: crash, {how}")).until(1)
    ended = sim.app.state.terminated
    assert (ended.exit_code, ended.reason) == (code, reason)
    assert ended.started_at.seconds <= ended.finished_at.seconds
    assert sim.shown == reason


# Image pull.


def test_an_image_that_is_there_is_told_as_present() -> None:
    sim = Sim(bound_pod()).until(1)
    assert [note.reason for note in sim.notes] == ["Pulled", "Created", "Started"]
    assert "already present" in sim.notes[0].message


@pytest.mark.parametrize(("profile", "policy"), [(INSTANT, "Always"), (rules("stage: pull, delay: 2"), "IfNotPresent")])
def test_a_pull_is_told(profile: Profile, policy: str) -> None:
    sim = Sim(bound_pod(app(pull=policy)), profile).until(3)
    assert [note.reason for note in sim.notes] == ["Pulling", "Pulled", "Created", "Started"]


PULLS = {
    "1.26": 'Successfully pulled image "nginx:1" in 2.5s',
    "1.27": 'Successfully pulled image "nginx:1" in 2.5s (2.5s including waiting)',
}


@pytest.mark.parametrize(("release", "told"), PULLS.items())
def test_a_pull_tells_its_time_and_events_tell_when_and_of_which_container(release: str, told: str) -> None:
    life = PodLife(bound_pod(), Place("172.16.0.1", "10.0.0.1", START), release_of(release))
    profile = rules("stage: pull, delay: 2.5", "stage: start, delay: 1")
    began, rest = life.advance(profile, START), life.advance(profile, START + 10)
    notes = [*began.notes, *rest.notes]
    assert [(note.reason, note.at) for note in began.notes] == [("Pulling", START)]
    assert [(note.reason, (note.at or 0) - START) for note in rest.notes] == [
        ("Pulled", 2.5),
        ("Created", 3.5),
        ("Started", 3.5),
    ]
    assert notes[1].message == told
    assert {note.field for note in notes} == {"spec.containers{app}"}


def told(sim: Sim, *reasons: str) -> list[tuple[float, str, str]]:
    """Return when, with seconds since the start, which of ``reasons`` was told of which container."""
    found = [note for note in sim.notes if note.reason in reasons]
    return [(round((note.at or 0) - START, 3), note.reason, note.field[5:]) for note in found]


SLOW = "stage: pull, delay: 4"
PRESENT = 'Container image "nginx:1" already present on machine'
PULLED = 'Successfully pulled image "nginx:1" in {0} ({0} including waiting)'

WHEN_PULLED: dict[str, tuple[str, tuple[str, ...], list[tuple[float, str]], list[float], str]] = {
    "slow": ("IfNotPresent", (SLOW,), [(0, "Pulling"), (4, "Pulled")], [0, 4], PULLED.format("4s")),
    "slow and started later": (
        "Always",
        (SLOW, "stage: start, delay: 3"),
        [(0, "Pulling"), (4, "Pulled")],
        [0, 4, 7],
        PULLED.format("4s"),
    ),
    "at once": ("Always", (), [(0, "Pulling"), (0, "Pulled")], [0], PULLED.format("0s")),
    "at once and started later": (
        "Always",
        ("stage: start, delay: 3",),
        [(0, "Pulling"), (0, "Pulled")],
        [0, 3],
        PULLED.format("0s"),
    ),
    "present": ("IfNotPresent", (), [(0, "Pulled")], [0], PRESENT),
    "present and started later": ("IfNotPresent", ("stage: start, delay: 3",), [(0, "Pulled")], [0, 3], PRESENT),
    "never pulled": ("Never", (SLOW,), [(0, "Pulled")], [0], PRESENT),
}


@pytest.mark.parametrize(("policy", "lines", "events", "looks", "said"), WHEN_PULLED.values(), ids=WHEN_PULLED)
def test_a_pull_is_told_as_it_begins_and_as_it_ends(
    policy: str, lines: tuple[str, ...], events: list[tuple[float, str]], looks: list[float], said: str
) -> None:
    sim, seen = Sim(bound_pod(app(pull=policy)), rules(*lines)), []
    for moment in (0.0, *looks[1:]):
        sim.now = START + moment
        before = len(sim.notes)
        sim.look()
        seen += [(moment, note.reason) for note in sim.notes[before:]]
    assert sim.due is None
    assert [one for one in seen if one[1].startswith("Pull")] == events
    assert [at for at, _, _ in told(sim, "Pulling", "Pulled")] == [at for at, _ in events]
    assert [note.message for note in sim.notes if note.reason == "Pulled"] == [said]


def test_init_containers_pull_when_their_turn_comes() -> None:
    pod = bound_pod()
    pod.spec.init_containers.append(app("init", "init"))
    sim = Sim(pod, rules(SLOW, "stage: ready, match: {image: init}, delay: 3")).until(60)
    assert told(sim, "Pulling", "Pulled") == [
        (0, "Pulling", "initContainers{init}"),
        (4, "Pulled", "initContainers{init}"),
        (7, "Pulling", "containers{app}"),
        (11, "Pulled", "containers{app}"),
    ]
    assert sim.looks == 4


def test_each_retry_of_a_slow_pull_is_told_as_it_begins() -> None:
    sim = Sim(bound_pod(), rules(f"{SLOW}, outcome: fail, limit: 2", SLOW)).until(60)
    assert told(sim, "Pulling", "Pulled") == [
        (0, "Pulling", "containers{app}"),
        (14, "Pulling", "containers{app}"),
        (38, "Pulling", "containers{app}"),
        (42, "Pulled", "containers{app}"),
    ]
    assert sim.seen == [
        (0, "ContainerCreating"),
        (4, "ErrImagePull"),
        (5, "ImagePullBackOff"),
        (18, "ErrImagePull"),
        (19, "ImagePullBackOff"),
        (42, "Running"),
    ]


@pytest.mark.parametrize(
    ("policy", "events"), [("Always", ["Pulling", "Pulled"]), ("IfNotPresent", ["Pulled"]), ("Never", ["Pulled"])]
)
def test_a_restart_finds_its_image(policy: str, events: list[str]) -> None:
    sim = Sim(bound_pod(app(pull=policy)), rules(SLOW, "stage: crash, limit: 1, delay: 5")).until(60)
    again = [(at, reason) for at, reason, _ in told(sim, "Pulling", "Pulled") if at > 5]
    assert sim.app.restart_count == 1
    assert [reason for _, reason in again] == events
    assert len({at for at, _ in again}) == 1


def test_another_image_is_pulled_and_told_anew() -> None:
    sim = Sim(bound_pod(), rules(SLOW)).until(2)
    sim.set_image("nginx:2").until(60)
    assert [note.message for note in sim.notes if note.reason == "Pulling"] == [
        f'Pulling image "nginx:{tag}"' for tag in (1, 2)
    ]
    assert told(sim, "Pulled") == [(6, "Pulled", "containers{app}")]


def test_a_pull_that_a_new_profile_ends_took_until_then() -> None:
    sim = Sim(bound_pod(), rules("stage: pull, delay: 50")).until(20)
    sim.profile = INSTANT
    sim.until(21)
    assert [note.reason for note in sim.notes] == ["Pulling", "Pulled", "Created", "Started"]
    assert sim.notes[1].message == PULLED.format("20s")


def test_a_pull_that_a_restarted_kubelet_takes_up_again_is_told_again_as_a_whole() -> None:
    sim = Sim(bound_pod(), rules(SLOW)).until(2)
    sim.restart_kubelet()
    sim.until(60)
    assert told(sim, "Pulling", "Pulled") == [
        (0, "Pulling", "containers{app}"),
        (0, "Pulling", "containers{app}"),
        (4, "Pulled", "containers{app}"),
    ]


def test_a_start_that_fails_has_its_image_each_time() -> None:
    sim = Sim(bound_pod(), rules(SLOW, f"{START_FAILS}, limit: 1, delay: 1")).until(60)
    assert [note.reason for note in sim.notes] == ["Pulling", "Pulled", "Failed", "Pulled", "Created", "Started"]
    assert [at for at, _, _ in told(sim, "Pulled")] == [4, 15]
    assert sim.notes[3].message == PRESENT


def test_never_does_not_pull_what_would_take_long() -> None:
    assert Sim(bound_pod(app(pull="Never")), rules("stage: pull, delay: 50")).until(1).shown == "Running"


def test_pull_back_off_alternates_and_doubles_to_300_seconds() -> None:
    sim = Sim(bound_pod(app(image="web:404"))).until(1_250)
    failed = [seconds for seconds, word in sim.seen if word == "ErrImagePull"]
    assert sim.words == ["ErrImagePull", "ImagePullBackOff"] * len(failed)
    assert failed == [0, 10, 30, 70, 150, 310, 610, 910, 1_210]
    assert [backoff_seconds(n) for n in range(1, 8)] == [10, 20, 40, 80, 160, 300, 300]
    assert {"Pulling", "Failed", "BackOff"} == set(sim.reasons())
    assert {note.warning for note in sim.notes if note.reason in ("Pulling", "BackOff")} == {False}


def test_a_pull_that_fails_twice_then_succeeds() -> None:
    sim = Sim(bound_pod(), rules("stage: pull, outcome: fail, limit: 2")).until(60)
    assert sim.seen == [
        (0, "ErrImagePull"),
        (1, "ImagePullBackOff"),
        (10, "ErrImagePull"),
        (11, "ImagePullBackOff"),
        (30, "Running"),
    ]
    assert sim.app.restart_count == 0


def test_never_pull_recovers_when_the_image_is_there() -> None:
    sim = Sim(bound_pod(app(image="web:404", pull="Never"))).until(5)
    sim.profile = rules("stage: pull, match: {image: 'web:404'}")
    sim.until(60)
    assert sim.words == ["ErrImageNeverPull", "Running"]


NAMES = {
    "nginx": (True, False),
    "nginx:404": (True, True),
    "nginx:1.404": (True, False),
    "nginx-missing": (True, True),
    "nginx-missing:1.2": (True, True),
    "registry.example:5000/team/web-missing": (True, True),
    "registry-missing:5000/web": (True, False),
    "localhost:404/web": (True, False),
    "web:404@sha256:" + "0" * 64: (True, True),
    "missing": (True, False),
    "Nginx": (False, False),
    "a b": (False, False),
    "web:": (False, False),
    "web:-": (False, False),
    "https://example.com/web": (False, False),
}


@pytest.mark.parametrize("image", NAMES)
def test_image_names(image: str) -> None:
    assert (is_reference(image), is_missing_by_name(image)) == NAMES[image]


# Crash loop.


def test_instant_crash_sequence() -> None:
    sim = Sim(bound_pod(), rules("stage: crash, delay: 0.5", "stage: ready, outcome: never")).until(60)
    assert sim.seen == [
        (0, "Running"),
        (0.5, "Error"),
        (1.5, "Running"),  # the first restart comes at the next look
        (2, "Error"),
        (3, "CrashLoopBackOff"),
        (12, "Running"),  # ten seconds after the exit
        (12.5, "Error"),
        (13.5, "CrashLoopBackOff"),
        (32.5, "Running"),
        (33, "Error"),
        (34, "CrashLoopBackOff"),
    ]
    assert sim.app.restart_count == 3


def test_crash_back_off_doubles_to_300_seconds_from_the_exit() -> None:
    sim = Sim(bound_pod(), rules("stage: crash, delay: 1")).until(2_000)
    starts = [seconds for seconds, word in sim.seen if word == "Running"]
    ends = [seconds for seconds, word in sim.seen if word == "Error"]
    waits = [round(start - end) for start, end in zip(starts[1:], ends, strict=False)]
    assert waits[:9] == [1, 10, 20, 40, 80, 160, 300, 300, 300]


def test_while_it_backs_off_the_exit_is_the_last_state_and_the_count_stays() -> None:
    sim = Sim(bound_pod(), rules("stage: crash, exit_code: 3, delay: 2")).until(8)
    assert sim.app.state.waiting.reason == "CrashLoopBackOff"
    assert sim.app.last_state.terminated.exit_code == 3
    assert sim.app.last_state.terminated.finished_at.seconds == START + 5
    assert sim.app.restart_count == 1
    assert ("BackOff", True) in {(note.reason, note.warning) for note in sim.notes}


def test_a_run_of_ten_minutes_resets_the_crash_back_off() -> None:
    quick = "stage: crash, limit: 5, delay: 1"
    sim = Sim(bound_pod(), rules(quick, "stage: crash, limit: 6, delay: 600", "stage: crash, limit: 9, delay: 1"))
    sim.until(3_000)
    ends = [seconds for seconds, word in sim.seen if word == "Error"]
    starts = [seconds for seconds, word in sim.seen if word == "Running"]
    waits = [round(start - end) for start, end in zip(starts[1:], ends, strict=True)]
    assert waits == [1, 10, 20, 40, 80, 1, 10, 20, 40]


def test_a_run_just_short_of_ten_minutes_does_not() -> None:
    sim = Sim(bound_pod(), rules("stage: crash, limit: 2, delay: 599")).until(2_000)
    assert "CrashLoopBackOff" in sim.words


def test_another_image_restarts_the_container_and_forgets_the_back_off() -> None:
    sim = Sim(bound_pod(), rules("stage: crash, match: {image: 'nginx:1'}, delay: 1")).until(100)
    assert sim.shown == "CrashLoopBackOff"
    restarts = sim.app.restart_count
    sim.set_image("nginx:2").until(101)
    assert (sim.shown, sim.app.restart_count, sim.app.image) == ("Running", restarts + 1, "nginx:2")


def test_another_image_ends_the_running_container() -> None:
    sim = Sim(bound_pod(), rules("stage: pull, match: {image: 'nginx:2'}, delay: 5")).until(10)
    sim.set_image("nginx:2").until(20)
    assert sim.seen == [(0, "Running"), (10, "ContainerCreating"), (15, "Running")]
    assert sim.app.restart_count == 1
    assert sim.app.last_state.terminated.exit_code == 143
    assert "Killing" in sim.reasons()


def test_another_image_that_is_missing_leaves_a_pod_that_ran() -> None:
    sim = Sim(bound_pod()).until(10)
    sim.set_image("nginx:404").until(12)
    assert (sim.shown, sim.pod.status.phase) == ("ImagePullBackOff", "Running")
    sim.set_image("nginx:3").until(13)
    assert (sim.shown, sim.app.restart_count) == ("Running", 1)


def test_an_image_changed_while_the_kubelet_was_away_is_noticed() -> None:
    sim = Sim(bound_pod()).until(10)
    sim.set_image("nginx:2")
    sim.restart_kubelet()
    sim.until(11)
    assert (sim.app.image, sim.app.restart_count, sim.shown) == ("nginx:2", 1, "Running")


# Restart policy.

POLICIES: dict[str, tuple[str, int, bool]] = {
    "Always, exit 0": ("Always", 0, True),
    "Always, exit 1": ("Always", 1, True),
    "OnFailure, exit 0": ("OnFailure", 0, False),
    "OnFailure, exit 1": ("OnFailure", 1, True),
    "Never, exit 0": ("Never", 0, False),
    "Never, exit 1": ("Never", 1, False),
}


@pytest.mark.parametrize(("policy", "code", "restarts"), POLICIES.values(), ids=POLICIES)
def test_restart_policy(policy: str, code: int, restarts: bool) -> None:
    sim = Sim(bound_pod(policy=policy), rules(f"stage: crash, exit_code: {code}, limit: 1, delay: 1")).until(100)
    assert (sim.app.restart_count, sim.app.state.HasField("running")) == (int(restarts), restarts)


# Init containers.


def test_init_containers_run_one_after_another() -> None:
    pod = bound_pod()
    pod.spec.init_containers.extend([app("one", "init"), app("two", "init")])
    sim = Sim(pod, rules("stage: ready, match: {image: init}, delay: 3")).until(10)
    assert sim.seen == [(0, "Init:0/2"), (3, "Init:1/2"), (6, "Running")]
    assert [(one.state.terminated.reason, one.ready) for one in sim.pod.status.init_container_statuses] == [
        ("Completed", True)
    ] * 2


@pytest.mark.parametrize("policy", ["Always", "OnFailure"])
def test_a_failing_init_container_backs_off(policy: str) -> None:
    pod = bound_pod(policy=policy)
    pod.spec.init_containers.append(app("init", "init"))
    profile = rules("stage: crash, match: {image: init}, limit: 3", "stage: ready, match: {image: init}, delay: 1")
    sim = Sim(pod, profile).until(60)
    assert sim.words == [
        "Init:Error",
        "Init:Error",
        "Init:CrashLoopBackOff",
        "Init:Error",
        "Init:CrashLoopBackOff",
        "Init:0/1",
        "Running",
    ]
    assert (sim.init.restart_count, sim.app.restart_count) == (3, 0)


def test_an_init_image_that_is_missing() -> None:
    pod = bound_pod()
    pod.spec.init_containers.append(app("init", "init:404"))
    assert Sim(pod).until(5).words == ["Init:ErrImagePull", "Init:ImagePullBackOff"]


def test_a_sidecar_counts_as_done_once_started_and_keeps_running() -> None:
    pod = bound_pod()
    sidecar = Container(name="mesh", image="mesh", restart_policy="Always")
    pod.spec.init_containers.extend([sidecar, app("init", "init")])
    profile = rules("stage: start, match: {image: mesh}, delay: 2", "stage: ready, match: {image: init}, delay: 3")
    sim = Sim(pod, profile).until(30)
    assert sim.seen == [(0, "Init:0/2"), (2, "Init:1/2"), (5, "Running")]
    assert (sim.init.ready, sim.init.started, sim.init.state.HasField("running")) == (True, True, True)


def test_a_sidecar_restarts_whatever_the_pods_policy() -> None:
    pod = bound_pod(policy="Never")
    pod.spec.init_containers.append(Container(name="mesh", image="mesh", restart_policy="Always"))
    sim = Sim(pod, rules("stage: crash, match: {image: mesh}, limit: 1, delay: 5")).until(30)
    assert (sim.init.restart_count, sim.init.state.HasField("running"), sim.shown) == (1, True, "Running")


def test_a_sidecar_that_goes_down_takes_away_the_turn_of_those_behind_it() -> None:
    pod = bound_pod()
    pod.spec.init_containers.append(Container(name="mesh", image="mesh", restart_policy="Always"))
    profile = rules(
        "stage: crash, match: {image: mesh}, limit: 3, delay: 2", "stage: pull, match: {image: 'nginx:*'}, delay: 20"
    )
    sim = Sim(pod, profile).until(200)
    ran = next(seconds for seconds, word in sim.seen if word == "Running")
    assert ran == 37  # the sidecar is up from 0, 3, 15 and 37 on, each time but the last for two seconds
    assert sim.init.restart_count == 3


def test_a_restarted_kubelet_does_not_hasten_a_pull_that_began_when_its_turn_came() -> None:
    pod = bound_pod()
    pod.spec.init_containers.append(Container(name="mesh", image="mesh", restart_policy="Always"))
    profile = rules(
        "stage: start, match: {image: mesh}, delay: 10", "stage: pull, match: {image: 'nginx:*'}, delay: 20"
    )
    sim = Sim(pod, profile).until(12)
    sim.restart_kubelet()
    assert sim.until(60).seen == [(0, "Init:0/1"), (10, "ContainerCreating"), (30, "Running")]


STARTS = {
    "1.31": ["Created container app", "Started container app"],
    "1.32": ["Created container: app", "Started container app"],
    "1.34": ["Created container: app", "Started container app"],
    "1.35": ["Container created", "Container started"],
}


@pytest.mark.parametrize(("release", "told"), STARTS.items())
def test_a_start_is_told_in_the_words_of_the_release(release: str, told: list[str]) -> None:
    life = PodLife(bound_pod(), Place("172.16.0.1", "10.0.0.1", START), release_of(release))
    notes = life.advance(INSTANT, START).notes
    assert [note.message for note in notes if note.reason in ("Created", "Started")] == told
