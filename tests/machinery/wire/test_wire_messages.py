"""Whatever the API's dataclasses can say survives the way over the wire unchanged."""

from __future__ import annotations

import typing
from collections.abc import Callable
from contextlib import suppress

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from rollplane.api import v1 as pb
from rollplane.core.v1 import PodSpec, PodTemplateSpec
from rollplane_machinery import api, kinds
from rollplane_machinery.errors import BadRequestError, NotFoundError, RequestTooLargeError, RollplaneError
from rollplane_machinery.wire import parts, reads, rollouts
from rollplane_machinery.wire.writes import (
    decode_batch,
    decode_batch_results,
    decode_delete,
    decode_patch,
    encode_batch,
    encode_batch_results,
    encode_write,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
REVISIONS = st.integers(0, 2**63 - 1)
COUNTS = st.integers(0, 2**31 - 1)
KINDS = st.sampled_from(kinds.KINDS)
ENCODED = st.builds(kinds.Encoded, st.sampled_from(kinds.TYPED_KINDS), st.binary(max_size=20)) | st.sampled_from(
    kinds.STORED_KINDS
).map(lambda kind: kinds.Encoded.of(kind.new()))
KEYS = st.builds(api.Key, KINDS, TEXT, TEXT)
POD_KEYS = st.builds(api.Key, st.just(kinds.POD), TEXT, TEXT)
FENCES = st.builds(api.Fence, TEXT, REVISIONS)
WRITERS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)
TOKENS = st.builds(api.WriteToken, WRITERS, st.integers(1, 2**63 - 1))
OPTIONS = st.builds(api.WriteOptions, TEXT, st.booleans(), st.none() | FENCES, st.booleans()) | st.builds(
    api.WriteOptions, TEXT, st.just(False), st.none() | FENCES, st.booleans(), TOKENS, st.booleans(), st.booleans()
)
PRECONDITIONS = st.builds(api.Preconditions, st.none() | TEXT, st.none() | TEXT)
GRACE = st.none() | st.integers(0, 2**40)
PROPAGATIONS = st.none() | st.sampled_from(api.Propagation)

WRITES: st.SearchStrategy[api.Write] = st.one_of(
    st.builds(api.Create, ENCODED, OPTIONS, TEXT),
    st.builds(api.Update, ENCODED, OPTIONS, TEXT),
    st.builds(api.UpdateStatus, ENCODED, OPTIONS, TEXT),
    st.builds(
        api.Patch, KEYS, st.sampled_from(api.PatchType), st.binary(max_size=9), TEXT, OPTIONS, TEXT, st.booleans()
    ),
    st.builds(api.Delete, KEYS, GRACE, PROPAGATIONS, PRECONDITIONS, OPTIONS, TEXT),
    st.builds(api.Bind, POD_KEYS, TEXT, PRECONDITIONS, OPTIONS, TEXT),
    st.builds(api.Evict, POD_KEYS, GRACE, PRECONDITIONS, OPTIONS, TEXT),
)
RESULTS = st.builds(api.WriteResult, REVISIONS, st.none() | ENCODED, st.booleans(), st.booleans())
TEMPLATES = st.builds(lambda name: PodTemplateSpec(spec=PodSpec(node_name=name)), TEXT)
MICROSECONDS = st.integers(0, 4_000_000_000_000_000).map(lambda us: us / 1_000_000)
HISTORY = st.builds(api.Revision, REVISIONS, TEXT, TEXT, TEMPLATES, MICROSECONDS)


@given(st.lists(WRITES, max_size=4))
def test_batches_round_trip(writes: list[api.Write]) -> None:
    sent = encode_batch(writes).SerializeToString()
    assert decode_batch(parts.parse(pb.BatchWriteRequest, sent)) == writes


@given(WRITES)
def test_the_request_of_a_single_write_is_its_batch_item(write: api.Write) -> None:
    item = encode_batch([write]).writes[0]
    assert getattr(item, item.WhichOneof("verb") or "") == encode_write(write)


@given(st.lists(RESULTS, max_size=4))
def test_batch_results_round_trip(results: list[api.WriteResult]) -> None:
    assert decode_batch_results(encode_batch_results(results)) == results


