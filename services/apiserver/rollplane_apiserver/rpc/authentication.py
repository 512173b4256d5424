"""Who is calling: the seam at which certificates and tokens will be checked.

Until then a caller is believed, which is why the server binds to loopback only: it names its role in the metadata key
``rollplane-role`` (editor when absent) and, for logs, itself in ``rollplane-name``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rollplane_apiserver.core import Identity, Role
from rollplane_machinery.errors import UnauthenticatedError

Metadata = Iterable[tuple[str, str | bytes]]
"""What a call was sent with beside its message."""

Authenticate = Callable[[Metadata], Identity]
"""Tells who is calling from a call's metadata; raises UnauthenticatedError."""

ROLE_KEY = "rollplane-role"
NAME_KEY = "rollplane-name"


def believe(metadata: Metadata) -> Identity:
    """Return whoever the caller says it is; raises UnauthenticatedError for a role that does not exist."""
    role, name = Role.EDITOR.value, ""
    for key, value in metadata:
        if key == ROLE_KEY:
            role = _text(value)
        elif key == NAME_KEY:
            name = _text(value)
    try:
        return Identity(name or role, Role(role))
    except ValueError:
        raise UnauthenticatedError(f"{ROLE_KEY} {role!r} is none of {', '.join(role.value for role in Role)}") from None


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")
