"""Rules for names, and generated names."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_machinery import names

GOOD: dict[str, tuple[Callable[[str], list[str]], list[str]]] = {
    "DNS-1123 label": (names.check_dns1123_label, ["a", "0", "a-b", "a--b", "9-x", "a" * 63]),
    "DNS-1035 label": (names.check_dns1035_label, ["a", "a0", "a-0", "a" * 63]),
    "DNS-1123 subdomain": (names.check_dns1123_subdomain, ["a", "a.b", "0.a-b.c", "a" * 253]),
    "qualified name": (
        names.check_qualified_name,
        ["a", "A.b_c-D", "example.com/a", "a.b/A_B", "x" * 63, "a." * 126 + "b/" + "x" * 63],
    ),
    "label value": (names.check_label_value, ["", "a", "A_b.C-0", "x" * 63]),
    "percent": (names.check_percent, ["0%", "25%", "150%", "007%"]),
    "port name": (names.check_port_name, ["http", "a", "8a", "http-alt", "a1-b2-c3", "x" * 15]),
    "data key": (names.check_data_key, ["a", ".a", "A_b-c.d", "k" * 253]),
    "variable": (names.check_env_name, ["A", "a.b", "_x", "1A", "with space"]),
    "header": (names.check_header_name, ["X-Header", "a"]),
}
BAD: dict[str, tuple[Callable[[str], list[str]], list[str]]] = {
    "DNS-1123 label": (names.check_dns1123_label, ["", "-a", "a-", "A", "a.b", "a_b", "a\n", "ä", "a" * 64]),
    "DNS-1035 label": (names.check_dns1035_label, ["", "0a", "-a", "a-", "a.b", "a" * 64]),
    "DNS-1123 subdomain": (
        names.check_dns1123_subdomain,
        ["", ".", "a.", ".a", "a..b", "a.-b", "a-.b", "A", "a" * 254],
    ),
    "qualified name": (
        names.check_qualified_name,
        ["", "/a", "a/", "a/b/c", "-a", "a-", "a b", "A.com/x", "ex_ample/x", "x" * 64, "a/" + "x" * 64, "a\n"],
    ),
    "label value": (names.check_label_value, ["-", "a-", ".a", "not valid!", "x" * 64, "a\n"]),
    "percent": (names.check_percent, ["", "%", "25", "-5%", "2.5%", "25%%", "25% ", "1" * 5000 + "%"]),
    "port name": (names.check_port_name, ["", "80", "8-0", "HTTP", "a--b", "-a", "a-", "x" * 16, "a_b"]),
    "data key": (names.check_data_key, ["", ".", "..", "..a", "a/b", "k" * 254]),
    "variable": (names.check_env_name, ["", "A=B", "tab\t", "ü"]),
    "header": (names.check_header_name, ["", "X Header", "X_Header"]),
}


@pytest.mark.parametrize(("check", "values"), GOOD.values(), ids=GOOD)
def test_good(check: Callable[[str], list[str]], values: list[str]) -> None:
    assert {value: check(value) for value in values} == {value: [] for value in values}


@pytest.mark.parametrize(("check", "values"), BAD.values(), ids=BAD)
def test_bad(check: Callable[[str], list[str]], values: list[str]) -> None:
    assert [value for value in values if not check(value)] == []


def test_problems_say_what_to_do() -> None:
    assert names.check_dns1123_label("a" * 64) == ["shorten it to 63 characters, it has 64"]
    too_long, alphabet = names.check_dns1123_label("A" * 64)
    assert too_long.startswith("shorten")
    assert "lower-case" in alphabet
    assert names.check_qualified_name("Ex/" + "x" * 64)[0].startswith("before '/'")


@pytest.mark.parametrize(("port", "good"), [(0, False), (1, True), (65535, True), (65536, False), (-1, False)])
def test_port_number(port: int, good: bool) -> None:
    assert (names.check_port_number(port) == []) is good


@pytest.mark.parametrize("length", [0, 1, 57, 58, 59, 200])
def test_prefix_is_cut_to_58(length: int) -> None:
    name = names.generate_name("p" * length, "bcdfg")
    assert name == "p" * min(length, 58) + "bcdfg"


def test_suffix_comes_from_the_given_randomness() -> None:
    first, again = (names.random_suffix(random.Random(7)) for _ in range(2))
    assert first == again
    assert len(first) == 5
    assert set(first) <= set("bcdfghjklmnpqrstvwxz2456789")


@given(st.from_regex(r"[a-z]([-a-z0-9]{0,70}[a-z0-9])?-", fullmatch=True), st.integers())
def test_generated_names_are_labels(prefix: str, seed: int) -> None:
    name = names.generate_name(prefix, names.random_suffix(random.Random(seed)))
    assert names.check_dns1123_label(name) == []


@given(st.text())
def test_rules_take_any_text(text: str) -> None:
    for check, _ in GOOD.values():
        assert all(isinstance(problem, str) for problem in check(text))
