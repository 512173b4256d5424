"""What texts of each format look like.

Source: kubernetes/kube-openapi pkg/validation/strfmt/default.go, and the parsers of Go's library that it calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from ipaddress import ip_address, ip_network
from types import MappingProxyType

from rollplane_machinery.names import check_dns1123_label
from rollplane_machinery.structural.patterns import matcher

_LONGEST_HOSTNAME, _LONGEST_LABEL, _LONGEST_NAME = 255, 63, 253


def _fully(pattern: str, flags: int = 0) -> Callable[[str], bool]:
    match = re.compile(pattern, flags | re.ASCII).fullmatch
    return lambda text: match(text) is not None


# Possessive where they repeat, so that nothing is tried twice.
_FULL_DATE = _fully(r"\d{4}-\d\d-\d\d")
_TIME = _fully(r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:.\d++)?(?:z|[+-]\d\d:\d\d)")
_GO_DURATION = _fully(r"[-+]?(?:0|(?:(?:\d++(?:\.\d*+)?|\.\d++)(?:ns|us|µs|μs|ms|s|m|h))++)")
_SCALA_DURATION = re.compile(r"\d+\s*([A-Za-zµ]+)")
_SCALA_UNITS = frozenset(("ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"))
_SCALA_WORDS = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
_MAC = _fully(
    r"(?:(?:[\da-f]{2}([:-]))(?:[\da-f]{2}\1){4,18}[\da-f]{2})|(?:[\da-f]{4}\.){2,9}[\da-f]{4}", re.IGNORECASE
)
_MAC_LENGTHS = frozenset((12, 16, 40))
_ATOM = r"[\w!#$%&'*+/=?^`{|}~\x80-\U0010ffff-]++"
_ADDRESS = rf"(?:{_ATOM}(?:\.{_ATOM})*+|\"(?:[^\"\\]|\\.)*+\")@(?:{_ATOM}(?:\.{_ATOM})*+|\[[^\[\]\\]*+\])"
_EMAIL = _fully(
    rf"\s*+(?:{_ADDRESS}|(?:(?:[\w!#$%&'*+/=?^`{{|}}~.\x80-\U0010ffff-]++|\"(?:[^\"\\]|\\.)*+\")\s*+)*+<{_ADDRESS}>)\s*+"
)
_HOSTNAME = matcher(
    r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)"
    r"|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$"
)
_AUTHORITY = r"//(?:[^\s/?#@\x00-\x1f\x7f]*+@)?(?:\[[^\]\s]++\]|[^\s/?#:@\\^`{|}<>\"\[\]]*+)(?::\d*+)?(?=[/?#]|\Z)"
_URI = _fully(
    rf"(?:[a-z][a-z\d+.-]*+:(?:{_AUTHORITY}|(?!//))|/|\*)(?:[^%\x00-\x1f\x7f]|%[\da-f]{{2}})*+", re.IGNORECASE
)
_CREDIT_CARD = _fully(
    r"4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11}"
)
_BYTE_NUMBER = r"(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])"
_UUID = r"[\da-f]{{8}}-?[\da-f]{{4}}-?{}[\da-f]{{3}}-?{}[\da-f]{{3}}-?[\da-f]{{12}}"


def _uuid(version: str, variant: str) -> Callable[[str], bool]:
    return _fully(_UUID.format(version, variant), re.IGNORECASE)


def _is_date(text: str) -> bool:
    if not _FULL_DATE(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_date_time(text: str) -> bool:
    day, _, time = text.lower().partition("t")
    return _is_date(day) and _TIME(time.partition("t")[0])


def _is_duration(text: str) -> bool:
    return _GO_DURATION(text) or any(map(_is_scala_unit, _SCALA_DURATION.findall(text)))


def _is_scala_unit(unit: str) -> bool:
    return unit.lower() in _SCALA_UNITS or unit.lower().startswith(_SCALA_WORDS)


def _is_mac(text: str) -> bool:
    return _MAC(text) and len(re.sub("[:.-]", "", text)) in _MAC_LENGTHS


def _is_hostname(text: str) -> bool:
    parts = text.split(".")
    return (
        _HOSTNAME(text)
        and len(text.encode(errors="replace")) <= _LONGEST_HOSTNAME
        and all(len(part.encode(errors="replace")) <= _LONGEST_LABEL for part in parts)
    )


_ZEROS = re.compile(r"(?<![\da-f:])0+(?=\d)", re.IGNORECASE)


def _sloppy(text: str) -> str:
    """Return an IPv4 address without leading zeros, which Kubernetes' parsers pass over."""
    return _ZEROS.sub("", text) if "." in text else text


def is_address(text: str) -> bool:
    """Whether ``text`` is an IP address of either family, without a zone."""
    try:
        ip_address(_sloppy(text))
    except ValueError:
        return False
    return "%" not in text


def is_cidr(text: str) -> bool:
    """Whether ``text`` is an address and the length of a prefix."""
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal() or not is_address(address):
        return False
    try:
        ip_network(f"{_sloppy(address)}/{length}", strict=False)
    except ValueError:
        return False
    return True


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch(r"\d{9}[\dX]", digits, re.ASCII):
        return False
    return sum((10 - at) * (10 if digit == "X" else int(digit)) for at, digit in enumerate(digits)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch(r"\d{13}", digits, re.ASCII):
        return False
    return sum((1, 3)[at % 2] * int(digit) for at, digit in enumerate(digits)) % 10 == 0


def _is_credit_card(text: str) -> bool:
    digits = re.sub(r"\D+", "", text, flags=re.ASCII)
    if not _CREDIT_CARD(digits):
        return False
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _is_short_name(text: str) -> bool:
    return not check_dns1123_label(text)


FORMATS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "bsonobjectid": _fully(r"[\da-fA-F]{24}"),
        "uri": _URI,
        "email": _EMAIL,
        "hostname": _is_hostname,
        "ipv4": lambda text: "." in text and is_address(text),
        "ipv6": lambda text: ":" in text and is_address(text),
        "cidr": is_cidr,
        "mac": _is_mac,
        "uuid": _uuid("[0-9a-f]", "[0-9a-f]"),
        "uuid3": _uuid("3", "[0-9a-f]"),
        "uuid4": _uuid("4", "[89ab]"),
        "uuid5": _uuid("5", "[89ab]"),
        "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
        "isbn10": _is_isbn10,
        "isbn13": _is_isbn13,
        "creditcard": _is_credit_card,
        "ssn": _fully(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
        "hexcolor": _fully(r"#?(?:[\da-fA-F]{3}|[\da-fA-F]{6})"),
        "rgbcolor": _fully(rf"rgb\(\s*+{_BYTE_NUMBER}\s*+,\s*+{_BYTE_NUMBER}\s*+,\s*+{_BYTE_NUMBER}\s*+\)"),
        "byte": _fully(r"(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=|[A-Za-z\d+/]{4})"),
        "password": lambda _: True,
        "date": _is_date,
        "duration": _is_duration,
        "datetime": _is_date_time,
        "k8sshortname": _is_short_name,
        "k8slongname": lambda text: len(text) <= _LONGEST_NAME and not any(map(_wrong_segment, text.split("."))),
    }
)
"""Whether a text is one of the format, by the format's name without dashes."""

NAME_FORMATS = frozenset({"k8sshortname", "k8slongname"})
"""Those that older releases do not know."""

_wrong_segment_match = re.compile(r"[a-z0-9]++(?:-++[a-z0-9]++)*+").fullmatch


def _wrong_segment(text: str) -> bool:
    return _wrong_segment_match(text) is None
