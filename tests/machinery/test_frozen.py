"""Values that the type checker freezes behave as dataclasses do."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest

from rollplane_machinery.frozen import frozen


@frozen
class Point:
    """A value."""

    x: int
    y: int = 0
    note: str = field(default="", compare=False, repr=False)


@frozen
class Deep(Point):
    """One that inherits."""

    z: int = 0


@frozen
class Odd:
    """One that says itself how it is compared."""

    x: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Odd) and self.x % 2 == other.x % 2

    def __hash__(self) -> int:
        return self.x % 2


@dataclass(slots=True, unsafe_hash=True)
class Plain:
    """What dataclasses make of the same."""

    x: int
    y: int = 0
    note: str = field(default="", compare=False, repr=False)


EQUAL: dict[str, tuple[Any, Any, bool]] = {
    "equal": (Point(1, 2), Point(1, 2), True),
    "by what is compared": (Point(1, 2, "a"), Point(1, 2, "b"), True),
    "not": (Point(1, 2), Point(1, 3), False),
    "inherited": (Deep(1, 2, z=3), Deep(1, 2, z=4), False),
    "of a class with more": (Point(1, 2), Deep(1, 2), False),
    "of another class": (Point(1, 2), Plain(1, 2), False),
    "its own way": (Odd(1), Odd(3), True),
}


@pytest.mark.parametrize(("one", "other", "expected"), EQUAL.values(), ids=EQUAL)
def test_compared_and_hashed_by_fields(one: Any, other: Any, expected: bool) -> None:
    for _ in range(2):  # what is compiled at the first call is what later ones find
        assert (one == other) is expected
        assert (hash(one) == hash(other)) or not expected


def test_shown_as_dataclasses_are() -> None:
    assert repr(Point(1, 2, "unseen")) == "Point(x=1, y=2)" == repr(Point(1, 2))
    assert repr(Deep(1)) == "Deep(x=1, y=0, z=0)"
    assert hash(Point(1, 2, "a")) == hash(Plain(1, 2, "a"))


def test_dataclasses_know_it() -> None:
    assert [one.name for one in fields(Point)] == ["x", "y", "note"]
    assert replace(Point(1, 2), x=5) == Point(5, 2)
    assert not hasattr(Point(1), "__dict__")
    assert {Point(1, 2): "here"}[Point(1, 2)] == "here"


@frozen
class Made:
    """One of whose fields nobody gives, and which looks at what it was given."""

    name: str
    parts: list[str] = field(default_factory=list)
    size: int = field(init=False, default=0, compare=False)
    loud: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("no name")
        object.__setattr__(self, "size", len(self.parts))


def test_made_as_dataclasses_are() -> None:
    assert Made("a", ["x", "y"]).size == 2
    assert Made(name="a").parts == []
    assert Made("a").parts is not Made("a").parts
    assert Made("a", loud=True).loud
    assert repr(Made("a")) == "Made(name='a', parts=[], size=0, loud=False)"
    with pytest.raises(ValueError, match="no name"):
        Made("")
    for wrong in ({"nam": "a"}, {}):
        with pytest.raises(TypeError, match=r"Made"):
            Made(**wrong)  # type: ignore[arg-type]


def test_a_pattern_knows_its_places() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)
