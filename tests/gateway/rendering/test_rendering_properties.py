"""Whatever the message, its bytes as JSON are the codec's, also where the bytes are not in the usual order."""

from __future__ import annotations

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from rollplane_gateway.rendering import Form, Renderer
from rollplane_machinery import codec
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import DEPLOYMENT, POD, ApiObject, Encoded
from tests.machinery.strategies import messages, objects

RENDERER = Renderer(cache_bytes=100_000)
"""One for all, and so small that it forgets all the time: what is kept must never be taken for something else."""


def shown(encoded: Encoded) -> str:
    return RENDERER.embedded(encoded, Form.JSON, encoded.kind.api_version).decode()


UNKNOWN = b"\xf8\x3e\x05\xfa\x3e\x01x\xf9\x3e12345678\xfd\x3e1234"
"""Fields of number 1007 in all four wire types."""


@given(objects(zeros=True))
@settings(deadline=None)
def test_the_codecs_document(obj: ApiObject) -> None:
    encoded = Encoded.of(obj)
    for _ in range(2):
        assert shown(encoded) == codec.dumps(obj)


@given(st.lists(messages(POD.message, zeros=True) | messages(DEPLOYMENT.message), min_size=2, max_size=3))
@settings(deadline=None)
def test_messages_written_one_behind_the_other_are_merged(parts: list[ApiObject]) -> None:
    """Records that come twice, apart from each other, and between them fields that nobody knows."""
    encoded = Encoded(Encoded.of(parts[0]).kind, UNKNOWN.join(part.SerializeToString() for part in parts))
    try:
        expected = codec.dumps(encoded.parse())
    except BadRequestError:
        return
    assert shown(encoded) == expected


@given(st.binary(max_size=40))
@settings(deadline=None)
def test_any_bytes(value: bytes) -> None:
    encoded = Encoded(POD, value)
    try:
        expected = codec.dumps(encoded.parse())
    except BadRequestError:
        # Unknown fields are passed over without a look inside, so not all that protobuf refuses is refused.
        with contextlib.suppress(BadRequestError):
            json.loads(shown(encoded))
    else:
        assert shown(encoded) == expected
