"""``rollplane scale``."""

from __future__ import annotations

from rollplane_cli.choosing import CHOOSING_FLAGS, Found, choose, report_failure
from rollplane_cli.command import DRY_RUN, Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import Arguments, Flag, FlagType
from rollplane_cli.output.answers import WRITE_OUTPUT, answer, is_client_dry_run, write_options
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_machinery.api import Preconditions, Scale
from rollplane_machinery.errors import RollplaneError


async def run(arguments: Arguments, session: Session) -> int:
    """Set the number of replicas of each object named."""
    replicas = arguments.number("replicas")
    if replicas is None or replicas < 0:
        raise CommandError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    chosen = await choose(arguments, session)
    for found in chosen.found:
        try:
            await _scale(arguments, session, found, replicas)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            chosen.failed = True
    return chosen.exit_code


async def _scale(arguments: Arguments, session: Session, found: Found, replicas: int) -> None:
    message = found.parse()
    if not is_client_dry_run(arguments):
        request = Scale(
            found.key,
            replicas,
            arguments.number("current-replicas"),
            Preconditions(resource_version=arguments.text("resource-version") or None),
            write_options(arguments, "scale"),
        )
        with told_as_own():
            result = await (await session.api()).scale(request)
        message = result.object.parse() if result.object else message
    answer(arguments, session, found.key, "scaled", message)


SCALE = Command(
    "--replicas=COUNT (TYPE NAME | TYPE/NAME… | -f FILE)",
    "Set the number of replicas of a workload.",
    run,
    (
        Flag("replicas", "The new number of replicas", type=FlagType.NUMBER),
        Flag("current-replicas", "Scale only if this is the present number", type=FlagType.NUMBER),
        Flag("resource-version", "Scale only if this is the object's resource version"),
        *CHOOSING_FLAGS,
        DRY_RUN,
        WRITE_OUTPUT,
    ),
)
