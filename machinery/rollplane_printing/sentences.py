"""kubectl's sentences: how objects are named, and how errors are told."""

from __future__ import annotations

from rollplane_machinery.errors import Cause, InvalidError, RollplaneError
from rollplane_machinery.kinds import BY_RESOURCE, Kind


def path_of(kind: Kind, name: str) -> str:
    """Return an object as kubectl's answers name it: ``deployment.apps/web``, ``pod/web-1``."""
    return f"{typed(kind)}/{name}"


def typed(kind: Kind) -> str:
    """Return a kind in the singular, with its group: ``deployment.apps``."""
    return f"{kind.singular}.{kind.group}" if kind.group else kind.singular


def subject(kind: Kind, name: str) -> str:
    """Return an object as errors name it: ``deployments.apps "web"``."""
    return f'{kind.resource} "{name}"'


def error_lines(error: RollplaneError, doing: str = "") -> list[str]:
    """Return what kubectl prints for an answer of the server; ``doing`` says what was tried with which file.

    ``Error from server (NotFound): deployments.apps "web" not found``; of an object that breaks rules one line names
    the object and the field, and where several fields are wrong each has a line of its own.
    """
    if isinstance(error, InvalidError) and error.causes:
        return _invalid_lines(error)
    return [f"Error from server ({error.reason}): {doing}{': ' if doing else ''}{error.message}"]


def _invalid_lines(error: InvalidError) -> list[str]:
    kind = BY_RESOURCE.get(error.resource)
    title = f'The {kind.name} "{error.name}" is invalid:' if kind else "The request is invalid:"
    if len(error.causes) == 1:
        return [f"{title} {error.causes[0]}"]
    return [title, *(f"* {_line(cause)}" for cause in error.causes)]


def _line(cause: Cause) -> str:
    return " ".join(str(cause).split())
