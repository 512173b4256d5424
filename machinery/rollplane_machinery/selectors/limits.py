"""How large the selectors of a request may be: reading and matching them keeps everybody else waiting.

Reading costs by the byte and by the listed value, matching by the term: a term's values are hashed.
"""

from __future__ import annotations

from collections.abc import Iterable

from rollplane_machinery.errors import BadRequestError

MAX_SELECTOR_BYTES = 512 * 1024
MAX_REQUEST_BYTES = 2 * MAX_SELECTOR_BYTES
MAX_LABEL_TERMS = 2_000
MAX_FIELD_TERMS = 20_000
"""Terms and listed values together; a fleet names all its nodes in one field selector, and in another its pods'."""
MAX_REQUEST_FIELD_TERMS = 2 * MAX_FIELD_TERMS
MAX_TERMS = 2_000
"""Terms alone, of labels and fields together."""


def check_size(what: str, text: str, max_terms: int) -> None:
    """Raise BadRequestError for a selector of too many bytes, or of more than ``max_terms`` terms and values."""
    size = len(text.encode(errors="replace"))
    if size > MAX_SELECTOR_BYTES:
        raise BadRequestError(f"a {what} of {size} bytes, at most {MAX_SELECTOR_BYTES} are taken")
    _check(f"a {what}", "terms and values", _listed(text), max_terms)


def check_request(label_selectors: Iterable[str], field_selectors: Iterable[str]) -> None:
    """Raise BadRequestError for selectors that are too large together, each of them being within its own limits."""
    labels, fields = list(label_selectors), list(field_selectors)
    size = sum(len(text.encode(errors="replace")) for text in (*labels, *fields))
    _check("a request with selectors", "bytes", size, MAX_REQUEST_BYTES)
    _check("a request with label selectors", "terms and values", sum(map(_listed, labels)), MAX_LABEL_TERMS)
    _check("a request with field selectors", "terms and values", sum(map(_listed, fields)), MAX_REQUEST_FIELD_TERMS)


def check_terms(what: str, count: int) -> None:
    """Raise BadRequestError for more terms than an object may be asked."""
    _check(what, "terms", count, MAX_TERMS)


def _listed(text: str) -> int:
    return text.count(",") + 1 if text else 0


def _check(what: str, unit: str, count: int, limit: int) -> None:
    if count > limit:
        raise BadRequestError(f"{what} of {count} {unit}, at most {limit} are taken")
