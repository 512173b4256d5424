"""Profiles: what is read, what is refused and how, the shipped ones, and that docs/simulation.md tells the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from rollplane.core.v1 import Container
from rollplane_kubelet_sim.profiles import NAMES, shipped_profile
from rollplane_kubelet_sim.settings import read_arguments, read_profile
from rollplane_kubelet_sim.stages.chance import Draw
from rollplane_kubelet_sim.stages.orders import Order
from rollplane_kubelet_sim.stages.rules import Delay, Outcome, Profile, Rule, Selector, Stage, Subject
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.errors import InvalidError, NotFoundError
from tests.kubelet_sim.pod_lives import Sim, app, bound_pod, rules

PAGE = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
EVERYTHING = Profile(
    "everything",
    (
        Rule(
            Stage.PULL,
            Selector(
                image=("registry.example/*", "web:v?"),
                node=("node-[0-4]",),
                labels={"app": "web"},
                annotations={"example.com/slow": "yes"},
                restart_policy=("Never", "OnFailure"),
            ),
            Delay(2, p95=9),
            Outcome.FAIL,
            0.5,
            3,
            message="connection reset by peer",
        ),
    ),
    seed=7,
    probes=True,
    silent_nodes=("node-1?",),
    unready_nodes=("node-3",),
    restarts={"node-*": 1},
)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_the_pages_examples_are_profiles(block: str) -> None:
    data = yaml.safe_load(block)
    text = data["data"]["profile.yaml"] if data.get("kind") == "ConfigMap" else block
    assert parse_profile(text).rules


def test_the_pages_profile_of_everything_is_read_as_it_says() -> None:
    assert parse_profile(next(block for block in BLOCKS if "name: everything" in block)) == EVERYTHING


def test_the_page_names_every_stage_outcome_order_and_profile() -> None:
    for word in (*Stage, *Order, *NAMES):
        assert f"| `{word}` |" in PAGE, word
    assert all(f"`{word}`" in PAGE for word in Outcome)


REFUSED: dict[str, tuple[str, str]] = {
    "unknown field": ("nmae: x", "nmae"),
    "unknown field of a rule": ("rules: [{stage: pull, outcom: fail}]", "rules[0].outcom"),
    "unknown stage": ("rules: [{stage: pul}]", "rules[0].stage"),
    "no stage": ("rules: [{delay: 1}]", "rules[0].stage"),
    "unknown outcome": ("rules: [{stage: pull, outcome: explode}]", "rules[0].outcome"),
    "chance above 1": ("rules: [{stage: pull, chance: 2}]", "rules[0].chance"),
    "chance that is no number": ("rules: [{stage: pull, chance: .nan}]", "rules[0].chance"),
    "negative delay": ("rules: [{stage: pull, delay: -1}]", "rules[0].delay"),
    "endless delay": ("rules: [{stage: pull, delay: .inf}]", "rules[0].delay"),
    "delay that is true": ("rules: [{stage: pull, delay: true}]", "rules[0].delay"),
    "half a span": ("rules: [{stage: pull, delay: {min: 1}}]", "rules[0].delay"),
    "span backwards": ("rules: [{stage: pull, delay: {min: 2, max: 1}}]", "rules[0].delay"),
    "median of 0": ("rules: [{stage: pull, delay: {median: 0, p95: 1}}]", "rules[0].delay"),
    "unknown selector": ("rules: [{stage: pull, match: {imgae: x}}]", "rules[0].match.imgae"),
    "label that is no text": ("rules: [{stage: pull, match: {labels: {a: 1}}}]", "rules[0].match.labels.a"),
    "exit code too high": ("rules: [{stage: crash, exit_code: 300}]", "rules[0].exit_code"),
    "rules that are no list": ("rules: {stage: pull}", "rules"),
    "flag that is text": ("manual: 'yes'", "manual"),
    "restarts that are no mapping": ("restarts: 3", "restarts"),
    "no mapping": ("- 1", "must be a mapping"),
    "not YAML": ("rules: [", "not YAML: line 1: while parsing a flow node"),
    "no day": ("name: 2001-99-99", "not YAML"),
    "nested without end": ("[" * 2_000, "not YAML"),
    "a number beyond all bounds": ("seed: 1" + "0" * 400, "seed"),
    "aliases of aliases": (
        "name: &a [x,x,x,x]\n"
        + "".join(
            f"k{n}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a}]\n"
            for n, (a, b) in enumerate(zip("abcdefghijklmno", "bcdefghijklmnop", strict=True))
        )
        + "seed: *p",
        "seed",
    ),
    "two at once": ("seed: -1\nquiet: 3", "quiet"),
}


@pytest.mark.parametrize(("text", "names"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, names: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_profile(text, "mine.yaml")
    assert caught.value.message.startswith("mine.yaml: ")
    assert names in caught.value.message


def test_an_empty_profile_is_one() -> None:
    assert parse_profile("") == Profile("unnamed")


def test_shipped_profiles_are_named_as_they_are_called() -> None:
    assert [shipped_profile(name).name for name in NAMES] == list(NAMES)
    with pytest.raises(NotFoundError, match="there are instant"):
        shipped_profile("nosuch")


def test_a_profile_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine", encoding="utf-8")
    assert read_profile(str(path)).name == "mine"
    assert read_profile("manual").manual
    with pytest.raises(NotFoundError, match="no such file"):
        read_profile(str(tmp_path / "other.yaml"))


@pytest.mark.parametrize("arguments", [["--nodes", "-1"], ["--nodes", "20000"], ["--first-node", "-1"]])
def test_settings_that_make_no_sense_stop_the_start(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_arguments(arguments, {})
    assert arguments[0].strip("-").replace("-", "_") in capsys.readouterr().err


@pytest.mark.parametrize("name", ["instant", "realistic", "flaky"])
@pytest.mark.parametrize("image", ["web:404", "web-missing", "registry.example/web-missing:v1"])
def test_missing_images_are_missing_in_every_shipped_profile(name: str, image: str) -> None:
    assert "ErrImagePull" in Sim(bound_pod(app(image=image)), shipped_profile(name)).until(30).words


def test_missing_images_are_missing_in_any_profile_unless_a_rule_names_them() -> None:
    assert "ErrImagePull" in Sim(bound_pod(app(image="web:404")), rules("stage: pull, delay: 1")).until(30).words
    named = rules("stage: pull, match: {image: 'web:*'}, delay: 1")
    assert Sim(bound_pod(app(image="web:404")), named).until(30).shown == "Running"
    elsewhere = rules("stage: pull, match: {node: node-0}, delay: 1")
    assert Sim(bound_pod(app(image="web:404")), elsewhere).until(1.5).seen[-1] == (1, "ErrImagePull")


SUBJECT = Subject("registry.example/web:v1", "node-12", {"app": "web", "tier": "front"}, {"note": "x"}, "Never")
MATCHES: dict[str, tuple[Selector, bool]] = {
    "nothing asked": (Selector(), True),
    "image": (Selector(image=("*/web:v?",)), True),
    "other image": (Selector(image=("web:*",)), False),
    "one image of several": (Selector(image=("a", "*:v1")), True),
    "node": (Selector(node=("node-1?",)), True),
    "other node": (Selector(node=("node-1",)), False),
    "labels": (Selector(labels={"app": "web"}), True),
    "one label of two": (Selector(labels={"app": "web", "tier": "back"}), False),
    "annotation": (Selector(annotations={"note": "x"}), True),
    "no such annotation": (Selector(annotations={"other": "x"}), False),
    "a pattern of an annotation": (Selector(annotations={"note": "*"}), True),
    "a pattern of one that is not there": (Selector(annotations={"other": "*"}), False),
    "a pattern of a label": (Selector(labels={"app": "w?b"}), True),
    "restart policy": (Selector(restart_policy=("OnFailure", "Never")), True),
    "other restart policy": (Selector(restart_policy=("OnFailure",)), False),
    "all": (Selector(("*",), ("*",), {"app": "web"}, {"note": "x"}), True),
    "all but one": (Selector(("*",), ("*",), {"app": "web"}, {"note": "y"}), False),
}


@pytest.mark.parametrize(("selector", "matches"), MATCHES.values(), ids=MATCHES)
def test_selector(selector: Selector, matches: bool) -> None:
    assert selector.matches(SUBJECT) is matches


@pytest.mark.parametrize("name", ["instant", "realistic", "flaky"])
@pytest.mark.parametrize(
    ("policy", "annotation", "phase"),
    {
        "a hook": ("Never", {"helm.sh/hook": "pre-install,pre-upgrade"}, "Succeeded"),
        "a hook that may be restarted": ("OnFailure", {"helm.sh/hook": "test"}, "Succeeded"),
        "a hook that always is": ("Always", {"helm.sh/hook": "pre-install"}, "Running"),
        "no hook": ("Never", {"helm.sh/chart": "shop"}, "Running"),
    }.values(),
)
def test_hooks_end_well_in_shipped_profiles(name: str, policy: str, annotation: dict[str, str], phase: str) -> None:
    pod = bound_pod(app(name="steady"), policy=policy, name="hook-1")
    pod.metadata.annotations.update(annotation)
    assert Sim(pod, shipped_profile(name)).until(60).pod.status.phase == phase


def test_a_sidecar_of_a_hook_does_not_end_before_it() -> None:
    pod = bound_pod(policy="Never")
    pod.metadata.annotations["helm.sh/hook"] = "test"
    pod.spec.init_containers.append(Container(name="proxy", image="proxy:1", restart_policy="Always"))
    ended = Sim(pod, shipped_profile("realistic")).until(60).pod
    assert ended.status.phase == "Succeeded"
    assert [each.restart_count for each in ended.status.init_container_statuses] == [0]


def test_the_first_rule_counts_whose_chance_and_limit_allow() -> None:
    first, second = Rule(Stage.CRASH, limit=2), Rule(Stage.CRASH, chance=0.5)
    profile = Profile("p", (Rule(Stage.READY), first, second))
    drawn = [profile.rule_for(Stage.CRASH, SUBJECT, Draw(0, "pod", attempt)) for attempt in range(400)]
    assert drawn[:2] == [first, first]
    assert all(rule in (second, None) for rule in drawn[2:])
    assert 150 < drawn.count(second) < 250


def test_delays_are_drawn_as_they_say() -> None:
    draws = [Draw(1, f"pod-{number}") for number in range(2_000)]
    even = sorted(Delay(1, 3).seconds(draw, "pull") for draw in draws)
    assert 1 <= even[0] < 1.01
    assert 2.99 < even[-1] <= 3
    skewed = sorted(Delay(2, p95=8).seconds(draw, "pull") for draw in draws)
    assert skewed[1_000] == pytest.approx(2, rel=0.1)
    assert skewed[1_900] == pytest.approx(8, rel=0.15)
    assert Delay(4, 4).seconds(draws[0], "pull") == 4
    assert Draw(1, "pod").unit("pull") != Draw(2, "pod").unit("pull")
