"""What a command is: how it is written, and what carries it out; and the flags that several commands share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from rollplane_cli.failures import FAILED
from rollplane_cli.flags import Flag, Flags, seconds, switch, text, texts
from rollplane_cli.session import Session
from rollplane_machinery.frozen import frozen

F = TypeVar("F", bound=Flags)


@frozen
class Command(Generic[F]):
    """``usage`` goes behind the program's name; ``summary`` is one sentence; ``flags`` reads the rest of the line.

    ``run`` carries it out and returns its exit code; raises CommandError or RollplaneError to fail with one line. What
    ``is_offline`` waits for nothing. What ``hands_on`` gives the line to another program, unread from the first word
    or flag that is not its own. ``failure`` is the exit code when it could not be carried out, for commands whose
    answer is an exit code, too.
    """

    usage: str
    summary: str
    flags: type[F]
    run: Callable[[F, Session], Awaitable[int]]
    is_offline: bool = False
    hands_on: bool = False
    failure: int = FAILED


def output(*formats: str) -> Flag[str]:
    """Return ``-o`` for a command that knows ``formats``."""
    return text(f"How to print: {', '.join(formats)}", "o", choices=formats)


class FileFlags(Flags):
    """Objects from files."""

    filename = texts("File, folder or - for standard input; may be repeated", "f")
    recursive = switch("Also take the folders inside folders", "R")


class SelectorFlags(Flags):
    """Objects by their labels."""

    selector = text("Only objects whose labels match (a=b, a!=b, a in (b,c), a, !a)", "l")


class EverywhereFlags(Flags):
    """Objects wherever they are."""

    all_namespaces = switch("In every namespace", "A")


class ListingFlags(SelectorFlags, EverywhereFlags):
    """Objects as lists select them."""

    field_selector = text("Only objects whose fields match (status.phase=Running)")


class ChoosingFlags(FileFlags, SelectorFlags):
    """Objects that commands act on."""

    all = switch("All objects of the kinds named")


class DryRunFlags(Flags):
    """Trying a write without storing it."""

    dry_run = text(
        "client: send nothing; server: let the server check without storing",
        default="none",
        bare="client",
        choices=("none", "client", "server"),
    )


class WriteFlags(DryRunFlags):
    """How a write is made and answered."""

    output = output("name", "yaml", "json")


class RecordFlags(Flags):
    """Writing the command down, for the history."""

    record = switch(
        "Write this command into the object's change-cause, for the history",
        deprecated="--record will be removed in the future",
    )


class WaitFlags(Flags):
    """How long to wait."""

    timeout = seconds("How long to wait, such as 30s or 5m; 0s is for ever")