def test_a_failure_stands_in_its_own_place() -> None:
    results: list[api.WriteResult | RollplaneError] = [
        api.WriteResult(1),
        NotFoundError("gone", resource="pods", name="p"),
        api.WriteResult(2),
    ]
    first, second, third = decode_batch_results(encode_batch_results(results))
    assert (first, third) == (results[0], results[2])
    assert isinstance(second, NotFoundError)
    assert str(second) == "gone"


@given(st.builds(api.DeleteCollection, KINDS, TEXT, TEXT, TEXT, GRACE, PROPAGATIONS, OPTIONS))
def test_collection_deletions_round_trip(request: api.DeleteCollection) -> None:
    assert reads.decode_delete_collection(reads.encode_delete_collection(request)) == request


@given(st.builds(api.DeletedCollection, COUNTS, REVISIONS))
def test_deleted_collections_round_trip(deleted: api.DeletedCollection) -> None:
    assert reads.decode_deleted_collection(reads.encode_deleted_collection(deleted)) == deleted


@given(st.builds(api.ListQuery, KINDS, TEXT, TEXT, TEXT, COUNTS, TEXT, REVISIONS))
def test_lists_round_trip(query: api.ListQuery) -> None:
    assert reads.decode_list(reads.encode_list(query)) == query


@given(st.builds(api.Page, st.lists(ENCODED, max_size=3), REVISIONS, TEXT, COUNTS))
def test_pages_round_trip(page: api.Page) -> None:
    assert reads.decode_page(reads.encode_page(page)) == page


FILTERS = st.builds(
    api.WatchFilter,
    KINDS,
    st.lists(TEXT, max_size=2).map(tuple),
    TEXT,
    TEXT,
    st.lists(st.integers(0, 63), max_size=3).map(tuple),
    st.booleans(),
)


@given(
    st.builds(api.WatchQuery, st.lists(FILTERS, max_size=3).map(tuple), REVISIONS, st.booleans()),
)
def test_watches_round_trip(query: api.WatchQuery) -> None:
    assert reads.decode_watch(reads.encode_watch(query)) == query


EVENTS = st.builds(api.WatchEvent, st.sampled_from(api.EventType), ENCODED, REVISIONS)
BATCHES = st.builds(api.WatchBatch, st.lists(EVENTS, max_size=5), REVISIONS, st.booleans())


@given(BATCHES)
def test_watch_batches_round_trip(batch: api.WatchBatch) -> None:
    assert reads.decode_watch_batch(reads.encode_watch_batch(batch)) == batch


@given(BATCHES, st.integers(1, 400))
def test_a_watch_batch_is_cut_without_loss(batch: api.WatchBatch, max_bytes: int) -> None:
    parts = list(reads.split_watch_batch(batch, max_bytes))
    assert [event for part in parts for event in part.events] == list(batch.events)
    assert parts[-1].revision == batch.revision
    assert [part.initial_state_complete for part in parts] == [False] * (len(parts) - 1) + [
        batch.initial_state_complete
    ]
    for part in parts:
        assert len(part.events) <= 1 or reads.encode_watch_batch(part).ByteSize() <= max_bytes


def test_objects_that_do_not_fit_into_an_answer_are_left_out_of_it() -> None:
    """What was written has been written: an answer that cannot be sent would tell the batch as refused."""
    large = api.WriteResult(1, kinds.Encoded(kinds.POD, b"x" * 1_500_000))
    answer = encode_batch_results([large] * 12)
    assert answer.ByteSize() < 3 * 1024 * 1024 + 1000
    told = [result for result in decode_batch_results(answer) if isinstance(result, api.WriteResult)]
    assert [result.object is None for result in told] == [False, False] + [True] * 10
    assert {result.revision for result in told} == {1}


def test_errors_of_a_batch_are_cut_as_those_of_single_calls() -> None:
    (error,) = decode_batch_results(encode_batch_results([BadRequestError("no " * 100_000)]))
    assert isinstance(error, BadRequestError)
    assert len(error.message) <= 1024


