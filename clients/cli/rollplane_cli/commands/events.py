"""``rollplane events``."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.core.v1 import Event
from rollplane_cli.command import Command, EverywhereFlags, output
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import switch, text, texts
from rollplane_cli.output.documents import document, list_document, render
from rollplane_cli.reading import list_all
from rollplane_cli.session import Session
from rollplane_cli.targets import find_targets
from rollplane_client.watching import resumed_watch
from rollplane_machinery.api import EventType, ListQuery, WatchFilter, WatchQuery
from rollplane_machinery.kinds import EVENT, Encoded
from rollplane_printing.event_text import EVENT_TITLES, event_cells, in_order
from rollplane_printing.sentences import path_of
from rollplane_printing.text_table import TextTable

_TYPES = {"normal": "Normal", "warning": "Warning"}


class EventsFlags(EverywhereFlags):
    """Flags of ``events``."""

    for_ = text("Only events about this object")
    types = texts("Only events of these types: Normal, Warning")
    watch = switch("After what has happened, show what happens", "w")
    output = output("yaml", "json", "name")
    no_headers = switch("Leave the header out")


async def run(flags: EventsFlags, session: Session) -> int:
    """Show events by the time they last happened, and with ``--watch`` those that follow."""
    if flags.words:
        raise CommandError("events takes no words; name an object by --for TYPE/NAME")
    types, fields = _types(flags), await _fields(flags, session)
    namespace = "" if flags.all_namespaces else session.namespace
    api = await session.api()
    listed = await list_all(api, ListQuery(EVENT, namespace, field_selector=fields))
    found = in_order(_of_types(listed.objects, types))
    shower = _Shower(flags, session)
    if not flags.watch:
        shower.show(found)
        return 0
    shower.add(found)
    watched = WatchFilter(EVENT, (namespace,) if namespace else (), field_selector=fields)
    async with resumed_watch(api, WatchQuery((watched,), listed.revision), session.clock) as batches:
        async for batch in batches:
            # An event that goes has merely grown old: nothing has happened.
            changed = [each.object for each in batch.events if each.type is not EventType.DELETED]
            shower.add(_of_types(changed, types))
    return 0


def _types(flags: EventsFlags) -> frozenset[str]:
    """The types asked for, empty for all."""
    given = flags.types
    if any(each.lower() not in _TYPES for each in given):
        raise CommandError("valid --types are Normal or Warning")
    return frozenset(_TYPES[each.lower()] for each in given)


async def _fields(flags: EventsFlags, session: Session) -> str:
    """The selector of the events about one object, empty for all."""
    word = flags.for_
    if not word:
        return ""
    if word.count("/") != 1:
        raise CommandError("--for must be in resource/name form")
    (target,) = (await find_targets(session, [word])).items
    return f"involvedObject.kind={target.kind.name},involvedObject.name={target.name}"


def _of_types(objects: Sequence[Encoded], types: frozenset[str]) -> list[Event]:
    events = [event for each in objects if isinstance(event := each.parse(), Event)]
    return [event for event in events if not types or event.type in types]


class _Shower:
    """Prints events as they come, in the form asked for; the header once."""

    def __init__(self, flags: EventsFlags, session: Session) -> None:
        self._session = session
        self._form = flags.output
        self._everywhere = flags.all_namespaces
        self._layout = TextTable()
        self._header_due = not flags.no_headers

    def show(self, events: Sequence[Event]) -> None:
        """Print all there are, or that there are none."""
        if self._form in ("yaml", "json"):
            self._session.console.write(render(list_document(events), self._form))
        elif events or self._form:
            self.add(events)
        else:
            where = "" if self._everywhere else f" in {self._session.namespace} namespace"
            self._session.console.warn(f"No events found{where}.")

    def add(self, events: Sequence[Event]) -> None:
        """Print some that have happened."""
        if self._form in ("yaml", "json"):
            separator = "---\n" if self._form == "yaml" else ""
            for event in events:
                self._session.console.write(separator + render(document(event), self._form))
        elif self._form == "name":
            self._session.console.say_all(path_of(EVENT, event.metadata.name) for event in events)
        else:
            self._add_rows(events)

    def _add_rows(self, events: Sequence[Event]) -> None:
        now = self._session.clock.now()
        rows = [self._cells(event.metadata.namespace, event_cells(event, now)) for event in events]
        if rows and self._header_due:
            rows.insert(0, self._cells("NAMESPACE", list(EVENT_TITLES)))
            self._header_due = False
        self._session.console.say_all(self._layout.lines(rows))

    def _cells(self, namespace: str, cells: list[str]) -> list[str]:
        return [namespace, *cells] if self._everywhere else cells


EVENTS = Command(
    "[--for TYPE/NAME]",
    "Show what happened, the latest last.",
    EventsFlags,
    run,
)
