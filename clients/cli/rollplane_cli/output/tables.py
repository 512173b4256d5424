"""Tables on a terminal: which columns are shown, and rows that stay in line while more of them come."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.meta.v1 import ObjectMeta
from rollplane_cli.console import Console
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import Kind
from rollplane_printing.sentences import path_of
from rollplane_printing.table import Cell, Column, Table, labels_text, or_none
from rollplane_printing.text_table import TextTable


@frozen
class Style:
    """What of a table is shown.

    ``typed_names`` writes names as ``deployment.apps/web``, for when several kinds are shown together; ``labels`` are
    keys shown in columns of their own.
    """

    wide: bool = False
    headers: bool = True
    namespaces: bool = False
    typed_names: bool = False
    all_labels: bool = False
    labels: tuple[str, ...] = ()


class TablePrinter:
    """Prints tables of one kind, the header once, rows as they come."""

    def __init__(self, console: Console, kind: Kind, style: Style) -> None:
        self._console = console
        self._kind = kind
        self._style = style
        self._layout = TextTable()
        self._header_due = style.headers
        self._lines: list[list[str]] = []

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to print."""
        return not self._lines

    def show(self, table: Table) -> None:
        """Print the rows of ``table``; nothing at all when it has none."""
        self.take(table)
        self.print()

    def take(self, table: Table) -> None:
        """Keep what is to be printed of ``table``, and nothing else of it: objects are large."""
        shown = [at for at, column in enumerate(table.columns) if self._style.wide or not column.wide]
        columns = [table.columns[at] for at in shown]
        if self._header_due and table.rows:
            self._lines.append(self._header(columns))
            self._header_due = False
        self._lines += [
            self._cells(columns, [row.cells[at] for at in shown], row.object.metadata) for row in table.rows
        ]

    def print(self) -> None:
        """Print what was taken, in line."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._console.say_all(self._layout.lines(lines))

    def _header(self, columns: Sequence[Column]) -> list[str]:
        style = self._style
        before = ["NAMESPACE"] if self._shows_namespace else []
        own = [label.rpartition("/")[2].upper() for label in style.labels]
        return [*before, *[column.header for column in columns], *own, *(["LABELS"] if style.all_labels else [])]

    def _cells(self, columns: Sequence[Column], cells: Sequence[Cell], metadata: ObjectMeta) -> list[str]:
        """The cells of one line, each on one line, whatever is in it."""
        style = self._style
        shown = [" ".join(cell.splitlines()) if "\n" in cell else cell for cell in map(str, cells)]
        if style.typed_names:
            shown = [
                path_of(self._kind, cell) if column.format == "name" else cell
                for column, cell in zip(columns, shown, strict=True)
            ]
        if self._shows_namespace:
            shown.insert(0, metadata.namespace)
        shown += [or_none(metadata.labels.get(label, "")) for label in style.labels]
        return [*shown, labels_text(metadata.labels)] if style.all_labels else shown

    @property
    def _shows_namespace(self) -> bool:
        return self._style.namespaces and self._kind.namespaced
