"""``rollplane rolling-update``: replace one ReplicationController by another, pod by pod.

The control plane does the work. This command starts it, or takes up what is under way, and tells what it does;
Ctrl-C leaves it going.
"""

from __future__ import annotations

from collections.abc import Iterator

from rollplane.core.v1 import ReplicationController
from rollplane_cli.command import DRY_RUN, FILENAME, Command, output_flag
from rollplane_cli.failures import FAILED, CommandError
from rollplane_cli.files import place, read_files
from rollplane_cli.flags import Arguments, Flag, FlagType, switch
from rollplane_cli.following import follow
from rollplane_cli.help_text import PROGRAM
from rollplane_cli.output.answers import write_options
from rollplane_cli.output.documents import document, render
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
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
from rollplane_machinery.rolling_update import UpdatePace
from rollplane_printing.sentences import path_of


async def run(arguments: Arguments, session: Session) -> int:
    """Start, take up or turn round an update, and follow it to its end."""
    _check(arguments)
    is_dry = arguments.text("dry-run") != "none"
    with told_as_own():
        update = await _begin(arguments, session, is_dry=is_dry)
        if is_dry:
            _show_both(arguments, session, update)
            return 0
        end = await _follow(session, arguments, update)
    if end.state is RolloutState.FAILED:
        session.console.warn(f"error: {end.message}")
        return FAILED
    await _answer(arguments, session, end)
    return 0


def _check(arguments: Arguments) -> None:
    """Raise CommandError with a line for each argument that is wrong."""
    problems = list(_problems(arguments))
    if problems:
        raise CommandError("\n".join(f"error: {problem}" for problem in problems), whole=True)


def _problems(arguments: Arguments) -> Iterator[str]:
    files, image = arguments.texts("filename"), arguments.text("image")
    if not arguments.text("deployment-label-key"):
        yield "--deployment-label-key can not be empty"
    if len(files) > 1:
        yield "May only specify a single filename for new controller"
    if arguments.boolean("rollback"):
        if files or image:
            yield "Don't specify --filename or --image on rollback"
    elif not files and not image:
        yield "Must specify --filename or --image for new controller"
    elif files and image:
        yield "--filename and --image can not both be specified"
    if not arguments.words:
        yield "Must specify the controller to update"
    elif len(arguments.words) > 2:
        yield "May only specify the controller to update and its successor"


# Starting


async def _begin(arguments: Arguments, session: Session, *, is_dry: bool) -> RollingUpdate:
    api = await session.api()
    old, *rest = arguments.words
    key, new_name = Key(REPLICATION_CONTROLLER, session.namespace, old), rest[0] if rest else ""
    options = WriteOptions(write_options(arguments, "rolling-update").field_manager, dry_run=is_dry)
    if arguments.boolean("rollback"):
        return await api.roll_back_rolling_update(RollBackRollingUpdate(key, new_name, _pace(arguments), options))
    new = _from_file(session, arguments) if arguments.texts("filename") else None
    request = StartRollingUpdate(
        key,
        new,
        new_name,
        arguments.text("image"),
        arguments.text("container"),
        arguments.text("image-pull-policy"),
        arguments.text("deployment-label-key"),
        _pace(arguments),
        options,
    )
    return await api.start_rolling_update(request)


def _pace(arguments: Arguments) -> UpdatePace:
    return UpdatePace(*(arguments.seconds(name) for name in ("update-period", "poll-interval", "timeout")))


def _from_file(session: Session, arguments: Arguments) -> Encoded:
    """Return the one ReplicationController in the file; raises CommandError for anything else."""
    (filename,) = arguments.texts("filename")
    manifests = read_files(session, arguments)
    if len(manifests) > 1:
        raise CommandError(f"{filename} specifies multiple items: a rolling update takes one")
    message = manifests[0].object
    if not isinstance(message, ReplicationController):
        raise CommandError(f"{filename} does not specify a valid ReplicationController")
    place(session, message)
    return Encoded.of(message)


# Telling


async def _follow(session: Session, arguments: Arguments, update: RollingUpdate) -> RollingUpdateProgress:
    """Tell every step until the last one, and return that."""
    is_quiet = bool(arguments.text("output"))
    if not is_quiet:
        for message in update.messages:
            session.console.say(message)
    is_over = False
    try:
        async with follow(session, update) as steps:
            async for step in steps:
                if step.state is not RolloutState.PROGRESSING:
                    is_over = True
                    return step
                if not is_quiet:
                    session.console.say(step.message)
    finally:
        if not is_over:
            _say_how_to_come_back(session, arguments, update)
    raise CommandError("the control plane ended the stream before the update was over")


def _say_how_to_come_back(session: Session, arguments: Arguments, update: RollingUpdate) -> None:
    old, *_ = arguments.words
    session.console.warn(f"The rolling update from {update.source} to {update.target.name} goes on without you.")
    session.console.warn("Repeat the command to follow it again.")
    if not arguments.boolean("rollback"):
        words = " ".join(arguments.words if len(arguments.words) > 1 else _rollback_words(arguments, update, old))
        session.console.warn(f'"{PROGRAM} rolling-update {words} --rollback" turns it round.')


def _rollback_words(arguments: Arguments, update: RollingUpdate, old: str) -> list[str]:
    return [old, update.target.name] if arguments.texts("filename") else [old]


def _show_both(arguments: Arguments, session: Session, update: RollingUpdate) -> None:
    """Print both sides of an update that was only tried."""
    form = arguments.text("output")
    sides = [None if update.old is None else update.old.parse(), update.new.parse()]
    for heading, side, name in zip(("Rolling from:", "To:"), sides, (update.source, update.target.name), strict=True):
        session.console.say(heading)
        if form in ("", "name") or side is None:
            session.console.say(name)
        else:
            session.console.write(render(document(side), form))


async def _answer(arguments: Arguments, session: Session, end: RollingUpdateProgress) -> None:
    form = arguments.text("output")
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
    run,
    (
        Flag("update-period", "How long to wait between pods", type=FlagType.DURATION, default=60.0),
        Flag("poll-interval", "How long a resize is waited for at least", type=FlagType.DURATION, default=3.0),
        Flag(
            "timeout", "How long to wait without any progress before giving up", type=FlagType.DURATION, default=300.0
        ),
        FILENAME,
        Flag("image", "Image of the new controller, a copy of the old one"),
        Flag("container", "Container that gets the image, where there are several"),
        Flag(
            "image-pull-policy",
            "New image pull policy; needed where the image stays the same",
            choices=("Always", "Never", "IfNotPresent"),
        ),
        Flag("deployment-label-key", "Label that tells the pods of the two controllers apart", default="deployment"),
        switch("rollback", "Turn an unfinished update round"),
        switch("validate", "Read the file strictly; here it always is", default=True),
        Flag("schema-cache", "Taken for the sake of old scripts; there is no schema to keep"),
        DRY_RUN,
        output_flag("name", "yaml", "json"),
    ),
)
