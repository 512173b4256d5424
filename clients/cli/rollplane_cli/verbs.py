"""Refusals that kubectl finds by itself and our server tells: printed as kubectl's own, under our name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rollplane_cli.failures import CommandError
from rollplane_cli.help_text import PROGRAM
from rollplane_machinery.errors import ConflictError, InvalidError, NotFoundError, RollplaneError, UnsupportedError


@contextmanager
def told_as_own() -> Iterator[None]:
    """Turn a rollout verb's refusal into ``error: …``.

    What a server of Kubernetes would say as well stays ``Error from server …``: an object that is gone or breaks the
    rules of its kind, a lost race.
    """
    try:
        yield
    except (InvalidError, NotFoundError, UnsupportedError, ConflictError) as exc:
        if _is_servers(exc):
            raise
        raise CommandError(exc.message.replace("'kubectl ", f"'{PROGRAM} ")) from exc


def _is_servers(error: RollplaneError) -> bool:
    gone = f'{error.resource} "{error.name}" not found'
    return (
        error.message == gone
        or '" is invalid: ' in error.message
        or error.message.startswith("Operation cannot be fulfilled")
    )
