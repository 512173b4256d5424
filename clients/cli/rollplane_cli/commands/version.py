"""``rollplane version``."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version

from rollplane_cli.command import Command, output
from rollplane_cli.flags import Flags, switch
from rollplane_cli.session import Session


class VersionFlags(Flags):
    """Flags of ``version``."""

    client = switch("Only the client's version, which is all there is")
    output = output("json", "yaml")


async def run(flags: VersionFlags, session: Session) -> int:
    """Print the version of this program."""
    client = f"v{_installed()}"
    match flags.output:
        case "json":
            session.console.say(json.dumps({"clientVersion": {"gitVersion": client}}, indent=2))
        case "yaml":
            session.console.say(f"clientVersion:\n  gitVersion: {client}")
        case _:
            session.console.say(f"Client Version: {client}")
    return 0


def _installed() -> str:
    try:
        return version("rollplane")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0.0.0"


VERSION = Command(
    "",
    "Show the version of the client.",
    VersionFlags,
    run,
    is_offline=True,
)
