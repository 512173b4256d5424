"""``rollplane scale``."""

from __future__ import annotations

from rollplane_cli.choosing import Found, choose, report_failure
from rollplane_cli.command import ChoosingFlags, Command, RecordFlags, WriteFlags
from rollplane_cli.failures import NOTHING_NAMED, CommandError
from rollplane_cli.flags import optional_number, text
from rollplane_cli.output.answers import answer, is_client_dry_run, write_options
from rollplane_cli.recording import record
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_machinery.api import Preconditions, Scale
from rollplane_machinery.errors import RollplaneError


class ScaleFlags(ChoosingFlags, WriteFlags, RecordFlags):
    """Flags of ``scale``."""

    replicas = optional_number("The new number of replicas")
    current_replicas = optional_number("Scale only if this is the present number")
    resource_version = text("Scale only if this is the object's resource version")


async def run(flags: ScaleFlags, session: Session) -> int:
    """Set the number of replicas of each object named."""
    replicas = flags.replicas
    if replicas is None:
        raise CommandError('required flag(s) "replicas" not set')
    if replicas < 0:
        raise CommandError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    chosen = await choose(flags, session, nothing_named=NOTHING_NAMED)
    for found in chosen.found:
        try:
            await _scale(flags, session, found, replicas)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            chosen.failed = True
    return chosen.exit_code


async def _scale(flags: ScaleFlags, session: Session, found: Found, replicas: int) -> None:
    message = found.parse()
    if not is_client_dry_run(flags):
        options = write_options(flags, "scale")
        preconditions = Preconditions(resource_version=flags.resource_version or None)
        request = Scale(found.key, replicas, flags.current_replicas, preconditions, options)
        with told_as_own():
            result = await (await session.api()).scale(request)
        message = result.object.parse() if result.object else message
        message = await record(session, found.key, message, "scale", flags, options)
    answer(flags, session, found.key, "scaled", message)


SCALE = Command(
    "--replicas=COUNT (TYPE NAME | TYPE/NAME… | -f FILE)",
    "Set the number of replicas of a workload.",
    ScaleFlags,
    run,
)
