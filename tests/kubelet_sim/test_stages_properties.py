"""What must hold for every pod, every profile and every moment."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollplane.core.v1 import Container, ContainerState, Pod, Probe
from rollplane_kubelet_sim.stages.rules import Delay, Outcome, Profile, Rule, Selector, Stage
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.pods import FINAL_PHASES
from tests.kubelet_sim.pod_lives import START, Sim, bound_pod

EXAMPLES = settings(max_examples=60, deadline=None)
HORIZON = 4_000.0
IMAGES = ("nginx:1", "web:404", "init", "Not An Image")

delays = st.one_of(
    st.integers(0, 40).map(lambda n: Delay(n / 2, n / 2)),
    st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda two: Delay(min(two), max(two))),
    st.tuples(st.integers(1, 9), st.integers(0, 9)).map(lambda two: Delay(two[0], p95=two[0] + two[1])),
)
rules = st.builds(
    Rule,
    stage=st.sampled_from(Stage),
    selector=st.sampled_from([Selector(), Selector(image=("init",)), Selector(image=("nginx:*",))]),
    delay=delays,
    outcome=st.sampled_from([Outcome.SUCCEED, Outcome.SUCCEED, Outcome.FAIL, Outcome.NEVER]),
    chance=st.sampled_from([0.3, 1.0]),
    limit=st.sampled_from([None, 1, 3]),
    exit_code=st.sampled_from([None, 0, 3]),
)
profiles = st.builds(
    Profile,
    name=st.just("any"),
    rules=st.lists(rules, max_size=5).map(tuple),
    seed=st.integers(0, 3),
    probes=st.booleans(),
)
settled_profiles = st.builds(
    Profile,
    name=st.just("settles"),
    rules=st.lists(
        st.builds(
            Rule,
            stage=st.sampled_from([Stage.PULL, Stage.START, Stage.CRASH, Stage.READY]),
            delay=delays,
            outcome=st.just(Outcome.SUCCEED),
            chance=st.sampled_from([0.5, 1.0]),
            limit=st.sampled_from([1, 3]),
            exit_code=st.sampled_from([None, 0, 3]),
        ),
        max_size=4,
    ).map(tuple),
    seed=st.integers(0, 3),
    probes=st.booleans(),
)
"""Profiles under which everything comes to rest: what goes wrong does so a limited number of times."""


@st.composite
def pods(draw: st.DrawFn, images: Sequence[str] = IMAGES) -> Pod:
    pod = bound_pod(
        *draw(containers("app", images, least=1)),
        policy=draw(st.sampled_from(["Always", "Always", "OnFailure", "Never"])),
        name=draw(st.sampled_from(["web", "db"])),
    )
    inits = draw(containers("init", images, least=0))
    for container in inits:
        if draw(st.booleans()):
            container.restart_policy = "Always"
    pod.spec.init_containers.extend(inits)
    if draw(st.booleans()):
        pod.spec.active_deadline_seconds = 90
    return pod


@st.composite
def containers(draw: st.DrawFn, name: str, images: Sequence[str], least: int) -> list[Container]:
    made = []
    for number in range(draw(st.integers(least, 2))):
        container = Container(
            name=f"{name}-{number}",
            image=draw(st.sampled_from(images)),
            image_pull_policy=draw(st.sampled_from(["Always", "IfNotPresent", "Never"])),
        )
        for probe in ("readiness_probe", "liveness_probe", "startup_probe"):
            if draw(st.booleans()):
                getattr(container, probe).CopyFrom(Probe(initial_delay_seconds=3, period_seconds=2))
        made.append(container)
    return made


def copy_of(pod: Pod) -> Pod:
    copy = Pod()
    copy.CopyFrom(pod)
    return copy


@EXAMPLES
@given(pods(), profiles)
def test_lives_are_valid_and_get_somewhere(pod: Pod, profile: Profile) -> None:
    """``Sim`` validates each report and fails when a look is due again at once without end."""
    sim = Sim(pod, profile).until(HORIZON)
    assert sim.looks < 10_000
    assert sim.due is None or sim.due > sim.now


@EXAMPLES
@given(pods(), profiles, st.lists(st.integers(0, 3_000), max_size=6))
def test_looking_again_changes_nothing(pod: Pod, profile: Profile, moments: list[int]) -> None:
    sim = Sim(pod, profile)
    for moment in sorted(moments):
        sim.until(moment)
        stored, again = copy_of(sim.pod), sim.look()
        assert again.status is None
        assert again.notes == ()
        assert sim.pod == stored


@EXAMPLES
@given(pods(), profiles, st.lists(st.integers(0, 8_000), max_size=20))
def test_the_same_seed_is_the_same_life_however_often_it_is_looked_at(
    pod: Pod, profile: Profile, moments: list[int]
) -> None:
    plain = Sim(copy_of(pod), profile).until(HORIZON)
    watched = Sim(copy_of(pod), profile)
    for moment in sorted(moments):
        watched.until(moment / 2)
    watched.until(HORIZON)
    assert watched.seen == plain.seen
    assert watched.pod == plain.pod
    assert watched.notes == plain.notes


@EXAMPLES
@given(pods(), pods(), profiles)
def test_other_pods_do_not_change_a_life(pod: Pod, other: Pod, profile: Profile) -> None:
    alone = Sim(copy_of(pod), profile).until(300)
    beside, crowd = Sim(copy_of(pod), profile), Sim(other, profile)
    for moment in range(0, 301, 20):
        crowd.until(moment)
        beside.until(moment)
    assert beside.seen == alone.seen


def at_rest(sim: Sim) -> tuple[object, ...]:
    """What a life has come to, times aside.

    A sidecar goes with its pod, wherever it is then: whether it had one more crash or restart by then is a matter of
    time, of which a restarted kubelet knows the whole seconds only.
    """
    statuses = [*sim.pod.status.init_container_statuses, *sim.pod.status.container_statuses]
    ended = sim.pod.status.phase in FINAL_PHASES
    sidecars = {one.name for one in sim.pod.spec.init_containers if one.restart_policy == "Always"}
    cut_short = sidecars if ended else set()
    return (
        "" if cut_short else sim.shown,
        sim.pod.status.phase,
        [
            (one.name, one.ready, one.started, one.restart_count, _state(one.state))
            for one in statuses
            if one.name not in cut_short
        ],
        [(one.type, one.status, one.reason) for one in sim.pod.status.conditions],
        sim.pod.status.pod_ip,
    )


def _state(state: ContainerState) -> list[str]:
    return [field.name for field, _ in state.ListFields()]


def beside_a_sidecar() -> Pod:
    """Return a pod whose end and whose sidecar's restart are half a second apart under ``CLOSE``."""
    pod = bound_pod(policy="Never")
    pod.spec.init_containers.add(name="mesh", image="init", restart_policy="Always")
    return pod


