"""``rollplane rolling-update``: replace one ReplicationController by another, pod by pod.

The control plane does the work. This command starts it, or takes up what is under way, and tells what it does;
Ctrl-C leaves it going.
"""

from __future__ import annotations

from collections.abc import Iterator

from rollplane.core.v1 import ReplicationController
from rollplane_cli.command import Command, FileFlags, WriteFlags
from rollplane_cli.failures import FAILED, CommandError, UsageError
from rollplane_cli.files import place, read_files
from rollplane_cli.flags import seconds, switch, text
from rollplane_cli.help_text import PROGRAM
from rollplane_cli.output.answers import write_options
from rollplane_cli.output.documents import document, render
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_client.rolling_updates import follow
from rollplane_machinery.api import (
    Key,
    RollBackRollingUpdate,
    RollingUpdate,
    RollingUpdateProgress,
    RolloutState,
    StartRollingUpdate,
    WriteOptions,
)
from rollplane_machinery.kinds import REPLICATION_CONTROLLER, Encoded
from rollplane_machinery.rolling_update import DEFAULT_LABEL_KEY, UpdatePace
from rollplane_printing.sentences import path_of


class RollingUpdateFlags(FileFlags, WriteFlags):
    """Flags of ``rolling-update``."""

    update_period = seconds("How long to wait between pods", default=60.0)
    poll_interval = seconds("How long a resize is waited for at least", default=3.0)
    timeout = seconds("How long to wait without any progress before giving up", default=300.0)
    image = text("Image of the new controller, a copy of the old one")
    container = text("Container that gets the image, where there are several")
    image_pull_policy = text(
        "New image pull policy; needed where the image stays the same", choices=("Always", "Never", "IfNotPresent")
    )
    deployment_label_key = text("Label that tells the pods of the two controllers apart", default=DEFAULT_LABEL_KEY)
    rollback = switch("Turn an unfinished update round")
    validate = switch("Read the file strictly; here it always is", default=True)
    schema_cache = text("Taken for the sake of old scripts; there is no schema to keep")


async def run(flags: RollingUpdateFlags, session: Session) -> int:
    """Start, take up or turn round an update, and follow it to its end."""
    _check(flags)
    is_dry = flags.dry_run != "none"
    with told_as_own():
        update = await _begin(flags, session, is_dry=is_dry)
        if is_dry:
            _show_both(flags, session, update)
            return 0
        end = await _follow(session, flags, update)
    if end.state is RolloutState.FAILED:
        session.console.warn(f"error: {end.message}")
        return FAILED
    await _answer(flags, session, end)
    return 0


def _check(flags: RollingUpdateFlags) -> None:
    """Raise CommandError with a line for each argument that is wrong."""
    problems = list(_problems(flags))
    if problems:
        raise CommandError("\n".join(f"error: {problem}" for problem in problems), whole=True)


def _problems(flags: RollingUpdateFlags) -> Iterator[str]:
    files, image = flags.filename, flags.image
    if not flags.deployment_label_key:
        yield "--deployment-label-key can not be empty"
    if len(files) > 1:
        yield "May only specify a single filename for new controller"
    if flags.rollback:
        if files or image:
            yield "Don't specify --filename or --image on rollback"
    elif not files and not image:
        yield "Must specify --filename or --image for new controller"
    elif files and image:
        yield "--filename and --image can not both be specified"
    if not flags.words:
        yield "Must specify the controller to update"
    elif len(flags.words) > 2:
        yield "May only specify the controller to update and its successor"


# Starting


