"""How large a selector in a request may be: reading and matching it keeps everybody else waiting."""

from __future__ import annotations

from rollplane_machinery.errors import BadRequestError

MAX_SELECTOR_BYTES = 512 * 1024
MAX_LABEL_TERMS = 2_000
MAX_FIELD_TERMS = 20_000
"""Terms and listed values together; a fleet names all its nodes in one field selector."""


def check_size(what: str, text: str, max_terms: int) -> None:
    """Raise BadRequestError for a selector of too many bytes, or of more than ``max_terms`` terms and values."""
    size = len(text.encode(errors="replace"))
    if size > MAX_SELECTOR_BYTES:
        raise BadRequestError(f"a {what} of {size} bytes, at most {MAX_SELECTOR_BYTES} are taken")
    terms = text.count(",") + 1
    if terms > max_terms:
        raise BadRequestError(f"a {what} of {terms} terms and values, at most {max_terms} are taken")
