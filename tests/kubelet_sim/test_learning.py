"""What is learned from a cluster's pods and Events, and what is not mistaken for it."""

from __future__ import annotations

import json
import math
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_kubelet_sim.learning.anonymous import Aliases
from rollplane_kubelet_sim.learning.documents import Records, read_records
from rollplane_kubelet_sim.learning.fitting import LEAST_SECONDS, fit
from rollplane_kubelet_sim.learning.pools import patterns, pools
from rollplane_kubelet_sim.learning.profile import learn
from rollplane_kubelet_sim.learning.spans import Span, spans
from rollplane_kubelet_sim.stages.rules import Delay, Stage
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.errors import InvalidError

IMAGE = "registry.example/shop/web:v1"


def at(seconds: float) -> str:
    return f"2026-01-01T{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}Z"


def running(name: str = "web-1", started: float = 10, ready: float = 14, **container: Any) -> dict[str, Any]:
    status = {"name": "web", "state": {"running": {"startedAt": at(started)}}, "restartCount": 0} | container
    return {
        "kind": "Pod",
        "metadata": {"namespace": "shop", "name": name, "uid": f"uid-{name}"},
        "spec": {"nodeName": "pool-a-1", "containers": [{"name": "web", "image": IMAGE}]},
        "status": {
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at(ready)}],
            "containerStatuses": [status],
        },
    }


def event(reason: str, seconds: float, message: str = "", *, pod: str = "web-1", uid: str = "") -> dict[str, Any]:
    about = {"kind": "Pod", "namespace": "shop", "name": pod, "uid": uid or f"uid-{pod}"}
    return {
        "kind": "Event",
        "reason": reason,
        "message": message,
        "firstTimestamp": at(seconds),
        "involvedObject": about | {"fieldPath": "spec.containers{web}"},
        "source": {"host": "pool-a-1"},
    }


PULLED = f'Successfully pulled image "{IMAGE}" in '
NEW_FORM: dict[str, Any] = {
    "kind": "Event",
    "reason": "Pulled",
    "note": PULLED + "1.5s",
    "deprecatedFirstTimestamp": at(3),
    "regarding": {"kind": "Pod", "namespace": "shop", "name": "web-1", "fieldPath": "spec.containers{web}"},
}
DELETED = {"deletionTimestamp": at(60), "deletionGracePeriodSeconds": 30}


def ended(finished: float) -> dict[str, Any]:
    pod = running(state={"terminated": {"exitCode": 0, "startedAt": at(5), "finishedAt": at(finished)}})
    pod["metadata"] |= DELETED
    return pod


def initial() -> dict[str, Any]:
    pod = running(ready=10)
    pod["spec"]["initContainers"] = [{"name": "setup", "image": "setup:1"}]
    done = {"exitCode": 0, "startedAt": at(1), "finishedAt": at(8)}
    pod["status"]["initContainerStatuses"] = [{"name": "setup", "state": {"terminated": done}}]
    return pod


def two_containers(*, probed: bool) -> dict[str, Any]:
    pod = running(started=3, ready=20)
    pod["spec"]["containers"].append({"name": "proxy", "image": "proxy:1"})
    if probed:
        pod["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {}}
    state = {"running": {"startedAt": at(6)}}
    pod["status"]["containerStatuses"].append({"name": "proxy", "state": state, "restartCount": 0})
    return pod


SPANS: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str, float]]]] = {
    "ready since its start": ([running()], [("ready", IMAGE, 4.0)]),
    "a watch shows it twice, later states tell of later lives": (
        [running(), running(ready=500)],
        [("ready", IMAGE, 4.0)],
    ),
    "restarted": ([running(restartCount=1)], []),
    "not ready": ([running() | {"status": {"containerStatuses": []}}], []),
    "the probed container answers for the pod": ([two_containers(probed=True)], [("ready", IMAGE, 17.0)]),
    "without probes the last one started": ([two_containers(probed=False)], [("ready", "proxy:1", 14.0)]),
    "an init container is done": ([initial()], [("ready", "setup:1", 7.0), ("ready", IMAGE, 0.0)]),
    "a termination": ([ended(42)], [("terminate", IMAGE, 12.0)]),
    "ended before it was deleted": ([ended(20)], []),
    "a pull with waiting": ([event("Pulled", 3, PULLED + "1.2s (3.4s including waiting).")], [("pull", IMAGE, 3.4)]),
    "a pull": ([event("Pulled", 3, PULLED + "456ms")], [("pull", IMAGE, 0.456)]),
    "a pull of events.k8s.io": ([NEW_FORM], [("pull", IMAGE, 1.5)]),
    "a pull between Events": (
        [running(restartCount=1), event("Pulling", 3), event("Pulled", 9, f'Successfully pulled image "{IMAGE}"')],
        [("pull", IMAGE, 6.0)],
    ),
    "present": ([event("Pulled", 3, f'Container image "{IMAGE}" already present on machine')], []),
    "a start": (
        [running(restartCount=1), event("Pulled", 3, "Container image already present"), event("Started", 5)],
        [("start", IMAGE, 2.0)],
    ),
    "a pull and a start after failures": (
        [
            running(restartCount=1),
            event("Pulling", 1),
            event("Failed", 2, "Error: ErrImagePull"),
            event("Pulled", 12, f'Successfully pulled image "{IMAGE}"'),
            event("Started", 14),
        ],
        [],
    ),
    "a start at the second attempt": (
        [running(restartCount=1), event("Pulled", 3, PULLED + "2s"), event("Failed", 4, "x"), event("Started", 15)],
        [("pull", IMAGE, 2.0)],
    ),
    "only the first start": (
        [running(restartCount=1), event("Pulled", 3), event("Started", 5), event("Pulled", 90), event("Started", 99)],
        [("start", IMAGE, 2.0)],
    ),
    "a StatefulSet's pod followed itself": (
        [running(restartCount=1), event("Killing", 30, uid="old"), event("Scheduled", 37)],
        [("terminate", IMAGE, 7.0)],
    ),
    "a clock that went back": ([running(started=20, ready=10)], []),
    "nonsense": ([{"kind": "Pod", "metadata": 3, "spec": [], "status": {"conditions": {}}}, event("Pulled", 1)], []),
}