async def _begin(flags: RollingUpdateFlags, session: Session, *, is_dry: bool) -> RollingUpdate:
    api = await session.api()
    old, *rest = flags.words
    key, new_name = Key(REPLICATION_CONTROLLER, session.namespace, old), rest[0] if rest else ""
    options = WriteOptions(write_options(flags, "rolling-update").field_manager, dry_run=is_dry)
    if flags.rollback:
        return await api.roll_back_rolling_update(RollBackRollingUpdate(key, new_name, _pace(flags), options))
    new = await _from_file(session, flags) if flags.filename else None
    request = StartRollingUpdate(
        key,
        new,
        new_name,
        flags.image,
        flags.container,
        flags.image_pull_policy,
        flags.deployment_label_key,
        _pace(flags),
        options,
    )
    return await api.start_rolling_update(request)


def _pace(flags: RollingUpdateFlags) -> UpdatePace:
    return UpdatePace(flags.update_period, flags.poll_interval, flags.timeout)


async def _from_file(session: Session, flags: RollingUpdateFlags) -> Encoded:
    """Return the one ReplicationController in the file; raises CommandError for anything else."""
    (filename,) = flags.filename
    files = await read_files(session, flags)
    if len(files.manifests) > 1:
        raise CommandError(f"{filename} specifies multiple items")
    message = files.manifests[0].object if files.manifests else None
    if not isinstance(message, ReplicationController) or files.failed:
        raise CommandError(f"{filename} does not specify a valid ReplicationController")
    if place(session, message).name == flags.words[0]:
        raise UsageError(
            f"{filename} cannot have the same name as the existing ReplicationController {message.metadata.name}"
        )
    return Encoded.of(message)


# Telling


async def _follow(session: Session, flags: RollingUpdateFlags, update: RollingUpdate) -> RollingUpdateProgress:
    """Tell every step until the last one, and return that."""
    is_quiet = bool(flags.output)
    if not is_quiet:
        for message in update.messages:
            session.console.say(message)
    is_over = False
    try:
        async with follow(await session.api(), update, session.clock) as steps:
            async for step in steps:
                if step.state is not RolloutState.PROGRESSING:
                    is_over = True
                    return step
                if not is_quiet:
                    session.console.say(step.message)
    finally:
        if not is_over:
            _say_how_to_come_back(session, flags, update)
    raise CommandError("the control plane ended the stream before the update was over")


def _say_how_to_come_back(session: Session, flags: RollingUpdateFlags, update: RollingUpdate) -> None:
    old, *_ = flags.words
    session.console.warn(f"The rolling update from {update.source} to {update.target.name} goes on without you.")
    session.console.warn("Repeat the command to follow it again.")
    if not flags.rollback:
        words = " ".join(flags.words if len(flags.words) > 1 else _rollback_words(flags, update, old))
        session.console.warn(f'"{PROGRAM} rolling-update {words} --rollback" turns it round.')


def _rollback_words(flags: RollingUpdateFlags, update: RollingUpdate, old: str) -> list[str]:
    return [old, update.target.name] if flags.filename else [old]


def _show_both(flags: RollingUpdateFlags, session: Session, update: RollingUpdate) -> None:
    """Print both sides of an update that was only tried."""
    form = flags.output
    sides = [None if update.old is None else update.old.parse(), update.new.parse()]
    for heading, side, name in zip(("Rolling from:", "To:"), sides, (update.source, update.target.name), strict=True):
        session.console.say(heading)
        if form in ("", "name") or side is None:
            session.console.say(name)
        else:
            session.console.write(render(document(side), form))


async def _answer(flags: RollingUpdateFlags, session: Session, end: RollingUpdateProgress) -> None:
    form = flags.output
    key = Key(REPLICATION_CONTROLLER, session.namespace, end.name)
    if form == "name":
        session.console.say(path_of(key.kind, key.name))
    elif form:
        session.console.write(render(document((await (await session.api()).get(key)).parse()), form))
    else:
        session.console.say(end.message)


ROLLING_UPDATE = Command(
    "OLD ([NEW] --image=IMAGE | -f FILE | [NEW] --rollback)",
    "Replace a ReplicationController by another, pod by pod; the control plane goes on when you leave.",
    RollingUpdateFlags,
    run,
)
