"""Who is asking, and in whose name."""

from __future__ import annotations

import pytest

from rollplane_gateway.virtual.callers import ADMINISTRATOR, Caller, account_caller, caller_of
from rollplane_machinery.errors import BadRequestError

CASES: dict[str, tuple[list[tuple[str, str]], Caller]] = {
    "nobody's name": ([("User-Agent", "kubectl"), ("Authorization", "Bearer x")], ADMINISTRATOR),
    "a user": ([("Impersonate-User", "jane")], Caller("jane", ("system:authenticated",))),
    "groups": (
        [("impersonate-user", "jane"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b")],
        Caller("jane", ("a", "b", "system:authenticated")),
    ),
    "uid and more": (
        [
            *(("Impersonate-User", "jane"), ("Impersonate-Uid", "7"), ("Impersonate-Extra-Scopes", "x")),
            *(("Impersonate-Extra-scopes", "y"), ("Impersonate-Extra-acme.com%2Fproject", "z")),
        ],
        Caller("jane", ("system:authenticated",), "7", {"scopes": ["x", "y"], "acme.com/project": ["z"]}),
    ),
    "nobody": ([("Impersonate-User", "system:anonymous")], Caller("system:anonymous")),
    "an account": ([("Impersonate-User", "system:serviceaccount:ns:web")], account_caller("ns", "web", "")),
}


@pytest.mark.parametrize(("headers", "expected"), CASES.values(), ids=CASES)
def test_caller(headers: list[tuple[str, str]], expected: Caller) -> None:
    assert caller_of(headers) == expected


def test_groups_without_a_user() -> None:
    with pytest.raises(BadRequestError, match="no user"):
        caller_of([("Impersonate-Group", "a")])


def test_info() -> None:
    info = Caller("jane", ("a",), "7", {"scopes": ["x", "y"]}).info()
    assert (info.username, list(info.groups), info.uid) == ("jane", ["a"], "7")
    assert list(info.extra["scopes"].items) == ["x", "y"]
    assert not ADMINISTRATOR.info().HasField("uid")
