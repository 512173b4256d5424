"""How a write is to be made, from a request's parameters."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane_gateway.bodies import validation_of
from rollplane_gateway.calls import Call
from rollplane_gateway.refusals import invalid, refused_options, unsupported
from rollplane_gateway.requests import Request
from rollplane_machinery.api import WriteOptions
from rollplane_machinery.errors import Cause, CauseReason

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
    check_dry_run([text], request.method)
    return bool(text)


def check_dry_run(words: Sequence[str], method: str = "DELETE") -> None:
    """Raise InvalidError unless ``words``, as DeleteOptions hold them, are ``All`` or nothing."""
    for word in words:
        if word not in ("", "All"):
            raise refused_options(method, [unsupported("dryRun", word, ["All"])])


def field_manager(request: Request) -> str:
    """Return who writes: ``fieldManager``, else the user agent up to its first slash.

    Raises InvalidError for one that is too long or not printable.
    """
    manager = request.query.text("fieldManager")
    if not manager:
        agent = request.user_agent.partition("/")[0]
        return "".join(filter(str.isprintable, agent))[:MANAGER_CHARACTERS]
    if len(manager) > MANAGER_CHARACTERS:
        why = f"Too long: may not be more than {MANAGER_CHARACTERS} bytes"
        raise refused_options(request.method, [Cause(CauseReason.TOO_LONG, "fieldManager", why)])
    if not manager.isprintable():
        cause = invalid("fieldManager", ascii(manager)[1:-1], "should only contain printable characters")
        raise refused_options(request.method, [cause])
    return manager
