"""``rollplane set image``."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane_cli.choosing import Found, choose, report_failure
from rollplane_cli.command import ChoosingFlags, Command, RecordFlags, WriteFlags
from rollplane_cli.failures import NOTHING_NAMED, CommandError
from rollplane_cli.files import key_in, read_files
from rollplane_cli.flags import switch
from rollplane_cli.output.answers import answer, is_client_dry_run, is_same, write_options
from rollplane_cli.recording import change_cause, note
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_machinery.api import SetImage
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.images import EVERY_CONTAINER, missing_containers, set_images
from rollplane_machinery.kinds import ApiObject, Encoded
from rollplane_machinery.pod_specs import pod_spec_of
from rollplane_printing.sentences import path_of

_FILES_ONLY = """\
you must specify resources by --filename when --local is set.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'"""


class SetImageFlags(ChoosingFlags, WriteFlags, RecordFlags):
    """Flags of ``set image``."""

    local = switch("Change the objects of -f and print them, without a server")


async def run(flags: SetImageFlags, session: Session) -> int:
    """Change images by container name; an object that has them already is passed over in silence."""
    words = [word for word in flags.words if "=" not in word]
    images = _images([word for word in flags.words if "=" in word])
    if flags.local:
        return await _set_locally(flags, session, words, images)
    chosen = await choose(flags, session, words, nothing_named=NOTHING_NAMED)
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
    if EVERY_CONTAINER in images and len(images) > 1:
        raise CommandError(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs"
        )
    for name, image in images.items():
        if not name or not image:
            raise CommandError(f"invalid image update {f'{name}={image}'!r}: want CONTAINER=IMAGE")
    return images


async def _set_locally(flags: SetImageFlags, session: Session, words: list[str], images: Mapping[str, str]) -> int:
    """Change the objects of files and print them; nothing is sent."""
    if words or not flags.filename:
        raise CommandError(_FILES_ONLY)
    files = await read_files(session, flags)
    failed = files.failed
    for manifest in files.manifests:
        try:
            _change_locally(flags, session, manifest.object, images)
        except CommandError as exc:
            report_failure(session, exc)
            failed = True
    return int(failed)


def _change_locally(flags: SetImageFlags, session: Session, message: ApiObject, images: Mapping[str, str]) -> None:
    key = key_in(session, message)
    before, located = Encoded.of(message).parse(), pod_spec_of(message)
    if located is None:
        raise CommandError(f"{path_of(key.kind, key.name)} the object is not a pod or does not have a pod template")
    set_images(located.spec, images)
    if message != before or flags.output in ("yaml", "json"):
        note(message.metadata.annotations, "set image", flags)
        answer(flags, session, key, "image updated", message)
    if missing := missing_containers(located.spec, images):
        raise CommandError("\n".join(f"error: {sentence}" for sentence in missing), whole=True)


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
