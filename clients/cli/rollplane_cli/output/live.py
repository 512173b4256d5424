"""A rollout drawn live on a terminal: a bar for each count, the sentence, and the pods in the way."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rollplane_cli.console import Console, escaped
from rollplane_machinery.api import RolloutState, RolloutStatus
from rollplane_printing.diagnosis import Diagnosis
from rollplane_printing.pod_status import pod_status

_BAR_CELLS = 40
_SHOWN_PODS = 5


class LivePicture:
    """Redraws in place within its context; the last picture stays."""

    def __init__(self, console: Console, title: str) -> None:
        self._title = title
        self._status: RolloutStatus | None = None
        self._diagnosis: Diagnosis | None = None
        self._live = Live(console=RichConsole(file=console.out), refresh_per_second=8)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def look(self, status: RolloutStatus) -> None:
        self._status = status
        self._live.update(self._picture(), refresh=status.state is not RolloutState.PROGRESSING)

    def explain(self, diagnosis: Diagnosis) -> None:
        self._diagnosis = diagnosis
        self._live.update(self._picture())

    def _picture(self) -> RenderableType:
        parts: list[RenderableType] = [Text(escaped(self._title), style="bold")]
        if self._status is not None:
            parts += [bars(self._status), Text(escaped(self._status.message))]
        is_over = self._status is not None and self._status.state is RolloutState.DONE
        if self._diagnosis is not None and self._diagnosis.pods and not is_over:
            parts += [Text(escaped(self._diagnosis.sentence), style="yellow"), _pods(self._diagnosis)]
        return Group(*parts)


def bars(status: RolloutStatus) -> Table:
    """Return a bar for each count of the rollout, and how many old pods are left."""
    grid = Table.grid(padding=(0, 2))
    for name, count in (("updated", status.updated), ("ready", status.ready), ("available", status.available)):
        grid.add_row(f"  {name}", _bar(count, status.desired), f"{count}/{status.desired}")
    if status.total > status.updated:
        grid.add_row("  old", "", str(status.total - status.updated))
    return grid


def _bar(count: int, desired: int) -> ProgressBar:
    """A full bar is green; rich's own colours turn grey on terminals that have sixteen."""
    total = max(desired, 1)
    completed = total if desired == 0 else min(count, total)
    return ProgressBar(
        total, completed, width=_BAR_CELLS, style="bright_black", complete_style="cyan", finished_style="green"
    )


def _pods(diagnosis: Diagnosis) -> Table:
    grid = Table.grid(padding=(0, 2))
    for pod in diagnosis.pods[:_SHOWN_PODS]:
        grid.add_row(f"  {pod.metadata.name}", pod_status(pod), pod.spec.node_name)
    if len(diagnosis.pods) > _SHOWN_PODS:
        grid.add_row(f"  and {len(diagnosis.pods) - _SHOWN_PODS} more", "", "")
    return grid
