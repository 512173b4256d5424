"""``rollplane kubeconfig``: how kubectl reaches the plane that runs on a data folder."""

from __future__ import annotations

from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError
from rollplane_cli.session import Session
from rollplane_plane.commands.folder import DataFlags, folder_of
from rollplane_plane.kubeconfig_file import NAME
from rollplane_service.presence import plane_on


class KubeconfigFlags(DataFlags):
    """Flags of ``kubeconfig``."""


async def run(flags: KubeconfigFlags, session: Session) -> int:
    """Print the kubeconfig of the plane; exit code 1 when none runs."""
    data = folder_of(flags)
    path = data / NAME
    if plane_on(data) is None or not path.exists():
        raise CommandError(f"no plane runs on {data}")
    session.console.say(path.read_text().rstrip())
    return 0


KUBECONFIG = Command(
    "[--data FOLDER]", "Print the kubeconfig of the plane that runs on a data folder.", KubeconfigFlags, run
)