TOO_MANY = {
    "writes": (lambda: decode_batch(pb.BatchWriteRequest(writes=[pb.Write()] * 1001)), "1001 writes .* 1000"),
    "filters": (lambda: reads.decode_watch(pb.WatchRequest(filters=[pb.WatchFilter()] * 257)), "257 filters.* 256"),
    "namespaces": (
        lambda: reads.decode_watch(pb.WatchRequest(filters=[pb.WatchFilter(resource="pods", namespaces=["a"] * 257)])),
        "257 namespaces in a filter, at most 256",
    ),
    "shards": (
        lambda: reads.decode_watch(pb.WatchRequest(filters=[pb.WatchFilter(resource="pods", shards=[1] * 257)])),
        "257 shards in a filter, at most 256",
    ),
}


@pytest.mark.parametrize(("decode", "sentence"), TOO_MANY.values(), ids=TOO_MANY)
def test_what_is_counted_is_limited_and_told_so(decode: Callable[[], object], sentence: str) -> None:
    with pytest.raises(RollplaneError, match=sentence) as caught:
        decode()
    assert isinstance(caught.value, BadRequestError | RequestTooLargeError)


SENSELESS_OPTIONS = {
    "a negative epoch": pb.WriteOptions(fence=pb.Fence(shard="ns-1", epoch=-1)),
    "a token without a writer": pb.WriteOptions(token=pb.WriteToken(sequence=1)),
    "a token of a long writer": pb.WriteOptions(token=pb.WriteToken(writer="w" * 65, sequence=1)),
    "a token of a writer with a space": pb.WriteOptions(token=pb.WriteToken(writer="a b", sequence=1)),
    "a token without a sequence": pb.WriteOptions(token=pb.WriteToken(writer="w")),
    "a sequence of 64 bits": pb.WriteOptions(token=pb.WriteToken(writer="w", sequence=2**63)),
    "a repeat without a token": pb.WriteOptions(repeat=True),
    "a dry run with a token": pb.WriteOptions(dry_run=True, token=pb.WriteToken(writer="w", sequence=1)),
}


@pytest.mark.parametrize("options", SENSELESS_OPTIONS.values(), ids=SENSELESS_OPTIONS)
def test_options_that_make_no_sense_are_refused_where_they_are_read(options: pb.WriteOptions) -> None:
    with pytest.raises(BadRequestError):
        parts.decode_options(options)


def test_a_fence_of_a_negative_epoch_is_refused_where_it_is_read() -> None:
    with pytest.raises(BadRequestError, match="-1"):
        parts.decode_fence(pb.Fence(shard="ns-1", epoch=-1))


def _batch(revision: int, complete: bool = False) -> api.WatchBatch:
    pod = kinds.Encoded(kinds.POD, b"x" * 100)
    return api.WatchBatch(
        [api.WatchEvent(api.EventType.ADDED, pod, number) for number in (3, 5, 9)], revision, complete
    )


RESUME_FROM = {
    "a change is resumed from the last one sent": (_batch(11), [3, 5, 11]),
    "initial state cannot be resumed": (_batch(0), [0, 0, 0]),
    "nor can its last batch in parts": (_batch(11, complete=True), [0, 0, 11]),
}


@pytest.mark.parametrize(("batch", "revisions"), RESUME_FROM.values(), ids=RESUME_FROM)
def test_parts_say_how_far_one_may_resume(batch: api.WatchBatch, revisions: list[int]) -> None:
    assert [part.revision for part in reads.split_watch_batch(batch, 200)] == revisions


@given(st.builds(api.SetImage, KEYS, st.dictionaries(TEXT, TEXT, max_size=3), st.none() | TEXT, OPTIONS))
def test_set_image_round_trips(request: api.SetImage) -> None:
    assert rollouts.decode_set_image(rollouts.encode_set_image(request)) == request


@given(st.builds(api.Scale, KEYS, st.integers(-5, 2**31 - 1), st.none() | COUNTS, PRECONDITIONS, OPTIONS))
def test_scale_round_trips(request: api.Scale) -> None:
    assert rollouts.decode_scale(rollouts.encode_scale(request)) == request


