"""``rollplane set image``."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane_cli.choosing import Found, choose, report_failure
from rollplane_cli.command import ChoosingFlags, Command, RecordFlags, WriteFlags
from rollplane_cli.failures import CommandError
from rollplane_cli.output.answers import answer, is_client_dry_run, is_same, write_options
from rollplane_cli.recording import change_cause
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_machinery.api import SetImage
from rollplane_machinery.errors import RollplaneError


class SetImageFlags(ChoosingFlags, WriteFlags, RecordFlags):
    """Flags of ``set image``."""


async def run(flags: SetImageFlags, session: Session) -> int:
    """Change images by container name; an object that has them already is passed over in silence."""
    words = [word for word in flags.words if "=" not in word]
    images = _images([word for word in flags.words if "=" in word])
    if not words and not flags.filename:
        raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    chosen = await choose(flags, session, words)
    for found in chosen.found:
        try:
            await _set_image(flags, session, found, images)
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


async def _set_image(flags: SetImageFlags, session: Session, found: Found, images: Mapping[str, str]) -> None:
    before = found.parse()
    if is_client_dry_run(flags):
        answer(flags, session, found.key, "image updated", before)
        return
    request = SetImage(found.key, images, change_cause("set image", flags), write_options(flags, "set"))
    with told_as_own():
        result = await (await session.api()).set_image(request)
    after = result.object.parse() if result.object else before
    if not is_same(before, after):
        answer(flags, session, found.key, "image updated", after)


SET_IMAGE = Command(
    "(TYPE NAME | TYPE/NAME… | -f FILE) CONTAINER=IMAGE…",
    'Change the images of a workload by container name; the name "*" means every container.',
    SetImageFlags,
    run,
)
