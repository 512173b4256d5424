"""Promises of defaulting and validation over any message: neither raises, defaults are idempotent and harmless."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollplane.core import v1 as core
from rollplane_machinery.codec.legacy_defaults import apply_legacy_defaults
from rollplane_machinery.errors import Cause
from rollplane_machinery.kinds import KINDS, ApiObject
from rollplane_machinery.pod_specs import pod_spec_of
from rollplane_rules import defaults, validation
from tests.machinery.samples import decoded, pod, workload
from tests.machinery.strategies import messages, objects, of_kind


def _bytes(obj: ApiObject) -> bytes:
    return obj.SerializeToString(deterministic=True)


@given(objects())
def test_defaults_are_idempotent(obj: ApiObject) -> None:
    defaults.apply_defaults(obj)
    once = _bytes(obj)
    defaults.apply_defaults(obj)
    assert _bytes(obj) == once


@given(messages(core.Pod))
def test_admission_is_idempotent_and_keeps_defaults(obj: core.Pod) -> None:
    defaults.apply_defaults(obj)
    defaults.admit(obj)
    once = _bytes(obj)
    defaults.apply_defaults(obj)
    defaults.admit(obj)
    assert _bytes(obj) == once


@given(objects(), st.sampled_from(["extensions/v1beta1", "apps/v1beta1", "apps/v1beta2", "apps/v1", "nonsense/v1"]))
def test_older_defaults_are_idempotent(obj: ApiObject, version: str) -> None:
    for _ in range(2):
        apply_legacy_defaults(obj, version)
        defaults.apply_defaults(obj)
    once = _bytes(obj)
    apply_legacy_defaults(obj, version)
    defaults.apply_defaults(obj)
    assert _bytes(obj) == once


def _is_well_formed(cause: Cause) -> bool:
    return bool(cause.message) and not cause.field.startswith(".") and ".." not in cause.field.partition("[")[0]


@given(objects(), st.booleans())
def test_validation_never_raises(obj: ApiObject, defaulted: bool) -> None:
    if defaulted:
        defaults.apply_defaults(obj)
        defaults.admit(obj)
    before = _bytes(obj)
    assert all(map(_is_well_formed, validation.validate_create(obj)))
    assert _bytes(obj) == before


PAIRS = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(of_kind(kind), of_kind(kind)))


@given(PAIRS)
def test_validation_of_updates_never_raises(pair: tuple[ApiObject, ApiObject]) -> None:
    new, old = pair
    assert all(map(_is_well_formed, validation.validate_update(new, old)))
    assert all(map(_is_well_formed, validation.validate_status_update(new, old)))


@given(objects())
def test_no_change_breaks_no_rule_of_change(obj: ApiObject) -> None:
    """Updating an object to itself is refused for what is wrong with it, never for changing anything."""
    defaults.apply_defaults(obj)
    copy = obj.FromString(_bytes(obj))
    alone = set(map(str, validation.validate_create(obj)))
    for cause in validation.validate_update(copy, obj):
        assert str(cause) in alone


WORKLOADS = st.sampled_from(["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController"])
IMAGES = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?(:[a-z0-9]{1,5})?(@sha256:[0-9a-f]{64})?", fullmatch=True)
PORTS = st.lists(st.integers(1, 65535), unique=True, max_size=3)
PROBE = {"tcpSocket": {"port": 80}}


@st.composite
def valid_specs(draw: st.DrawFn) -> dict[str, Any]:
    """Return pod specs that break no rule."""
    containers = [
        {
            "name": f"c{number}",
            "image": draw(IMAGES),
            "ports": [{"containerPort": port} for port in draw(PORTS)],
            **draw(st.sampled_from([{}, {"readinessProbe": PROBE}, {"livenessProbe": PROBE, "startupProbe": PROBE}])),
            "resources": draw(st.sampled_from([{}, {"limits": {"cpu": "1"}}, {"requests": {"memory": "1Gi"}}])),
        }
        for number in range(draw(st.integers(1, 3)))
    ]
    extras: dict[str, Any] = draw(
        st.sampled_from(
            [
                {},
                {"hostNetwork": True, "containers": containers[:1]},
                {"volumes": [{"name": "v"}]},
                {"tolerations": [{"operator": "Exists"}]},
                {"terminationGracePeriodSeconds": 0},
            ]
        )
    )
    return {"containers": containers, **extras}


@given(WORKLOADS, valid_specs())
def test_valid_workloads_stay_valid(kind: str, spec: dict[str, Any]) -> None:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": spec}
    obj = decoded(workload(kind, {"template": template}))
    assert validation.validate_create(obj) == []
    located = pod_spec_of(obj)
    assert located is not None
    made = core.Pod(spec=located.spec)
    made.metadata.name, made.metadata.namespace = "w-x7k2p", "default"
    defaults.apply_defaults(made)
    defaults.admit(made)
    assert validation.validate_create(made) == [], "a pod made from a valid template is valid"


@given(valid_specs())
def test_valid_pods_stay_valid(spec: dict[str, Any]) -> None:
    obj = decoded(pod(spec))
    assert validation.validate_create(obj) == []
    assert validation.validate_update(obj, obj) == []
