"""What ends a command: mistakes of the caller, told in kubectl's words."""

from __future__ import annotations

FAILED = 1
"""The exit code of everything that did not work."""

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells expect it."""


class CommandError(Exception):
    """What was asked for cannot be done; printed as ``error: <message>``, or as it is when ``whole``."""

    def __init__(self, message: str, *, whole: bool = False) -> None:
        super().__init__(message)
        self.line = message if whole else f"error: {message}"


class UsageError(CommandError):
    """The command was not written correctly; printed with a pointer to the help of the command, if one was found."""

    def __init__(self, message: str, *, command: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.command = command
