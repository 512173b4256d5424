"""How a write is to be made, from a request's parameters."""

from __future__ import annotations

from rollplane_gateway.bodies import validation_of
from rollplane_gateway.calls import Call
from rollplane_gateway.requests import Request
from rollplane_machinery.api import WriteOptions
from rollplane_machinery.errors import Cause, CauseReason, InvalidError

MANAGER_CHARACTERS = 128


def write_options(call: Call, dry_run: bool = False) -> WriteOptions:
    """Return the options of a write, with a token of its own; ``dry_run`` when its body asks for one."""
    manager = field_manager(call.request)
    options = WriteOptions(
        manager,
        dry_run=dry_run or is_dry_run(call.request),
        track_fields=True,
        field_validation=validation_of(call.request),
    )
    return call.backend.tokens.stamp(options)


def is_dry_run(request: Request) -> bool:
    """Return whether nothing is to be stored; raises InvalidError for any word but ``All``."""
    if not request.query.given("dryRun"):
        return False
    text = request.query.text("dryRun")
    check_dry_run([text])
    return bool(text)


def check_dry_run(words: list[str]) -> None:
    """Raise InvalidError unless ``words``, as DeleteOptions hold them, are ``All`` or nothing."""
    for word in words:
        if word not in ("", "All"):
            cause = Cause(CauseReason.NOT_SUPPORTED, "dryRun", f'Unsupported value: "{word}": supported values: "All"')
            raise InvalidError(f' "" is invalid: {cause}', causes=[cause])


def field_manager(request: Request) -> str:
    """Return who writes: ``fieldManager``, else the user agent up to its first slash.

    Raises InvalidError for one that is too long or not printable.
    """
    manager = request.query.text("fieldManager")
    if not manager:
        agent = request.user_agent.partition("/")[0]
        return "".join(filter(str.isprintable, agent))[:MANAGER_CHARACTERS]
    if len(manager) > MANAGER_CHARACTERS:
        raise _bad_manager(CauseReason.TOO_LONG, f"Too long: may not be more than {MANAGER_CHARACTERS} bytes")
    if not manager.isprintable():
        raise _bad_manager(
            CauseReason.INVALID, f'Invalid value: "{manager!a}": should only contain printable characters'
        )
    return manager


def _bad_manager(reason: CauseReason, message: str) -> InvalidError:
    cause = Cause(reason, "fieldManager", message)
    return InvalidError(f' "" is invalid: {cause}', causes=[cause])
