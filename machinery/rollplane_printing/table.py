"""Tables: columns of a kind, and the cells of its objects.

They have the parts of a ``meta.k8s.io/v1`` Table, so that a REST gateway can hand them to the real kubectl.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rollplane.autoscaling.v1 import Scale
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import ApiObject

Cell = str | int | float | bool | None
"""Numbers stay numbers, since a Table in JSON tells them from text; None is a cell with nothing in it."""

NONE = "<none>"
"""What an empty cell says where kubectl says so."""


@frozen
class Column:
    """A column as kubectl knows it: ``wide`` ones are shown by ``-o wide`` only (priority 1)."""

    name: str
    type: str = "string"
    format: str = ""
    wide: bool = False
    description: str = ""

    @property
    def priority(self) -> int:
        return int(self.wide)

    @property
    def header(self) -> str:
        return self.name.upper()


class Row(NamedTuple):
    """The cells of one object, a cell for each column, and the object itself.

    ``completed`` is the reason (Succeeded, Failed) of a pod that has ended, which a Table tells as a row condition.
    """

    cells: tuple[Cell, ...]
    object: ApiObject | Scale
    completed: str = ""


@frozen
class Table:
    """Objects of one kind, in the order they were given."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


Cells = Callable[[Any, float], Sequence[Cell]]
"""Returns the cells of one message as of ``now``, seconds since the epoch."""


@frozen
class Layout:
    """How objects of a kind are shown: the columns, and the function that fills them."""

    columns: tuple[Column, ...]
    cells: Cells


NAME = Column("Name", format="name", description="Unique within the namespace.")
AGE = Column("Age", description="Time since the object was created.")


def text(name: str, description: str = "", *, wide: bool = False) -> Column:
    """Return a column that says it holds text; Kubernetes has numbers in a few of those."""
    return Column(name, wide=wide, description=description)


def number(name: str, description: str = "") -> Column:
    """Return a column of whole numbers."""
    return Column(name, "integer", description=description)


def wide(*names: str) -> tuple[Column, ...]:
    """Return columns of text that ``-o wide`` adds."""
    return tuple(Column(name, wide=True) for name in names)


def or_none(value: str) -> str:
    """Return ``value``, or ``<none>`` for an empty one."""
    return value or NONE


def joined(values: Sequence[str]) -> str:
    """Return ``values`` joined by commas, or ``<none>``."""
    return or_none(",".join(values))


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels as ``--show-labels`` does: ``a=1,b=2`` by name, or ``<none>``."""
    return joined([f"{name}={labels[name]}" for name in sorted(labels)])
