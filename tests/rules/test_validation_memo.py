"""The memo gives what the plain functions give, whether it remembers or not."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given

from rollplane.core import v1 as core
from rollplane_machinery import codec
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.pod_specs import pod_spec_of
from rollplane_rules import defaults, validation
from tests.machinery.samples import container, pod, workload
from tests.machinery.strategies import objects

MANIFESTS: dict[str, dict[str, Any]] = {
    "Pod": pod(container(resources={"limits": {"cpu": "1", "memory": "1Gi"}}), {"namespace": "default"}),
    "bad Pod": pod({**container(image=""), "restartPolicy": "X"}, {"namespace": "default"}),
    "debugged Pod": pod({"ephemeralContainers": [{"name": "e", "image": "x"}]}, {"namespace": "default"}),
    **{
        kind: workload(kind)
        for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController")
    },
    "bad Deployment": workload("Deployment", {"replicas": -1, "template": {"spec": container(name="C")}}),
    "RC without template": workload("ReplicationController", {"template": None}),
    "ConfigMap": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a/b": "x"}},
}


def _bytes(obj: ApiObject) -> bytes:
    return obj.SerializeToString(deterministic=True)


def _plain(obj: ApiObject) -> tuple[bytes, set[str]]:
    defaults.apply_defaults(obj)
    defaults.admit(obj)
    return _bytes(obj), set(map(str, validation.validate_create(obj)))


def _memoized(memo: validation.PodSpecMemo, obj: ApiObject) -> tuple[bytes, set[str]]:
    causes = memo.complete(obj)
    return _bytes(obj), set(map(str, causes))


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_complete(manifest: dict[str, Any]) -> None:
    memo = validation.PodSpecMemo(8)
    expected = _plain(codec.from_json(manifest))
    for _ in range(3):
        assert _memoized(memo, codec.from_json(manifest)) == expected


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_update(manifest: dict[str, Any]) -> None:
    memo = validation.PodSpecMemo(8)
    for _ in range(2):
        plain, remembered = codec.from_json(manifest), codec.from_json(manifest)
        defaults.apply_defaults(plain)
        memo.apply_defaults(remembered)
        assert _bytes(remembered) == _bytes(plain)
        found = memo.validate_update(remembered, remembered)
        assert set(map(str, found)) == set(map(str, validation.validate_update(plain, plain)))
        assert _bytes(remembered) == _bytes(plain)


def test_roles_are_kept_apart() -> None:
    """The same spec is completed otherwise in a Pod, a template and a template with claims."""
    memo = validation.PodSpecMemo(64)
    spec = container(volumeMounts=[{"name": "v", "mountPath": "/v"}])
    template = {"metadata": {"labels": {"app": "a"}}, "spec": spec}
    for _ in range(2):
        for manifest in (
            pod(copy.deepcopy(spec)),
            workload("Deployment", {"template": template}),
            workload("StatefulSet", {"template": template}),
        ):
            expected = _plain(codec.from_json(manifest))
            assert _memoized(memo, codec.from_json(manifest)) == expected


def test_replicas_share_one_entry() -> None:
    memo = validation.PodSpecMemo(64)
    for number in range(10):
        obj = codec.from_json(pod(metadata={"name": f"p{number}", "labels": {"n": str(number)}}))
        memo.complete(obj)
        assert isinstance(obj, core.Pod)
        assert obj.status.qos_class == "BestEffort"
    assert len(memo) == 2  # as it was sent, and as it was completed


def test_what_it_returns_can_be_edited() -> None:
    memo = validation.PodSpecMemo(8)
    manifest = workload("Deployment")
    first = codec.from_json(manifest)
    memo.complete(first)
    located = pod_spec_of(first)
    assert located is not None
    expected = _plain(codec.from_json(manifest))
    located.spec.containers[0].image = "spoilt"
    assert _memoized(memo, codec.from_json(manifest)) == expected


def test_it_is_bounded() -> None:
    memo = validation.PodSpecMemo(5)
    for number in range(50):
        memo.complete(codec.from_json(pod(container(image=f"x:{number}"))))
        assert len(memo) <= 5


def test_the_least_recently_used_goes_first() -> None:
    memo = validation.PodSpecMemo(4)
    manifests = [pod(container(image=f"x:{number}")) for number in range(3)]
    for manifest in manifests[:2]:
        memo.complete(codec.from_json(manifest))
    memo.complete(codec.from_json(manifests[0]))
    memo.complete(codec.from_json(manifests[2]))
    assert len(memo) == 4
    assert _memoized(memo, codec.from_json(manifests[0])) == _plain(codec.from_json(manifests[0]))


@given(objects())
def test_any_object(obj: ApiObject) -> None:
    memo = validation.PodSpecMemo(8)
    plain = type(obj)()
    plain.CopyFrom(obj)  # type: ignore[arg-type]
    again = type(obj)()
    again.CopyFrom(obj)  # type: ignore[arg-type]
    expected = _plain(plain)
    assert _memoized(memo, obj) == expected
    assert _memoized(memo, again) == expected


def test_it_is_bounded_by_bytes_too() -> None:
    memo = validation.PodSpecMemo(1000, max_bytes=100_000)
    for number in range(20):
        memo.complete(codec.from_json(pod(container(args=[f"{number}", "x" * 10_000]))))
        assert len(memo) <= 5
    assert len(memo) > 0
    memo.complete(codec.from_json(pod(container(args=["x" * 200_000]))))
    assert len(memo) == 0
