"""A token is put on a write, and nothing else about the write changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollplane_client.tokens import Tokens, repeated
from rollplane_machinery.api import Create, Fence, Key, Patch, PatchType, Write, WriteOptions
from rollplane_machinery.kinds import POD, Encoded

OPTIONS = WriteOptions("me", fence=Fence("s", 3), omit_object=True, track_fields=True)
WRITES: dict[str, Write] = {
    "create": Create(Encoded(POD, b""), OPTIONS, "g"),
    "apply": Patch(Key(POD, "default", "p"), PatchType.APPLY, b"{}", "status", OPTIONS, "g", force=True),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_only_the_token_is_new(write: Write) -> None:
    stamped = Tokens().stamped(write)
    assert stamped.options.token is not None
    assert replace(stamped, options=replace(stamped.options, token=None)) == write


def test_what_is_harmless_twice_has_no_token_and_is_repeated_as_it_is() -> None:
    write = Create(Encoded(POD, b""), replace(OPTIONS, harmless_twice=True), "g")
    assert Tokens().stamped(write) is write
    assert repeated(write) is write
