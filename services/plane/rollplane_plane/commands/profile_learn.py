"""``rollplane profile learn``: a simulation profile from the pods and Events of a real cluster."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane_cli.command import Command
from rollplane_cli.failures import UsageError
from rollplane_cli.files import STDIN, contents
from rollplane_cli.flags import Flags, switch, text, texts
from rollplane_cli.session import Session
from rollplane_kubelet_sim.learning.anonymous import Aliases
from rollplane_kubelet_sim.learning.documents import Records, read_records
from rollplane_kubelet_sim.learning.profile import learn


class LearnFlags(Flags):
    """Flags of ``profile learn``."""

    filename = texts(
        "Output of kubectl get pods,events,nodes -A -o json, or - for standard input; may be repeated", "f"
    )
    pool_label = text("Label of nodes that says which are alike; else the one of the provider is looked for")
    anonymize = switch("Replace the names of images and node pools; which is which is told beside the answer")


async def run(flags: LearnFlags, session: Session) -> int:
    """Print the profile."""
    if flags.words:
        raise UsageError(f'unknown argument "{flags.words[0]}": give each file a -f of its own')
    aliases = Aliases() if flags.anonymize else None
    session.console.write(
        learn(_read(flags.filename or (STDIN,), session), pool_label=flags.pool_label, aliases=aliases)
    )
    for name, alias in aliases.names.items() if aliases else ():
        session.console.warn(f"{alias}: {name}")
    return 0


def _read(filenames: Sequence[str], session: Session) -> Records:
    """Read all files as one."""
    together = Records()
    for source, content in contents(session, filenames):
        text = content.decode(errors="replace") if isinstance(content, bytes) else content
        records = read_records(text, source)
        together.pods += records.pods
        together.events += records.events
        together.nodes += records.nodes
    return together


LEARN = Command(
    "[-f FILE]... [--pool-label LABEL] [--anonymize] > profile.yaml",
    "Learn from a cluster's pods, Events and nodes how long pods take to pull, start, become ready and end.",
    LearnFlags,
    run,
    is_offline=True,
)
