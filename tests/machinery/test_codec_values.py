"""Special types one by one: times, durations, raw JSON, and what is printed of what JSON could not say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane.apps.v1 import ControllerRevision
from rollplane.authorization.v1 import SubjectAccessReview
from rollplane.autoscaling.v1 import Scale
from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import Pod, PodList, PodTemplateSpec
from rollplane.meta import v1 as meta
from rollplane_machinery import codec
from rollplane_machinery.codec.time_text import (
    format_duration,
    format_micro_time,
    format_time,
    parse_duration,
    parse_time,
)
from rollplane_machinery.errors import BadRequestError, InternalError

TIMES: dict[str, tuple[int, int]] = {
    "1970-01-01T00:00:00Z": (0, 0),
    "2026-11-23T02:54:52Z": (1_795_402_492, 0),
    "2026-11-23t02:54:52z": (1_795_402_492, 0),
    "2026-11-23T02:54:52.5Z": (1_795_402_492, 500_000_000),
    "2026-11-23T02:54:52.123456789Z": (1_795_402_492, 123_456_789),
    "2026-11-23T04:54:52+02:00": (1_795_402_492, 0),
    "2026-11-22T23:24:52-03:30": (1_795_402_492, 0),
    "1969-12-31T23:59:59.25Z": (-1, 250_000_000),
    "0001-01-01T00:00:00Z": (-62_135_596_800, 0),
    "9999-12-31T23:59:59Z": (253_402_300_799, 0),
}


@pytest.mark.parametrize(("text", "expected"), TIMES.items())
def test_times(text: str, expected: tuple[int, int]) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026", "2026-11-23", "2026-11-23 02:54:52Z", "2026-11-23T02:54:52", "2026-13-01T00:00:00Z"),
        *("2026-11-31T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T02:54:60Z", "2026-11-23T02:54:52+24:00"),
        *("2026-11-23T02:54:52+02:60", "2026-11-23T02:54:52Z ", "20261123T025452Z"),
    ],
)
def test_malformed_times(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_time(text)


def test_unset_and_epoch_differ() -> None:
    """Kubernetes sends the zero time as an empty message; the epoch is a time like any other."""
    assert format_time(meta.Time()) is None
    assert format_micro_time(meta.MicroTime()) is None
    assert format_time(meta.Time(seconds=0)) == "1970-01-01T00:00:00Z"
    assert format_micro_time(meta.MicroTime(seconds=0, nanos=1_999)) == "1970-01-01T00:00:00.000001Z"


def test_seconds_no_date_has_are_shown_as_the_nearest() -> None:
    assert format_time(meta.Time(seconds=-(2**63))) == "0001-01-01T00:00:00Z"
    assert format_time(meta.Time(seconds=2**63 - 1)) == "9999-12-31T23:59:59Z"


def test_times_lose_what_kubernetes_drops() -> None:
    pod = codec.message_from_json(Pod, {"metadata": {"creationTimestamp": "2026-11-23T02:54:52.123456789+01:00"}})
    assert codec.to_json(pod)["metadata"]["creationTimestamp"] == "2026-11-23T01:54:52Z"
    lease = codec.message_from_json(Lease, {"spec": {"renewTime": "2026-11-23T02:54:52.123456789Z"}})
    assert codec.to_json(lease)["spec"]["renewTime"] == "2026-11-23T02:54:52.123456Z"


DURATIONS: dict[int, str] = {
    0: "0s",
    1: "1ns",
    1_500: "1.5µs",
    2_000_000: "2ms",
    1_000_000_000: "1s",
    1_500_000_000: "1.5s",
    60_000_000_000: "1m0s",
    3_600_000_000_000: "1h0m0s",
    5_400_000_000_001: "1h30m0.000000001s",
    -90_000_000_000: "-1m30s",
}


@pytest.mark.parametrize(("nanoseconds", "text"), DURATIONS.items())
def test_durations(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text
    assert parse_duration(text) == nanoseconds


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_durations_round_trip(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize("text", ["", "1", "s", "1s2", "1d", "+-1s", "1.s.", ".s", "9999999h"])
def test_malformed_durations(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


RAW: dict[bytes, Any] = {
    b"": None,
    b"null": None,
    b'{"a": [1, 2.5]}': {"a": [1, 2.5]},
    b"12345678901234567890": 12345678901234567890,
}


@pytest.mark.parametrize(("raw", "expected"), RAW.items())
def test_raw_json_is_printed_as_json(raw: bytes, expected: Any) -> None:
    assert codec.to_json(ControllerRevision(data=meta.RawExtension(raw=raw)))["data"] == expected


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"NaN", b"[" * 100_000])
def test_stored_raw_data_that_are_no_json(raw: bytes) -> None:
    with pytest.raises(InternalError, match="not JSON"):
        codec.to_json(ControllerRevision(data=meta.RawExtension(raw=raw)))


def test_amounts_that_are_none_are_shown_as_they_are() -> None:
    pod = Pod()
    pod.spec.overhead["cpu"].string = "fast"
    assert codec.to_json(pod)["spec"]["overhead"] == {"cpu": "fast"}


def test_what_bears_a_type_shows_it() -> None:
    assert list(codec.to_json(Scale()))[:2] == ["kind", "apiVersion"]
    assert codec.to_json(Scale())["apiVersion"] == "autoscaling/v1"
    assert codec.to_json(meta.Status())["apiVersion"] == "v1"
    assert codec.to_json(meta.DeleteOptions()) == {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"}
    assert "kind" not in codec.to_json(PodTemplateSpec())


def test_items_of_a_typed_list_do_not() -> None:
    printed = codec.to_json(PodList(items=[Pod()]))
    assert (printed["kind"], printed["apiVersion"]) == ("PodList", "v1")
    assert "kind" not in printed["items"][0]


def test_extra_values_are_lists_in_json() -> None:
    said = {"spec": {"user": "jane", "extra": {"scopes": ["a", "b"], "none": []}}}
    review = codec.message_from_json(SubjectAccessReview, said)
    assert list(review.spec.extra["scopes"].items) == ["a", "b"]
    printed = codec.to_json(review)
    assert printed["apiVersion"] == "authorization.k8s.io/v1"
    assert printed["spec"] == said["spec"]


@pytest.mark.parametrize("extra", [{"scopes": "a"}, {"scopes": [1]}, {"scopes": ["\ud800"]}])
def test_malformed_extra_values(extra: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError, match="cannot be read"):
        codec.message_from_json(SubjectAccessReview, {"spec": {"extra": extra}})
