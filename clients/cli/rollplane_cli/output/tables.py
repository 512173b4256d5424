"""Tables on a terminal: which columns are shown, and rows that stay in line while more of them come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollplane_cli.console import Console
from rollplane_machinery.kinds import Kind
from rollplane_printing.sentences import path_of
from rollplane_printing.table import Column, Row, Table, labels_text, or_none
from rollplane_printing.text_table import TextTable


@dataclass(frozen=True, slots=True)
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

    def show(self, table: Table) -> None:
        """Print the rows of ``table``; nothing at all when it has none."""
        if not table.rows:
            return
        lines = [self._cells(table.columns, row) for row in table.rows]
        if self._header_due:
            lines.insert(0, self._header(table.columns))
            self._header_due = False
        for line in self._layout.lines(lines):
            self._console.say(line)

    def _header(self, columns: Sequence[Column]) -> list[str]:
        style = self._style
        before = ["NAMESPACE"] if self._shows_namespace else []
        shown = [column.header for column in columns if style.wide or not column.wide]
        own = [label.rpartition("/")[2].upper() for label in style.labels]
        return [*before, *shown, *own, *(["LABELS"] if style.all_labels else [])]

    def _cells(self, columns: Sequence[Column], row: Row) -> list[str]:
        style, metadata = self._style, row.object.metadata
        before = [metadata.namespace] if self._shows_namespace else []
        shown = [
            self._cell(column, str(cell))
            for column, cell in zip(columns, row.cells, strict=True)
            if style.wide or not column.wide
        ]
        own = [or_none(metadata.labels.get(label, "")) for label in style.labels]
        return [*before, *shown, *own, *([labels_text(metadata.labels)] if style.all_labels else [])]

    def _cell(self, column: Column, text: str) -> str:
        """One cell on one line, whatever is in it."""
        if column.format == "name" and self._style.typed_names:
            return path_of(self._kind, text)
        return " ".join(text.splitlines()) if "\n" in text else text

    @property
    def _shows_namespace(self) -> bool:
        return self._style.namespaces and self._kind.namespaced