@given(KEYS, OPTIONS, REVISIONS)
def test_rollout_targets_round_trip(key: api.Key, options: api.WriteOptions, revision: int) -> None:
    for encode in (rollouts.encode_pause, rollouts.encode_resume, rollouts.encode_restart):
        assert rollouts.decode_target(encode(key, options)) == (key, options)
    assert rollouts.decode_history(rollouts.encode_history(key, revision)) == (key, revision)
    assert rollouts.decode_status(rollouts.encode_status(key, revision)) == (key, revision)
    assert rollouts.decode_undo(rollouts.encode_undo(key, revision, options)) == (key, revision, options)


@given(st.lists(HISTORY, max_size=3))
def test_histories_round_trip(history: list[api.Revision]) -> None:
    assert rollouts.decode_revisions(rollouts.encode_revisions(history)) == history


@given(st.builds(api.Undone, st.builds(api.WriteResult, REVISIONS, st.none() | ENCODED), HISTORY, st.booleans()))
def test_undone_round_trips(undone: api.Undone) -> None:
    assert rollouts.decode_undone(rollouts.encode_undone(undone)) == undone


@given(
    st.builds(
        api.RolloutStatus,
        st.sampled_from(api.RolloutState),
        TEXT,
        TEXT,
        *[COUNTS] * 5,
        REVISIONS,
    )
)
def test_rollout_status_round_trips(status: api.RolloutStatus) -> None:
    assert rollouts.decode_rollout_status(rollouts.encode_rollout_status(status)) == status


BAD_WRITES = {
    "no verb": pb.Write(),
    "no object": pb.Write(create=pb.CreateRequest()),
    "no kind": pb.Write(update=pb.UpdateRequest(object=Any(type_url="type.googleapis.com/google.rpc.Status"))),
    "unknown resource": pb.Write(delete=pb.DeleteRequest(key=pb.ObjectKey(resource="gadgets"))),
    "no patch type": pb.Write(patch=pb.PatchRequest(key=pb.ObjectKey(resource="pods"))),
}


@pytest.mark.parametrize("item", BAD_WRITES.values(), ids=BAD_WRITES)
def test_a_write_that_cannot_be_read_harms_no_other(item: pb.Write) -> None:
    good = encode_batch([api.Delete(api.Key(kinds.POD, "a", "b"))]).writes[0]
    bad, fine = decode_batch(pb.BatchWriteRequest(writes=[item, good]))
    assert isinstance(bad, api.Unreadable)
    assert isinstance(bad.error, BadRequestError | NotFoundError)
    assert fine == api.Delete(api.Key(kinds.POD, "a", "b"))


def test_an_unknown_propagation_policy_is_refused() -> None:
    request = parts.parse(
        pb.DeleteRequest, pb.DeleteRequest(key=pb.ObjectKey(resource="pods")).SerializeToString() + b"\x18\x09"
    )
    with pytest.raises(BadRequestError, match="propagation policy 9"):
        decode_delete(request)


def test_a_value_no_message_can_hold_is_a_bad_request() -> None:
    with pytest.raises(BadRequestError):
        rollouts.encode_scale(api.Scale(api.Key(kinds.DEPLOYMENT, "a", "b"), 2**31))
    with pytest.raises(BadRequestError):
        encode_write(api.Delete(api.Key(kinds.POD, "a", "\ud800")))


DECODERS: dict[type[Message], Callable[[typing.Any], object]] = {
    pb.ListRequest: reads.decode_list,
    pb.WatchRequest: reads.decode_watch,
    pb.BatchWriteRequest: decode_batch,
    pb.DeleteCollectionRequest: reads.decode_delete_collection,
    pb.PatchRequest: decode_patch,
    pb.SetImageRequest: rollouts.decode_set_image,
    pb.UndoRequest: rollouts.decode_undo,
}


@given(st.sampled_from(list(DECODERS)), st.binary(max_size=60))
def test_random_bytes_raise_nothing_but_our_errors(message_type: type[Message], data: bytes) -> None:
    with suppress(BadRequestError, NotFoundError):
        DECODERS[message_type](parts.parse(message_type, data))
