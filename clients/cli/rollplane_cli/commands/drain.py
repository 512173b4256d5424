"""``rollplane drain``: no new pods for a node, and those that run there go as their budgets allow."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.core.v1 import Pod
from rollplane_cli.choosing import Chosen, Found, fetch
from rollplane_cli.command import DRY_RUN, SELECTOR, TIMEOUT, Command
from rollplane_cli.commands.cordon import mark
from rollplane_cli.draining.choice import Choice, DrainRules, choose_pods, daemon_sets_of
from rollplane_cli.draining.departures import Departures
from rollplane_cli.draining.sending import Sending, send_away
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.flags import Arguments, Flag, FlagType, switch
from rollplane_cli.output.answers import dry_run_suffix, is_client_dry_run, write_options
from rollplane_cli.reading import key_of, list_all
from rollplane_cli.session import Session
from rollplane_machinery.api import Key, ListQuery
from rollplane_machinery.errors import BadRequestError, NotFoundError
from rollplane_machinery.kinds import DAEMON_SET, NODE, POD
from rollplane_machinery.selectors import parse_label_selector

FLAGS = (
    SELECTOR,
    switch("ignore-daemonsets", "Leave pods that a DaemonSet manages where they are"),
    switch("delete-emptydir-data", "Also send away pods with emptyDir volumes, whose data are then lost"),
    switch("force", "Also delete pods that no controller will replace"),
    Flag("grace-period", "Seconds that pods have to end; -1 takes each pod's own", type=FlagType.NUMBER, default=-1),
    TIMEOUT,
    Flag("pod-selector", "Only pods whose labels match"),
    switch("disable-eviction", "Delete pods without asking their disruption budgets"),
    Flag(
        "skip-wait-for-delete-timeout",
        "Leave out pods that have been ending for more than this many seconds; 0 leaves out none",
        type=FlagType.NUMBER,
        default=0,
    ),
    DRY_RUN,
)


class _DrainError(Exception):
    """A node could not be drained; ``errors`` tell all that stood in the way."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return self.errors[0] if len(self.errors) == 1 else f"[{', '.join(self.errors)}]"


async def run(arguments: Arguments, session: Session) -> int:
    """Cordon all nodes, then empty one after another; the code tells whether all were drained."""
    _check(arguments)
    chosen = await _choose(arguments, session)
    if chosen.failed:
        return chosen.exit_code
    for found in chosen.found:
        await mark(arguments, session, found, cordon=True)
    failures: dict[str, _DrainError] = {}
    for found in chosen.found:
        name = found.key.name
        try:
            await _drain(arguments, session, name)
        except _DrainError as exc:
            failures[name] = exc
            session.console.warn(f'error: unable to drain node "{name}" due to error: {exc}, continuing command...')
        else:
            session.console.say(f"node/{name} drained{dry_run_suffix(arguments)}")
    _tell_failures(session, failures)
    return int(bool(failures))


def _check(arguments: Arguments) -> None:
    if not arguments.words and not arguments.text("selector"):
        raise UsageError("USAGE: drain NODE [flags]")
    if arguments.words and arguments.text("selector"):
        raise UsageError("cannot specify both a node name and a --selector option")
    try:
        parse_label_selector(arguments.text("pod-selector"))
    except BadRequestError as exc:
        raise CommandError("--pod-selector=<pod_selector> must be a valid label selector") from exc


async def _choose(arguments: Arguments, session: Session) -> Chosen:
    if arguments.words:
        names = [word.removeprefix("node/").removeprefix("nodes/") for word in arguments.words]
        return await fetch(session, [Key(NODE, "", name) for name in names])
    listed = await list_all(await session.api(), ListQuery(NODE, "", arguments.text("selector")))
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


async def _drain(arguments: Arguments, session: Session, node: str) -> None:
    """Empty one node; raises _DrainError."""
    choice = await _pods_to_go(arguments, session, node)
    if choice.errors:
        raise _DrainError(choice.errors)
    if choice.warning:
        session.console.warn(f"Warning: {choice.warning}")
    if is_client_dry_run(arguments):
        for pod in choice.going:
            session.console.say(f"evicting pod {pod.metadata.namespace}/{pod.metadata.name} (dry run)")
        return
    if choice.going:
        await _send_away(arguments, session, node, choice.going)


async def _send_away(arguments: Arguments, session: Session, node: str, pods: tuple[Pod, ...]) -> None:
    grace = arguments.number("grace-period")
    sending = Sending(
        session,
        write_options(arguments, "drain"),
        eviction=not arguments.boolean("disable-eviction"),
        grace_period_seconds=None if grace is None or grace < 0 else grace,
        timeout_seconds=arguments.seconds("timeout"),
        suffix=dry_run_suffix(arguments),
    )
    failures = await send_away(sending, pods, Departures(await session.api(), session.clock, node))
    if not failures:
        return
    failed = _DrainError(tuple(failures))
    pending = await _pods_to_go(arguments, session, node)
    if pending.going:
        session.console.warn(f'There are pending pods in node "{node}" when an error occurred: {failed}')
        for pod in pending.going:
            session.console.warn(f"pod/{pod.metadata.name}")
    raise failed


async def _pods_to_go(arguments: Arguments, session: Session, node: str) -> Choice:
    api = await session.api()
    query = ListQuery(POD, "", arguments.text("pod-selector"), f"spec.nodeName={node}")
    pods = [pod for each in (await list_all(api, query)).objects if isinstance(pod := each.parse(), Pod)]
    rules = DrainRules(
        ignore_daemon_sets=arguments.boolean("ignore-daemonsets"),
        delete_local_data=arguments.boolean("delete-emptydir-data"),
        force=arguments.boolean("force"),
        skip_after_seconds=arguments.number("skip-wait-for-delete-timeout") or 0,
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


DRAIN = Command("NODE…", "Empty nodes for maintenance, as disruption budgets allow.", run, FLAGS)
