"""Pieces that descriptions of all kinds share: metadata by its titles, times, tables below a title."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from rollplane.meta.v1 import MicroTime, ObjectMeta, Time
from rollplane_machinery.metadata import controller_of
from rollplane_machinery.times import to_seconds
from rollplane_machinery.well_known import LAST_APPLIED
from rollplane_printing.template_text import pairs


def head(metadata: ObjectMeta, *titles: str) -> list[str]:
    """Return the metadata named by ``titles``, in their order; what an object need not have is left out."""
    return [line for title in titles for line in _HEADS[title](metadata)]


def _creation(metadata: ObjectMeta) -> list[str]:
    return [f"CreationTimestamp:\t{date_text(metadata.creation_timestamp)}"]


def _annotations(metadata: ObjectMeta) -> list[str]:
    shown = {name: value for name, value in metadata.annotations.items() if name != LAST_APPLIED}
    return pairs("Annotations", shown, ": ")


def _controller(metadata: ObjectMeta) -> list[str]:
    owner = controller_of(metadata)
    return [f"Controlled By:\t{owner.kind}/{owner.name}"] if owner is not None else []


_HEADS: Mapping[str, Callable[[ObjectMeta], list[str]]] = MappingProxyType(
    {
        "Name": lambda metadata: [f"Name:\t{metadata.name}"],
        "Namespace": lambda metadata: [f"Namespace:\t{metadata.namespace}"] if metadata.namespace else [],
        "CreationTimestamp": _creation,
        "Labels": lambda metadata: pairs("Labels", metadata.labels, "="),
        "Annotations": _annotations,
        "Controlled By": _controller,
    }
)


def date_text(time: Time | MicroTime) -> str:
    """Return ``Sun, 15 Jun 2025 15:01:40 +0000``, or ``<unset>``."""
    seconds = to_seconds(time)
    return datetime.fromtimestamp(seconds, UTC).strftime("%a, %d %b %Y %H:%M:%S %z") if seconds else "<unset>"


def grid(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table below a title: the column names, dashes (never less than four), the rows."""
    lines = [titles, ["-" * max(4, len(title)) for title in titles], *rows]
    return ["  " + "\t".join(cells) for cells in lines]
