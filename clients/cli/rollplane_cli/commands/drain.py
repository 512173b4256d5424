"""``rollplane drain``: no new pods for a node, and those that run there go as their budgets allow."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.core.v1 import Pod
from rollplane_cli.choosing import Chosen, Found, fetch
from rollplane_cli.command import Command, DryRunFlags, SelectorFlags, WaitFlags
from rollplane_cli.commands.cordon import mark
from rollplane_cli.draining.choice import Choice, DrainRules, choose_pods, daemon_sets_of
from rollplane_cli.draining.departures import Departures
from rollplane_cli.draining.sending import Sending, send_away
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.flags import number, switch, text
from rollplane_cli.output.answers import dry_run_suffix, is_client_dry_run, write_options
from rollplane_cli.reading import key_of, list_all
from rollplane_cli.session import Session
from rollplane_machinery.api import Key, ListQuery
from rollplane_machinery.errors import BadRequestError, NotFoundError
from rollplane_machinery.kinds import DAEMON_SET, NODE, POD
from rollplane_machinery.selectors import parse_label_selector


class DrainFlags(SelectorFlags, WaitFlags, DryRunFlags):
    """Flags of ``drain``."""

    ignore_daemonsets = switch("Leave pods that a DaemonSet manages where they are")
    delete_emptydir_data = switch("Also send away pods with emptyDir volumes, whose data are then lost")
    force = switch("Also delete pods that no controller will replace")
    grace_period = number("Seconds that pods have to end; -1 takes each pod's own", default=-1)
    pod_selector = text("Only pods whose labels match")
    disable_eviction = switch("Delete pods without asking their disruption budgets")
    skip_wait_for_delete_timeout = number(
        "Leave out pods that have been ending for more than this many seconds; 0 leaves out none", default=0
    )


class _DrainError(Exception):
    """A node could not be drained; ``errors`` tell all that stood in the way."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return self.errors[0] if len(self.errors) == 1 else f"[{', '.join(self.errors)}]"


async def run(flags: DrainFlags, session: Session) -> int:
    """Cordon all nodes, then empty one after another; the code tells whether all were drained."""
    _check(flags)
    chosen = await _choose(flags, session)
    if chosen.failed:
        return chosen.exit_code
    for found in chosen.found:
        await mark(flags, session, found, cordon=True)
    failures: dict[str, _DrainError] = {}
    for found in chosen.found:
        name = found.key.name
        try:
            await _drain(flags, session, name)
        except _DrainError as exc:
            failures[name] = exc
            session.console.warn(f'error: unable to drain node "{name}" due to error: {exc}, continuing command...')
        else:
            session.console.say(f"node/{name} drained{dry_run_suffix(flags)}")
    _tell_failures(session, failures)
    return int(bool(failures))


def _check(flags: DrainFlags) -> None:
    if not flags.words and not flags.selector:
        raise UsageError("USAGE: drain NODE [flags]")
    if flags.words and flags.selector:
        raise UsageError("cannot specify both a node name and a --selector option")
    try:
        parse_label_selector(flags.pod_selector)
    except BadRequestError as exc:
        raise CommandError("--pod-selector=<pod_selector> must be a valid label selector") from exc


async def _choose(flags: DrainFlags, session: Session) -> Chosen:
    if flags.words:
        names = [word.removeprefix("node/").removeprefix("nodes/") for word in flags.words]
        return await fetch(session, [Key(NODE, "", name) for name in names])
    listed = await list_all(await session.api(), ListQuery(NODE, "", flags.selector))
    return Chosen([Found(key_of(each), each) for each in listed.objects])


def _tell_failures(session: Session, failures: dict[str, _DrainError]) -> None:
    if not failures:
        return
    session.console.warn("There are pending nodes to be drained:")
    for name in failures:
        session.console.warn(f" {name}")
    errors = [error for failed in failures.values() for error in failed.errors]
    for error in errors:
        session.console.warn(f"error: {error}" if len(errors) == 1 else error)


async def _drain(flags: DrainFlags, session: Session, node: str) -> None:
    """Empty one node; raises _DrainError."""
    choice = await _pods_to_go(flags, session, node)
    if choice.errors:
        raise _DrainError(choice.errors)
    if choice.warning:
        session.console.warn(f"Warning: {choice.warning}")
    if is_client_dry_run(flags):
        for pod in choice.going:
            session.console.say(f"evicting pod {pod.metadata.namespace}/{pod.metadata.name} (dry run)")
        return
    if choice.going:
        await _send_away(flags, session, node, choice.going)


async def _send_away(flags: DrainFlags, session: Session, node: str, pods: tuple[Pod, ...]) -> None:
    sending = Sending(
        session,
        write_options(flags, "drain"),
        eviction=not flags.disable_eviction,
        grace_period_seconds=None if flags.grace_period < 0 else flags.grace_period,
        timeout_seconds=flags.timeout,
        suffix=dry_run_suffix(flags),
    )
    failures = await send_away(sending, pods, Departures(await session.api(), session.clock, node))
    if not failures:
        return
    failed = _DrainError(tuple(failures))
    pending = await _pods_to_go(flags, session, node)
    if pending.going:
        session.console.warn(f'There are pending pods in node "{node}" when an error occurred: {failed}')
        for pod in pending.going:
            session.console.warn(f"pod/{pod.metadata.name}")
    raise failed


async def _pods_to_go(flags: DrainFlags, session: Session, node: str) -> Choice:
    api = await session.api()
    query = ListQuery(POD, "", flags.pod_selector, f"spec.nodeName={node}")
    pods = [pod for each in (await list_all(api, query)).objects if isinstance(pod := each.parse(), Pod)]
    rules = DrainRules(
        ignore_daemon_sets=flags.ignore_daemonsets,
        delete_local_data=flags.delete_emptydir_data,
        force=flags.force,
        skip_after_seconds=flags.skip_wait_for_delete_timeout,
        missing_daemon_sets=await _missing_daemon_sets(session, pods),
    )
    return choose_pods(pods, rules, session.clock.now())


async def _missing_daemon_sets(session: Session, pods: Sequence[Pod]) -> dict[str, str]:
    """Return the DaemonSets of ``pods`` that are gone, with what the server says about each."""
    api = await session.api()
    missing: dict[str, str] = {}
    for namespace, name in daemon_sets_of(pods):
        try:
            await api.get(Key(DAEMON_SET, namespace, name))
        except NotFoundError as exc:
            missing[f"{namespace}/{name}"] = exc.message
    return missing


DRAIN = Command("NODE…", "Empty nodes for maintenance, as disruption budgets allow.", DrainFlags, run)
