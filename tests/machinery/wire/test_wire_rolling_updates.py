"""Whatever can be said of rolling updates survives the way over the wire unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane.api import v1 as pb
from rollplane_machinery import api
from rollplane_machinery.errors import InternalError
from rollplane_machinery.kinds import REPLICATION_CONTROLLER, Encoded
from rollplane_machinery.rolling_update import STATE, CleanupPolicy, Step, UpdatePace, UpdateState, state_of
from rollplane_machinery.wire import rolling_updates

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SECONDS = st.floats(0, 1e6)
REVISIONS = st.integers(0, 2**63 - 1)
KEYS = st.builds(api.Key, st.just(REPLICATION_CONTROLLER), TEXT, TEXT)
ENCODED = st.builds(Encoded, st.just(REPLICATION_CONTROLLER), st.binary(max_size=20))
PACES = st.builds(UpdatePace, SECONDS, SECONDS, SECONDS)
OPTIONS = st.builds(api.WriteOptions, TEXT, st.booleans())
STATES = st.builds(
    UpdateState,
    st.sampled_from(Step),
    st.sampled_from(CleanupPolicy),
    PACES,
    st.integers(0, 9),
    SECONDS,
    SECONDS,
    st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.none() | st.integers(0, 9),
    TEXT,
    TEXT,
    st.lists(TEXT).map(tuple),
    TEXT,
    st.integers(0, 9) | st.just("25%"),
    st.integers(0, 9) | st.just("25%"),
)


@given(st.builds(api.StartRollingUpdate, KEYS, st.none() | ENCODED, TEXT, TEXT, TEXT, TEXT, TEXT, PACES, OPTIONS))
def test_start_round_trips(request: api.StartRollingUpdate) -> None:
    assert rolling_updates.decode_start(rolling_updates.encode_start(request)) == request


@given(st.builds(api.RollBackRollingUpdate, KEYS, TEXT, PACES, OPTIONS))
def test_roll_back_round_trips(request: api.RollBackRollingUpdate) -> None:
    assert rolling_updates.decode_roll_back(rolling_updates.encode_roll_back(request)) == request


@given(st.builds(api.RollingUpdate, KEYS, TEXT, REVISIONS, st.lists(TEXT).map(tuple), ENCODED, st.none() | ENCODED))
def test_rolling_update_round_trips(update: api.RollingUpdate) -> None:
    assert rolling_updates.decode_rolling_update(rolling_updates.encode_rolling_update(update)) == update


@given(KEYS, TEXT, REVISIONS)
def test_follow_round_trips(target: api.Key, source: str, revision: int) -> None:
    message = rolling_updates.encode_follow(target, source, revision)
    assert rolling_updates.decode_follow(message) == (target, source, revision)


@given(st.builds(api.RollingUpdateProgress, st.sampled_from(api.RolloutState), TEXT, REVISIONS, TEXT))
def test_progress_round_trips(progress: api.RollingUpdateProgress) -> None:
    assert rolling_updates.decode_progress(rolling_updates.encode_progress(progress)) == progress


def test_what_a_message_leaves_out_is_kubectls_default() -> None:
    old = pb.ObjectKey(resource="replicationcontrollers", name="web")
    request = rolling_updates.decode_start(pb.StartRollingUpdateRequest(old=old))
    assert (request.pace, request.deployment_label_key) == (UpdatePace(60, 3, 300), "deployment")


def test_unknown_state_is_an_internal_error() -> None:
    with pytest.raises(InternalError):
        rolling_updates.decode_progress(pb.WatchRollingUpdateResponse())


@given(STATES)
def test_state_survives_its_annotation(state: UpdateState) -> None:
    assert state_of({STATE: state.dumps()}) == state
