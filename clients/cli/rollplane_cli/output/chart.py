"""A picture of a rollout: how many pods of each version there were, and how many were ready, over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rollplane_cli.failures import CommandError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".svg", ".png")
RIGHT_EDGE = 0.995
COLOURS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3", "#937860", "#da8bc3", "#8c8c8c")


@dataclass(frozen=True, slots=True)
class Count:
    """Pods of one version at one moment; ``at`` is seconds since the recording began."""

    at: float
    total: int
    ready: int


@dataclass(slots=True)
class Recording:
    """What was seen of one workload: its versions in the order they appeared, and the bounds that held."""

    title: str
    desired: int
    min_available: int | None = None
    max_total: int | None = None
    versions: dict[str, list[Count]] = field(default_factory=dict)
    end: float = 0.0

    def note(self, version: str, count: Count) -> None:
        """Add one count; only changes are kept."""
        counts = self.versions.setdefault(version, [])
        self.end = max(self.end, count.at)
        if not counts or (counts[-1].total, counts[-1].ready) != (count.total, count.ready):
            counts.append(count)


def check_path(text: str) -> Path:
    """Return where to draw; raises CommandError when nothing can be drawn there."""
    path = Path(text)
    if path.suffix not in SUFFIXES:
        raise CommandError(f"{text!r} must end in {' or '.join(SUFFIXES)}")
    if find_spec("matplotlib") is None:
        raise CommandError("drawing needs matplotlib: pip install 'rollplane[plot]'")
    try:
        path.open("ab").close()
    except OSError as exc:
        raise CommandError(f"cannot draw to {path}: {exc.strerror}") from exc
    return path


def draw(recording: Recording, path: Path) -> None:
    """Draw ``recording`` to ``path``, in the format its suffix names."""
    # Imported late: it takes longer than everything else the command does.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    for colour, (version, counts) in zip(COLOURS * 8, recording.versions.items(), strict=False):
        times = [count.at for count in counts] + [recording.end]
        total = [count.total for count in counts] + [counts[-1].total]
        ready = [count.ready for count in counts] + [counts[-1].ready]
        axes.fill_between(times, total, step="post", color=colour, alpha=0.18, linewidth=0)
        axes.step(times, ready, where="post", color=colour, linewidth=2, label=version)
    _draw_sum(axes, recording)
    _draw_bounds(axes, recording)
    axes.set(title=recording.title, xlabel="seconds", ylabel="pods", xlim=(0, recording.end or 1))
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.25)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, title="ready (shaded: all)")
    figure.savefig(path, dpi=150)


def _draw_sum(axes: Axes, recording: Recording) -> None:
    """Draw how many pods were ready in all: what a rolling update keeps up."""
    moments = sorted({count.at for counts in recording.versions.values() for count in counts} | {recording.end})
    sums = [sum(_ready_at(counts, moment) for counts in recording.versions.values()) for moment in moments]
    axes.step(moments, sums, where="post", color="black", linewidth=1, alpha=0.7, label="ready, all versions")


def _ready_at(counts: Sequence[Count], moment: float) -> int:
    return next((count.ready for count in reversed(counts) if count.at <= moment), 0)


def _draw_bounds(axes: Axes, recording: Recording) -> None:
    bounds = {"at most": recording.max_total, "at least": recording.min_available}
    for name, value in bounds.items():
        if value is not None:
            axes.axhline(value, color="black", linestyle=":", linewidth=1, alpha=0.6)
            at = (RIGHT_EDGE, value)
            coordinates = ("axes fraction", "data")
            axes.annotate(f"{name} {value}", at, xycoords=coordinates, ha="right", va="bottom", fontsize=8)