@pytest.mark.parametrize(("objects", "expected"), SPANS.values(), ids=SPANS)
def test_spans(objects: list[dict[str, Any]], expected: list[tuple[str, str, float]]) -> None:
    found = spans(read_records(json.dumps({"kind": "List", "items": objects}), "x"))
    assert [(span.stage.value, span.image, span.seconds) for span in found] == expected


def test_every_form_of_input_is_read() -> None:
    pod = json.dumps(running())
    as_watch = json.dumps({"type": "ADDED", "object": running("web-2")})
    records = read_records(f"{pod}\n{as_watch}\n{json.dumps([running('web-3')])}", "x")
    assert [each["metadata"]["name"] for each in records.pods] == ["web-1", "web-2", "web-3"]
    assert len(read_records("kind: List\nitems:\n- {kind: Pod, metadata: {name: a}}\n", "x").pods) == 1


@pytest.mark.parametrize("text", ["{", "a: [", "[1, 2"], ids=["json", "yaml", "list"])
def test_what_is_neither_json_nor_yaml_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="x: "):
        read_records(text, "x")


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(InvalidError, match="nothing to learn from"):
        learn(Records())


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=60))
def test_a_fit_can_always_be_written_as_a_delay(seconds: list[float]) -> None:
    found = fit(seconds)
    assert LEAST_SECONDS * 0.99 <= found.median <= found.p95 * 1.0001
    assert found.count + found.left_out == len(seconds)
    assert 0.0 <= found.distance <= 1.0


def test_a_fit_finds_the_delay_that_was_drawn_from() -> None:
    random = Random(7)
    sigma = math.log(4) / 1.6449
    found = fit([2 * math.exp(sigma * random.gauss(0, 1)) for _ in range(2000)])
    assert found.median == pytest.approx(2, rel=0.05)
    assert found.p95 == pytest.approx(8, rel=0.1)
    assert found.is_good


def test_whole_seconds_are_no_misfit() -> None:
    random = Random(8)
    sigma = math.log(3) / 1.6449
    assert fit([float(round(3 * math.exp(sigma * random.gauss(0, 1)))) for _ in range(200)]).is_good


def test_a_fit_says_when_the_curve_is_wrong() -> None:
    found = fit([1.0] * 50 + [8.0] * 50 + [1.1] * 50)
    assert not found.is_good


def test_what_lost_its_readiness_long_after_is_left_out() -> None:
    assert fit([2.0] * 9 + [4000.0]).left_out == 1


NODES = [
    {"metadata": {"name": f"gke-{pool}-{number}", "labels": {"cloud.google.com/gke-nodepool": pool}}}
    for pool in ("big", "small")
    for number in range(3)
]


def test_pools_are_told_by_the_label_of_the_provider_or_the_one_named() -> None:
    assert pools(NODES)["gke-big-1"] == "big"
    assert pools(NODES, "zone") == {}


def test_a_pool_is_matched_by_what_its_names_share() -> None:
    where = pools(NODES)
    assert patterns("big", where) == ["gke-big-*"]
    assert patterns("a", {"n1": "a", "n12": "a", "n2": "b", "n13": "b"}) == ["n1", "n12"]


def _two_pools() -> Records:
    records = Records(nodes=list(NODES))
    for number in range(12):
        pool = "big" if number % 2 else "small"
        pod = running(f"web-{number}", ready=12 if number % 2 else 30)
        pod["spec"]["nodeName"] = f"gke-{pool}-{number % 3}"
        records.pods.append(pod)
    return records


def test_the_profile_is_one_that_fleets_read_and_the_next_version_is_matched() -> None:
    profile = parse_profile(learn(_two_pools()))
    rules = [(rule.stage, rule.selector.image, rule.selector.node) for rule in profile.rules]
    image = ("registry.example/shop/web", "registry.example/shop/web[:@]*")
    assert rules == [
        (Stage.READY, image, ("gke-big-*",)),
        (Stage.READY, image, ("gke-small-*",)),
        (Stage.READY, image, ()),
        (Stage.READY, (), ()),
    ]
    assert [rule.delay for rule in profile.rules[:2]] == [Delay(2.0, p95=2.0), Delay(20.0, p95=20.0)]


def test_an_anonymous_profile_holds_none_of_the_names() -> None:
    aliases = Aliases()
    text = learn(_two_pools(), aliases=aliases)
    assert parse_profile(text).rules[0].selector.image == ("image-1", "image-1[:@]*")
    assert "registry.example" not in text
    assert "gke" not in text
    assert aliases.names == {"registry.example/shop/web": "image-1", "big": "pool-1", "small": "pool-2"}


def test_a_span_knows_its_node() -> None:
    assert spans(Records(pods=[running()])) == [Span(Stage.READY, IMAGE, "pool-a-1", 4.0)]
