"""What ``rollout status`` shows while it waits: kubectl's lines, or on a terminal a picture that moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Protocol

from rollplane_cli.console import Console
from rollplane_machinery.api import RolloutState, RolloutStatus
from rollplane_printing.diagnosis import Diagnosis


class Progress(Protocol):
    """Shows a rollout while it goes on."""

    def look(self, status: RolloutStatus) -> None:
        """Show where the rollout stands."""
        ...

    def explain(self, diagnosis: Diagnosis) -> None:
        """Show what it waits for."""
        ...


class Lines:
    """A line for each look, in kubectl's words; like kubectl, also where it says the same as the last.

    Failures are left to whoever ends the command.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def look(self, status: RolloutStatus) -> None:
        if status.state is not RolloutState.FAILED:
            self._console.say(status.message)

    def explain(self, diagnosis: Diagnosis) -> None:
        """Lines say nothing but where the rollout stands."""


class Silence:
    """Nothing, for ``-o json``, which speaks once at the end."""

    def look(self, status: RolloutStatus) -> None: ...

    def explain(self, diagnosis: Diagnosis) -> None: ...


@contextmanager
def progress_on(console: Console, form: str, title: str) -> Iterator[Progress]:
    """Show progress within the context: nothing before a document, a live picture on a terminal, else lines."""
    if form:
        yield Silence()
    elif console.is_terminal and find_spec("rich") is not None:
        # Imported late: only a terminal has use for it, and `pip install rollplane` alone does not bring it.
        from rollplane_cli.output.live import LivePicture

        with LivePicture(console, title) as picture:
            yield picture
    else:
        yield Lines(console)
