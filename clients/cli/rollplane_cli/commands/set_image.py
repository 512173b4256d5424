"""``rollplane set image``."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane_cli.choosing import CHOOSING_FLAGS, Found, choose, report_failure
from rollplane_cli.command import DRY_RUN, Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import Arguments, switch
from rollplane_cli.help_text import PROGRAM
from rollplane_cli.output.answers import WRITE_OUTPUT, answer, is_client_dry_run, is_same, write_options
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_machinery.api import SetImage
from rollplane_machinery.errors import RollplaneError

_DEPRECATED = "Flag --record has been deprecated, --record will be removed in the future"


async def run(arguments: Arguments, session: Session) -> int:
    """Change images by container name; an object that has them already is passed over in silence."""
    words = [word for word in arguments.words if "=" not in word]
    images = _images([word for word in arguments.words if "=" in word])
    if not words and not arguments.texts("filename"):
        raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    if arguments.boolean("record"):
        session.console.warn(_DEPRECATED)
    chosen = await choose(arguments, session, words)
    for found in chosen.found:
        try:
            await _set_image(arguments, session, found, images)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            chosen.failed = True
    return chosen.exit_code


def _images(pairs: list[str]) -> dict[str, str]:
    if not pairs:
        raise CommandError("at least one image update is required")
    images = dict(pair.split("=", 1) for pair in pairs)
    for name, image in images.items():
        if not name or not image:
            raise CommandError(f"invalid image update {f'{name}={image}'!r}: want CONTAINER=IMAGE")
    return images


async def _set_image(arguments: Arguments, session: Session, found: Found, images: Mapping[str, str]) -> None:
    before = found.parse()
    if is_client_dry_run(arguments):
        answer(arguments, session, found.key, "image updated", before)
        return
    cause = change_cause(arguments) if arguments.boolean("record") else None
    request = SetImage(found.key, images, cause, write_options(arguments, "set"))
    with told_as_own():
        result = await (await session.api()).set_image(request)
    after = result.object.parse() if result.object else before
    if not is_same(before, after):
        answer(arguments, session, found.key, "image updated", after)


def change_cause(arguments: Arguments) -> str:
    """Return the command as ``--record`` writes it down: its words, then its flags in the order given."""
    flags = [f"--{name}={value}" for name, value in arguments.given]
    return " ".join([PROGRAM, "set", "image", *arguments.words, *flags])


SET_IMAGE = Command(
    "(TYPE NAME | TYPE/NAME… | -f FILE) CONTAINER=IMAGE…",
    'Change the images of a workload by container name; the name "*" means every container.',
    run,
    (
        switch("record", "Write this command into the object's change-cause, for the history"),
        *CHOOSING_FLAGS,
        DRY_RUN,
        WRITE_OUTPUT,
    ),
)
