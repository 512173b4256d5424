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
    """The command was not written correctly; printed with a pointer to the help of ``command``, or of the one run."""

    def __init__(self, message: str, *, command: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.command = command

    @property
    def hint(self) -> str:
        """The end of the line that points to the help."""
        return "-h' for help and examples"


class FlagError(UsageError):
    """A flag is unknown or has a wrong value."""

    @property
    def hint(self) -> str:
        return "--help' for usage."


NOTHING_NAMED = """\
You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""
"""What kubectl says when neither words nor files tell what a command is about."""
