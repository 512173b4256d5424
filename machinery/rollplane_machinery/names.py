"""Rules for names, labels, ports and percentages, and how a name is generated.

Every ``check_*`` returns the problems of one value as sentences, none when it is good; the caller knows which field
it was. Lengths and alphabets are those of RFC 1123, RFC 1035 and RFC 6335 as Kubernetes applies them.
"""

from __future__ import annotations

import re
from typing import Protocol

SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and no look-alikes, so that a suffix is neither a word nor misread."""

SUFFIX_LENGTH = 5
LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253
PREFIX_LENGTH = LABEL_LENGTH - SUFFIX_LENGTH

# Possessive where it can be: a dash or dot is only taken together with what must follow it, so nothing is tried twice.
_DNS_LABEL = re.compile(r"[a-z0-9]++(?:-++[a-z0-9]++)*+").fullmatch
_DNS1035_LABEL = re.compile(r"[a-z][a-z0-9]*+(?:-++[a-z0-9]++)*+").fullmatch
_SUBDOMAIN = re.compile(r"[a-z0-9]++(?:(?:-++|\.)[a-z0-9]++)*+").fullmatch
_QUALIFIED = re.compile(r"(?:[a-z0-9]++(?:(?:-++|\.)[a-z0-9]++)*+/)?[A-Za-z0-9]++(?:[-_.]++[A-Za-z0-9]++)*+").fullmatch
_NAME_PART = re.compile(r"[A-Za-z0-9]++(?:[-_.]++[A-Za-z0-9]++)*+").fullmatch
_PERCENT = re.compile(r"[0-9]{1,10}%").fullmatch
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]++(?:-[a-z0-9]++)*+").fullmatch
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+").fullmatch
_ENV_NAME = re.compile(r"[ -<>-~]+").fullmatch  # printable ASCII but "="
_HEADER_NAME = re.compile(r"[-A-Za-z0-9]+").fullmatch

_LABEL_FIX = "use lower-case letters, digits and '-', with a letter or digit at both ends, as in 'my-name'"
_DNS1035_FIX = "use lower-case letters, digits and '-', starting with a letter and not ending with '-', as in 'my-name'"
_SUBDOMAIN_FIX = (
    "use lower-case letters, digits, '-' and '.', with a letter or digit at both ends of each part, as in 'example.com'"
)
_NAME_PART_FIX = "use letters, digits, '-', '_' and '.', with a letter or digit at both ends, as in 'my.name'"
_QUALIFIED_FIX = "give a name, or a DNS subdomain, '/' and a name, as in 'example.com/my-name'"


class Random(Protocol):
    """The part of ``random.Random`` that choosing a suffix needs."""

    def choice(self, seq: str, /) -> str:
        """Return one character of ``seq``."""
        ...


def random_suffix(random: Random) -> str:
    """Return five characters of ``SUFFIX_ALPHABET`` drawn from ``random``."""
    return "".join(random.choice(SUFFIX_ALPHABET) for _ in range(SUFFIX_LENGTH))


def generate_name(prefix: str, random_suffix: str) -> str:
    """Return ``prefix``, cut to 58 characters, followed by ``random_suffix``: 63 characters at most."""
    return prefix[:PREFIX_LENGTH] + random_suffix


def _too_long(value: str, limit: int) -> list[str]:
    return [f"shorten it to {limit} characters, it has {len(value)}"] if len(value) > limit else []


def check_dns1123_label(value: str) -> list[str]:
    """Return what keeps ``value`` from being an RFC 1123 label of at most 63 characters."""
    if len(value) <= LABEL_LENGTH and _DNS_LABEL(value):
        return []
    return _too_long(value, LABEL_LENGTH) + ([] if _DNS_LABEL(value) else [_LABEL_FIX])


def check_dns1035_label(value: str) -> list[str]:
    """Return what keeps ``value`` from being an RFC 1035 label: as RFC 1123's, but starting with a letter."""
    if len(value) <= LABEL_LENGTH and _DNS1035_LABEL(value):
        return []
    return _too_long(value, LABEL_LENGTH) + ([] if _DNS1035_LABEL(value) else [_DNS1035_FIX])


def check_dns1123_subdomain(value: str) -> list[str]:
    """Return what keeps ``value`` from being RFC 1123 labels joined by dots, at most 253 characters in all."""
    if len(value) <= SUBDOMAIN_LENGTH and _SUBDOMAIN(value):
        return []
    return _too_long(value, SUBDOMAIN_LENGTH) + ([] if _SUBDOMAIN(value) else [_SUBDOMAIN_FIX])


def check_path_segment(value: str) -> list[str]:
    """Return what keeps ``value`` from being one segment of a path, which roles are called by."""
    if value in (".", ".."):
        return [f"choose another name than {value!r}"]
    return [f"leave out {character!r}" for character in "/%" if character in value]


def check_qualified_name(value: str) -> list[str]:
    """Return what keeps ``value`` from being the key of a label, annotation or taint, or a finalizer.

    Such a name has at most 63 characters, and may be preceded by a DNS subdomain and ``/``.
    """
    if len(value) <= LABEL_LENGTH and _QUALIFIED(value):
        return []
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        return [_QUALIFIED_FIX]
    problems = [f"before '/': {problem}" for problem in check_dns1123_subdomain(prefix)] if slash else []
    problems += _too_long(name, LABEL_LENGTH)
    return problems if _NAME_PART(name) else [*problems, _NAME_PART_FIX]


def check_label_value(value: str) -> list[str]:
    """Return what keeps ``value`` from being a label's value: empty, or like a name of at most 63 characters."""
    if not value or (len(value) <= LABEL_LENGTH and _NAME_PART(value)):
        return []
    return _too_long(value, LABEL_LENGTH) + ([] if _NAME_PART(value) else [_NAME_PART_FIX + ", or nothing"])


def check_percent(value: str) -> list[str]:
    """Return what keeps ``value`` from being digits, ten at most, followed by ``%``."""
    return [] if _PERCENT(value) else ["give a percentage, as in '25%'"]


def check_port_number(value: int) -> list[str]:
    """Return what keeps ``value`` from being a port: 1 to 65535."""
    return [] if 0 < value < 65536 else ["choose a port from 1 to 65535"]


def check_port_name(value: str) -> list[str]:
    """Return what keeps ``value`` from being an IANA service name (RFC 6335): 15 characters, one of them a letter."""
    if len(value) <= 15 and _PORT_NAME(value):
        return []
    fix = "use lower-case letters (at least one), digits and single '-' between them, as in 'http-alt'"
    return _too_long(value, 15) or [fix]


def check_data_key(value: str) -> list[str]:
    """Return what keeps ``value`` from being a key of a ConfigMap or Secret, which may become a file name."""
    if len(value) > SUBDOMAIN_LENGTH:
        return _too_long(value, SUBDOMAIN_LENGTH)
    if not _DATA_KEY(value):
        return ["use letters, digits, '-', '_' and '.', as in 'key.name'"]
    return ["choose a key that is not '.' and does not start with '..'"] if value == "." or value[:2] == ".." else []


def check_env_name(value: str) -> list[str]:
    """Return what keeps ``value`` from being the name of an environment variable: printable ASCII without ``=``."""
    return [] if _ENV_NAME(value) else ["use printable ASCII characters other than '='"]


def check_header_name(value: str) -> list[str]:
    """Return what keeps ``value`` from being the name of an HTTP header."""
    return [] if _HEADER_NAME(value) else ["use letters, digits and '-', as in 'X-Header'"]
