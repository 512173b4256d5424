"""``rollplane get``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rollplane_cli.choosing import fetch, fetch_files, keys_of, refuse_selector
from rollplane_cli.command import Command, FileFlags, ListingFlags, output
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.flags import switch, texts
from rollplane_cli.output.documents import document, list_document, render
from rollplane_cli.output.tables import Style, TablePrinter
from rollplane_cli.reading import list_all, read_pages
from rollplane_cli.session import Session
from rollplane_cli.targets import Targets, find_targets
from rollplane_client.watching import resumed_watch
from rollplane_machinery.api import ListQuery, WatchFilter, WatchQuery
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import ApiObject, Encoded, Kind
from rollplane_printing.sentences import path_of
from rollplane_printing.tables import table_of


class GetFlags(ListingFlags, FileFlags):
    """Flags of ``get``."""

    output = output("wide", "yaml", "json", "name")
    watch = switch("After what is there now, show every change", "w")
    watch_only = switch("Show only changes")
    show_labels = switch("Show all labels in a last column")
    label_columns = texts("Labels to show in columns of their own", "L")
    no_headers = switch("Leave the header out")
    ignore_not_found = switch("An object that is absent is no failure")


@frozen
class _Group:
    """Objects of one kind, shown as one table."""

    kind: Kind
    objects: tuple[Encoded, ...]


async def run(flags: GetFlags, session: Session) -> int:
    """Show objects, and with ``--watch`` what becomes of them."""
    targets = await _targets(flags, session)
    if flags.watch or flags.watch_only:
        return await _watch(flags, session, targets)
    if targets.are_named or flags.filename:
        groups, failed = await _named(flags, session, targets)
        _show(flags, session, groups, by_name=True)
        found = failed or any(group.objects for group in groups)
    else:
        found, failed = await _list(flags, session, targets), False
    if not found:
        _tell_nothing_found(flags, session, targets)
    return int(failed)


async def _list(flags: GetFlags, session: Session, targets: Targets) -> bool:
    """Show all objects of some kinds; tells whether there were any."""
    if flags.output not in ("", "wide"):
        groups = await _listed(flags, session, targets)
        _show(flags, session, groups, by_name=False)
        return any(group.objects for group in groups)
    printers = [await _tabled(flags, session, kind, several=len(targets.kinds) > 1) for kind in targets.kinds]
    filled = [printer for printer in printers if not printer.is_empty]
    _print_all(session, filled)
    return bool(filled)


async def _tabled(flags: GetFlags, session: Session, kind: Kind, *, several: bool) -> TablePrinter:
    """Return a printer of all objects of a kind, of which cells are all that is kept."""
    printer, now = TablePrinter(session.console, kind, _style(flags, typed_names=several)), session.clock.now()

    def take(objects: Sequence[Encoded]) -> None:
        printer.take(table_of(kind, [each.parse() for each in objects], now))

    await read_pages(await session.api(), _query(flags, session, kind), take)
    return printer


async def _targets(flags: GetFlags, session: Session) -> Targets:
    targets = await find_targets(session, flags.words)
    if not targets.items and not flags.filename:
        raise UsageError("Required resource not specified.")
    if targets.are_named and flags.all_namespaces:
        raise CommandError("a resource cannot be retrieved by name across all namespaces")
    if targets.are_named:
        refuse_selector(flags)
    return targets


async def _named(flags: GetFlags, session: Session, targets: Targets) -> tuple[list[_Group], bool]:
    """The objects in the order they were named, those of a kind that stand together in one group."""
    if flags.filename:
        chosen = await fetch_files(session, flags, ignore_absent=flags.ignore_not_found)
    else:
        chosen = await fetch(session, keys_of(session, targets), ignore_absent=flags.ignore_not_found)
    groups: list[_Group] = []
    for found in chosen.found:
        if groups and groups[-1].kind is found.key.kind:
            groups[-1] = replace(groups[-1], objects=(*groups[-1].objects, found.encoded))
        else:
            groups.append(_Group(found.key.kind, (found.encoded,)))
    return groups, chosen.failed


async def _listed(flags: GetFlags, session: Session, targets: Targets) -> list[_Group]:
    api = await session.api()
    return [_Group(kind, (await list_all(api, _query(flags, session, kind))).objects) for kind in targets.kinds]


def _query(flags: GetFlags, session: Session, kind: Kind) -> ListQuery:
    return ListQuery(kind, _namespace(flags, session, kind), flags.selector, flags.field_selector)


def _namespace(flags: GetFlags, session: Session, kind: Kind) -> str:
    """The namespace to list, "" for all."""
    return session.namespace if kind.namespaced and not flags.all_namespaces else ""


def _show(flags: GetFlags, session: Session, groups: Sequence[_Group], *, by_name: bool) -> None:
    form = flags.output
    if form in ("yaml", "json"):
        _show_documents(session, form, groups, by_name=by_name)
    elif form == "name":
        for group in groups:
            _show_names(session, group.kind, [each.key.name for each in group.objects])
    else:
        _show_tables(flags, session, [group for group in groups if group.objects], several=len(groups) > 1)


def _show_documents(session: Session, form: str, groups: Sequence[_Group], *, by_name: bool) -> None:
    messages = [each.parse() for group in groups for each in group.objects]
    if messages or not by_name:
        data = document(messages[0]) if by_name and len(messages) == 1 else list_document(messages)
        session.console.write(render(data, form))


def _show_names(session: Session, kind: Kind, names: Iterable[str]) -> None:
    session.console.say_all(path_of(kind, name) for name in names)


def _show_tables(flags: GetFlags, session: Session, groups: Sequence[_Group], *, several: bool) -> None:
    printers = []
    for group in groups:
        printer = TablePrinter(session.console, group.kind, _style(flags, typed_names=several))
        printer.take(table_of(group.kind, [each.parse() for each in group.objects], session.clock.now()))
        printers.append(printer)
    _print_all(session, printers)


def _print_all(session: Session, printers: Sequence[TablePrinter]) -> None:
    for at, printer in enumerate(printers):
        if at:
            session.console.say()
        printer.print()


def _style(flags: GetFlags, *, typed_names: bool) -> Style:
    return Style(
        wide=flags.output == "wide",
        headers=not flags.no_headers,
        namespaces=flags.all_namespaces,
        typed_names=typed_names,
        all_labels=flags.show_labels,
        labels=flags.label_columns,
    )


def _tell_nothing_found(flags: GetFlags, session: Session, targets: Targets) -> None:
    if targets.are_named or flags.output in ("yaml", "json", "name"):
        return
    inside = any(kind.namespaced for kind in targets.kinds) and not flags.all_namespaces
    session.console.warn(f"No resources found in {session.namespace} namespace." if inside else "No resources found")


async def _watch(flags: GetFlags, session: Session, targets: Targets) -> int:
    """Show one kind's objects and then each change, until interrupted."""
    if len(targets.kinds) != 1:
        raise CommandError("you may only specify a single resource type")
    if (count := len(targets.items)) > 1:
        sentence = "watch is only supported on individual resources and resource collections"
        raise CommandError(f"{sentence} - {count} resources were found")
    kind, name = targets.items[0].kind, targets.items[0].name
    fields = f"metadata.name={name}" if name else flags.field_selector
    namespace = _namespace(flags, session, kind)
    api = await session.api()
    query = ListQuery(kind, namespace, flags.selector, fields)
    if name:
        await api.get(keys_of(session, targets)[0])
    listed = await list_all(api, query)
    shower = _Shower(flags, session, kind)
    if not flags.watch_only:
        shower.show([each.parse() for each in listed.objects])
    watched = WatchFilter(kind, (namespace,) if namespace else (), query.label_selector, fields)
    async with resumed_watch(api, WatchQuery((watched,), listed.revision), session.clock) as batches:
        async for batch in batches:
            shower.show([event.object.parse() for event in batch.events])
    return 0


class _Shower:
    """Prints the objects of one kind as they come, in the form asked for."""

    def __init__(self, flags: GetFlags, session: Session, kind: Kind) -> None:
        self._session = session
        self._kind = kind
        self._form = flags.output
        self._printer = TablePrinter(session.console, kind, _style(flags, typed_names=False))

    def show(self, messages: Sequence[ApiObject]) -> None:
        """Print ``messages``."""
        if self._form in ("yaml", "json"):
            for message in messages:
                separator = "---\n" if self._form == "yaml" else ""
                self._session.console.write(separator + render(document(message), self._form))
        elif self._form == "name":
            _show_names(self._session, self._kind, [each.metadata.name for each in messages])
        else:
            self._printer.show(table_of(self._kind, messages, self._session.clock.now()))


GET = Command(
    "(TYPE[,TYPE…] [NAME…] | TYPE/NAME… | all | -f FILE)",
    "Show objects in a table, or as YAML, JSON or names.",
    GetFlags,
    run,
)
