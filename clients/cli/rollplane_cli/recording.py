"""``--record``: the command as the history shows it.

Source: kubernetes/cli-runtime pkg/genericclioptions/record_flags.go; the words come first, then the flags as given.
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping

from rollplane_cli.command import RecordFlags
from rollplane_cli.help_text import PROGRAM
from rollplane_cli.session import Session
from rollplane_machinery.api import Key, Patch, PatchType, WriteOptions
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.well_known import CHANGE_CAUSE


def change_cause(command: str, flags: RecordFlags) -> str | None:
    """Return what ``--record`` writes down of the ``command``, None when it was not given."""
    if not flags.record:
        return None
    given = [f"--{name}={value}" for name, value in flags.given]
    return " ".join([PROGRAM, command, *flags.words, *given])


def note(annotations: MutableMapping[str, str], command: str, flags: RecordFlags) -> None:
    """Write the command into ``annotations``, if that is asked for."""
    if (cause := change_cause(command, flags)) is not None:
        annotations[CHANGE_CAUSE] = cause


async def record(
    session: Session, key: Key, message: ApiObject, command: str, flags: RecordFlags, options: WriteOptions
) -> ApiObject:
    """Write the command onto an object that was changed, if that is asked for, and return the object as it is then.

    As for kubectl that is a write of its own, since the change may have been one of a subresource.
    """
    cause = change_cause(command, flags)
    if cause is None:
        return message
    patch = json.dumps({"metadata": {"annotations": {CHANGE_CAUSE: cause}}}).encode()
    result = await (await session.api()).write(Patch(key, PatchType.MERGE, patch, options=options))
    return result.object.parse() if result.object else message