CLOSE = parse_profile("""
rules:
  - {stage: start, match: {image: init}, delay: 10.5, limit: 1}
  - {stage: crash, match: {image: init}, delay: 10, limit: 1}
  - {stage: start, match: {image: "nginx:*"}, delay: 1.5, limit: 1}
  - {stage: crash, match: {image: "nginx:*"}, delay: 9, limit: 1, exit_code: 0}
""")


@EXAMPLES
@example(beside_a_sidecar(), CLOSE, [60])
@given(pods(images=("nginx:1", "init")), settled_profiles, st.lists(st.integers(0, 1_000), max_size=6))
def test_a_kubelet_restarted_at_any_moment_comes_to_the_same_end(
    pod: Pod, profile: Profile, moments: list[int]
) -> None:
    pod.spec.ClearField("active_deadline_seconds")
    plain = Sim(copy_of(pod), profile).until(HORIZON)
    restarted = Sim(copy_of(pod), profile)
    for moment in sorted(moments):
        restarted.until(moment / 4)
        restarted.restart_kubelet()
    restarted.until(HORIZON)
    assert at_rest(restarted) == at_rest(plain)


@EXAMPLES
@given(pods(), profiles, st.integers(0, 400))
def test_a_restart_tells_nothing_new_about_a_pod_at_rest(pod: Pod, profile: Profile, moment: int) -> None:
    sim = Sim(pod, profile).until(moment)
    if sim.due is None and not sim.life.remembers:
        sim.restart_kubelet()
        sim.now += 50
        progress = sim.look()
        assert (progress.status, progress.due) == (None, None)


@EXAMPLES
@given(pods(), profiles, st.integers(0, 300), st.integers(0, 60), st.integers(0, 60))
def test_a_marked_pod_is_gone_within_its_grace(pod: Pod, profile: Profile, moment: int, grace: int, wait: int) -> None:
    sim = Sim(pod, profile).until(moment)
    if sim.pod.status.phase in ("Succeeded", "Failed"):
        return
    sim.mark(grace).until(moment + wait)
    sim.restart_kubelet()
    sim.until(moment + wait + grace + 1)
    assert sim.ended is not None
    assert sim.ended <= moment + max(grace, wait) + 1


@EXAMPLES
@given(
    pods(),
    profiles,
    st.lists(st.sampled_from(["ready", "unready", "crash", "finish", "jump"]), max_size=6),
    st.booleans(),
)
def test_orders_are_dealt_with_in_one_look_whenever_they_come(
    pod: Pod, profile: Profile, words: list[str], manual: bool
) -> None:
    sim = Sim(pod, Profile("manual", manual=True) if manual else profile).until(1)
    for word in words:
        sim.order(word)
        assert "sim.rollplane.dev/do" not in sim.pod.metadata.annotations
        assert sim.look().status is None
        sim.until(sim.now - START + 7)
