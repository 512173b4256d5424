"""What a command is: how it is written, and what carries it out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rollplane_cli.flags import Arguments, Flag, FlagType, switch
from rollplane_cli.session import Session

Run = Callable[[Arguments, Session], Awaitable[int]]
"""Carries a command out and returns its exit code; raises CommandError or RollplaneError to fail with one line."""


@dataclass(frozen=True, slots=True)
class Command:
    """``usage`` goes behind the program's name; ``summary`` is one sentence."""

    usage: str
    summary: str
    run: Run
    flags: tuple[Flag, ...] = ()


GLOBAL_FLAGS = (
    Flag("server", "Address of the control plane, host:port; else $ROLLPLANE_SERVER, else 127.0.0.1:7070", "s"),
    Flag("namespace", "Namespace of the objects", "n"),
    switch("help", "Tell how the command is written", "h"),
)

SELECTOR = Flag("selector", "Only objects whose labels match (a=b, a!=b, a in (b,c), a, !a)", "l")
FIELD_SELECTOR = Flag("field-selector", "Only objects whose fields match (status.phase=Running)")
ALL_NAMESPACES = switch("all-namespaces", "In every namespace", "A")
FILENAME = Flag("filename", "File, folder or - for standard input; may be repeated", "f", FlagType.TEXTS, ())
RECURSIVE = switch("recursive", "Also take the folders inside folders", "R")
DRY_RUN = Flag(
    "dry-run",
    "client: send nothing; server: let the server check without storing",
    default="none",
    bare="client",
    choices=("none", "client", "server"),
)
TIMEOUT = Flag("timeout", "How long to wait, such as 30s or 5m; 0s is for ever", type=FlagType.DURATION, default=0.0)


def output_flag(*formats: str) -> Flag:
    """Return ``-o`` for a command that knows ``formats``."""
    return Flag("output", f"How to print: {', '.join(formats)}", "o", choices=formats)
