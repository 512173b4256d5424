from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollplane_machinery import quantity
from rollplane_machinery.errors import BadRequestError, RollplaneError

CANONICAL = {
    "1.5Gi": "1536Mi",
    "0.5": "500m",
    "0.25": "250m",
    ".5": "500m",
    "0.5Gi": "512Mi",
    "128974848": "128974848",
    "1024Ki": "1Mi",
    "1025Ki": "1025Ki",
    "1024": "1024",
    "0.5Ki": "512",
    "0.1Ki": "102400m",
    "1e3": "1e3",
    "12e6": "12e6",
    "1E3": "1E3",
    "1E": "1E",
    "100000": "100k",
    "1000m": "1",
    "1000k": "1M",
    "1000E": "1e21",
    "0.0000000001": "1n",
    "-0.0000000001": "-1n",
    "1.0000000001": "1000000001n",
    "-1.5": "-1500m",
    "16Ei": "9223372036854775807",
    "0": "0",
    "0Gi": "0",
    "-0": "0",
    "0m": "0",
    # Kubernetes takes these for canonical, and keeps them.
    "1.500": "1.500",
    "+5": "+5",
    "5.": "5.",
    " 5 ": "5",
}


@pytest.mark.parametrize(("text", "expected"), CANONICAL.items(), ids=CANONICAL)
def test_canonical(text: str, expected: str) -> None:
    assert quantity.canonical(text) == expected


MALFORMED = [
    "",
    ".",
    "+",
    "m",
    "1.2.3",
    "1 Gi",
    "1gi",
    "1KI",
    "1K",
    "1mi",
    "1e",
    "1e+",
    "1e1.5",
    "0x10",
    "1_0",
    "1e999",
]


@pytest.mark.parametrize("text", [*MALFORMED, "\u0661", "9" * 200])
def test_malformed(text: str) -> None:
    with pytest.raises(BadRequestError):
        quantity.parse(text)


SCALES: dict[str, Fraction] = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 10**3),
    "": Fraction(1),
    **{suffix: Fraction(1000**power) for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Fraction(1024**power) for power, suffix in enumerate("KMGTPE", 1)},
    **{f"e{power}": Fraction(10) ** power for power in range(-12, 13)},
}
FINEST = Fraction(1, 10**9)
CAP = 2**63 - 1


@st.composite
def written(draw: st.DrawFn) -> tuple[str, Fraction]:
    """A quantity and its exact value, before anything is rounded."""
    sign = draw(st.sampled_from(["", "-", "+"]))
    whole = draw(st.from_regex(r"[0-9]{1,12}", fullmatch=True))
    places = draw(st.from_regex(r"(\.[0-9]{0,12})?", fullmatch=True))
    suffix = draw(st.sampled_from(sorted(SCALES)))
    number = whole + places
    value = Fraction(number + "0" if number.endswith(".") else number) * SCALES[suffix]
    return f"{sign}{number}{suffix}", -value if sign == "-" else value


def _rounded(text: str, exact: Fraction) -> Fraction:
    steps = exact / FINEST
    value = FINEST * (ceil(steps) if steps >= 0 else floor(steps))
    return max(min(value, Fraction(CAP)), Fraction(-CAP)) if text.endswith("i") else value


@given(written())
def test_values_are_exact(case: tuple[str, Fraction]) -> None:
    text, exact = case
    assert quantity.parse(text) == _rounded(text, exact)
    assert quantity.nanos(text) == quantity.parse(text) * 10**9


@given(written())
def test_canonical_keeps_the_value_and_is_stable(case: tuple[str, Fraction]) -> None:
    canonical = quantity.canonical(case[0])
    assert quantity.parse(canonical) == quantity.parse(case[0])
    assert quantity.canonical(canonical) == canonical


@given(written(), written())
@example(("1Gi", Fraction(2**30)), ("-10E", Fraction(-(10**19))))
def test_sum_and_order_agree_with_fractions(left: tuple[str, Fraction], right: tuple[str, Fraction]) -> None:
    a, b = quantity.parse(left[0]), quantity.parse(right[0])
    assert quantity.compare(left[0], right[0]) == (a > b) - (a < b)
    total = quantity.add(left[0], right[0])
    capped = max(-Fraction(CAP), min(a + b, Fraction(CAP)))
    assert quantity.parse(total) == (capped if total.endswith("i") else a + b)


@given(written())
def test_rounding_to_milli(case: tuple[str, Fraction]) -> None:
    rounded = quantity.parse(quantity.round_up_to_milli(case[0]))
    value = quantity.parse(case[0])
    assert (rounded * 1000).denominator == 1
    assert 0 <= abs(rounded) - abs(value) < Fraction(1, 1000)


SUMS = {
    "family of the first": ("1Gi", "512M", "1548576Ki"),
    "binary": ("1Gi", "1Gi", "2Gi"),
    "zero takes the other's family": ("0", "1Gi", "1Gi"),
    "decimal": ("500m", "0.5", "1"),
}


@pytest.mark.parametrize(("left", "right", "expected"), SUMS.values(), ids=SUMS)
def test_add(left: str, right: str, expected: str) -> None:
    assert quantity.add(left, right) == expected


@given(st.text(alphabet="0123456789.eEinumkKMGTP+- ", max_size=20) | st.text(max_size=20))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    try:
        assert quantity.canonical(quantity.canonical(text)) == quantity.canonical(text)
    except RollplaneError:
        with pytest.raises(BadRequestError):
            quantity.parse(text)
