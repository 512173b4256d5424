from __future__ import annotations

from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_machinery import int_or_string
from rollplane_machinery.errors import InvalidError

RESOLVED = {
    "a number is itself": (3, 10, 3, 3),
    "25% of 5": ("25%", 5, 1, 2),
    "20% of 3": ("20%", 3, 0, 1),
    "even": ("50%", 4, 2, 2),
    "nothing": ("0%", 7, 0, 0),
    "more than all": ("150%", 4, 6, 6),
    "of nothing": ("30%", 0, 0, 0),
}


@pytest.mark.parametrize(("value", "total", "down", "up"), RESOLVED.values(), ids=RESOLVED)
def test_resolve(value: int | str, total: int, down: int, up: int) -> None:
    message = int_or_string.of(value)
    assert int_or_string.resolve(message, total, round_up=False) == down
    assert int_or_string.resolve(message, total, round_up=True) == up


@pytest.mark.parametrize("text", ["", "25", "%", "-5%", "2.5%", "25 %", "25%%", "x%", "\u0662%"])
def test_no_percentage(text: str) -> None:
    value = int_or_string.of(text)
    with pytest.raises(InvalidError, match="percentage"):
        int_or_string.resolve(value, 10, round_up=True)


@given(st.integers(0, 1000), st.integers(0, 100_000))
def test_rounding_is_exact(percent: int, total: int) -> None:
    value = int_or_string.of(f"{percent}%")
    assert int_or_string.resolve(value, total, round_up=False) == floor(percent * total / 100 + 1e-9)
    assert int_or_string.resolve(value, total, round_up=True) == ceil(percent * total / 100 - 1e-9)


@given(st.integers(-(2**31), 2**31 - 1) | st.text())
def test_plain_round_trip(value: int | str) -> None:
    assert int_or_string.to_plain(int_or_string.of(value)) == value


def test_every_field_is_set_as_kubernetes_encodes_it() -> None:
    assert int_or_string.of(1).SerializeToString() == bytes.fromhex("080010011a00")
    assert int_or_string.of("25%").SerializeToString() == bytes.fromhex("080110001a03") + b"25%"
