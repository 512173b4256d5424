"""``rollplane delete``."""

from __future__ import annotations

from rollplane_cli.choosing import Found, fetch, fetch_files, keys_of, refuse_selector, report_failure
from rollplane_cli.command import ChoosingFlags, Command, DryRunFlags, ListingFlags, WaitFlags, output
from rollplane_cli.failures import NOTHING_NAMED, CommandError
from rollplane_cli.flags import optional_number, switch, text
from rollplane_cli.output.answers import dry_run_suffix, is_client_dry_run, write_options
from rollplane_cli.reading import key_of, list_all
from rollplane_cli.session import Session
from rollplane_cli.targets import Targets, find_targets
from rollplane_cli.waiting import wait_until_gone
from rollplane_machinery.api import Delete, ListQuery, Preconditions, Propagation
from rollplane_machinery.errors import NotFoundError, RollplaneError
from rollplane_printing.sentences import path_of, typed

_PROPAGATIONS = {
    "background": Propagation.BACKGROUND,
    "foreground": Propagation.FOREGROUND,
    "orphan": Propagation.ORPHAN,
    # kubectl's older spelling
    "true": Propagation.BACKGROUND,
    "false": Propagation.ORPHAN,
}
_FORCE_WARNING = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. "
    "The resource may continue to run on the cluster indefinitely."
)


class DeleteFlags(ChoosingFlags, ListingFlags, WaitFlags, DryRunFlags):
    """Flags of ``delete``."""

    cascade = text(
        "What becomes of dependents: background, foreground or orphan",
        default="background",
        bare="background",
        choices=tuple(_PROPAGATIONS),
    )
    wait = switch("Wait until the objects are gone", default=True)
    grace_period = optional_number("Seconds that pods have to end; 1 is as soon as can be")
    now = switch("The same as --grace-period=1")
    force = switch("Remove pods at once, without waiting for the node")
    ignore_not_found = switch("An object that is absent is no failure")
    output = output("name")


async def run(flags: DeleteFlags, session: Session) -> int:
    """Delete objects one by one, say so of each, then wait until they are gone."""
    grace = _grace_seconds(flags)
    chosen, failed = await _choose(flags, session)
    if grace == 0 and flags.force:
        session.console.warn(_FORCE_WARNING)
    pending: list[Found] = []
    for found in chosen:
        try:
            if not await _delete(flags, session, found, grace):
                pending.append(found)
        except RollplaneError as exc:
            if not (isinstance(exc, NotFoundError) and flags.ignore_not_found):
                report_failure(session, exc)
                failed = True
    if flags.wait and pending:
        await wait_until_gone(session, pending, flags.timeout)
    return int(failed)


def _grace_seconds(flags: DeleteFlags) -> int | None:
    """Seconds for pods to end, None for their own; 0 is for ``--force`` only."""
    grace, force, now = flags.grace_period, flags.force, flags.now
    if now and grace is not None:
        raise CommandError("--now and --grace-period cannot be specified together")
    if now:
        return 1
    if grace == 0 and not force:
        return 1
    if force and (grace is None or grace < 0):
        return 0
    if force and grace:
        raise CommandError("--force and --grace-period greater than 0 cannot be specified together")
    return None if grace is None or grace < 0 else grace


async def _choose(flags: DeleteFlags, session: Session) -> tuple[list[Found], bool]:
    if flags.filename:
        chosen = await fetch_files(session, flags, ignore_absent=flags.ignore_not_found)
        return chosen.found, chosen.failed
    targets = await find_targets(session, flags.words)
    if not targets.items:
        raise CommandError(NOTHING_NAMED)
    if targets.are_named:
        refuse_selector(flags)
        chosen = await fetch(session, keys_of(session, targets), ignore_absent=flags.ignore_not_found)
        return chosen.found, chosen.failed
    if not (flags.selector or flags.field_selector or flags.all):
        raise CommandError("resource(s) were provided, but no name was specified")
    return await _selected(flags, session, targets), False


async def _selected(flags: DeleteFlags, session: Session, targets: Targets) -> list[Found]:
    api = await session.api()
    found: list[Found] = []
    for kind in targets.kinds:
        everywhere = not kind.namespaced or flags.all_namespaces
        namespace = "" if everywhere else session.namespace
        query = ListQuery(kind, namespace, flags.selector, flags.field_selector)
        found += [Found(key_of(each), each) for each in (await list_all(api, query)).objects]
    if not found:
        session.console.warn("No resources found")
    return found


async def _delete(flags: DeleteFlags, session: Session, found: Found, grace: int | None) -> bool:
    """Delete one object and say so; returns whether it is gone already.

    The uid makes sure that a namesake created in the meantime is left alone.
    """
    gone = True
    if not is_client_dry_run(flags):
        write = Delete(
            found.key,
            grace,
            _PROPAGATIONS[flags.cascade],
            Preconditions(uid=found.parse().metadata.uid),
            write_options(flags, "delete"),
        )
        result = await (await session.api()).write(write)
        gone = result.removed or bool(dry_run_suffix(flags))
    if flags.output == "name":
        session.console.say(path_of(found.key.kind, found.key.name))
    else:
        verb = "force deleted" if grace == 0 else "deleted"
        session.console.say(f'{typed(found.key.kind)} "{found.key.name}" {verb}{dry_run_suffix(flags)}')
    return gone


DELETE = Command(
    "(TYPE NAME… | TYPE/NAME… | TYPE -l LABELS | TYPE --all | -f FILE)", "Delete objects.", DeleteFlags, run
)
