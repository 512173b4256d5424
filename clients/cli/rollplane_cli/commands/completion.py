"""``rollplane completion``, and the hidden ``rollplane __complete`` that its scripts ask for types and names."""

from __future__ import annotations

import re

from rollplane_cli.command import Command
from rollplane_cli.completion.places import Place, place_at, value_given
from rollplane_cli.completion.scripts import SCRIPTS, bash_script
from rollplane_cli.failures import UsageError
from rollplane_cli.flags import Flags
from rollplane_cli.reading import key_of, list_all
from rollplane_cli.session import Session
from rollplane_machinery.api import ListQuery

_SHELLS = ("bash", "zsh", "fish")

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9./:_-]*")
"""What names look like. Shells expand what they are offered, so nothing else is, whatever a server answers."""


async def run(flags: Flags, session: Session) -> int:
    """Print the script that makes a shell complete command lines."""
    if not flags.words:
        raise UsageError(f"Shell not specified. Name one: {', '.join(_SHELLS)}")
    if len(flags.words) > 1:
        raise UsageError("Too many arguments. Expected only the shell type.")
    if flags.words[0] not in _SHELLS:
        raise UsageError(f'Unsupported shell type "{flags.words[0]}".')
    (shell,) = flags.words
    session.console.write(bash_script() if shell == "bash" else SCRIPTS[shell])
    return 0


async def complete(flags: Flags, session: Session) -> int:
    """Print what may stand at the end of the words, one candidate a line."""
    place = place_at(flags.words)
    names = await _names(flags, session, place) if place.names_of else []
    for candidate in dict.fromkeys((*place.words, *names)):
        if candidate.startswith(place.current):
            session.console.say(candidate)
    return 0


async def _names(flags: Flags, session: Session, place: Place) -> list[str]:
    session.server = value_given(flags.words, "server") or session.server
    namespace = value_given(flags.words, "namespace") or session.namespace
    found = []
    for kind in place.names_of:
        listed = await list_all(await session.api(), ListQuery(kind, namespace if kind.namespaced else ""))
        found += [key_of(each).name for each in listed.objects]
    return [f"{place.prefix}{name}" for name in found if name not in place.taken and _PLAIN.fullmatch(name)]


COMPLETION = Command(
    "(bash | zsh | fish)", "Print a script that makes a shell complete command lines.", Flags, run, is_offline=True
)
COMPLETE = Command("-- WORD…", "Print what may stand at the end of the words.", Flags, complete)
