"""``rollplane rollout pause``, ``resume`` and ``restart``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from rollplane_cli.choosing import choose, report_failure
from rollplane_cli.command import ChoosingFlags, Command, WriteFlags
from rollplane_cli.failures import CommandError
from rollplane_cli.output.answers import answer, is_client_dry_run, write_options
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_machinery.api import Api, Key, WriteOptions, WriteResult
from rollplane_machinery.errors import RollplaneError

Verb = Callable[[Api, Key, WriteOptions], Awaitable[WriteResult]]


class VerbFlags(ChoosingFlags, WriteFlags):
    """Flags of verbs that need to be told nothing but the object."""


async def _run(flags: VerbFlags, session: Session, *, verb: Verb, done: str) -> int:
    chosen = await choose(flags, session, type_is_enough=True)
    api = await session.api()
    for found in chosen.found:
        message = found.parse()
        try:
            if not is_client_dry_run(flags):
                with told_as_own():
                    result = await verb(api, found.key, write_options(flags, "rollout"))
                message = result.object.parse() if result.object else message
            answer(flags, session, found.key, done, message)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            chosen.failed = True
    return chosen.exit_code


async def _pause(api: Api, key: Key, options: WriteOptions) -> WriteResult:
    return await api.pause(key, options)


async def _resume(api: Api, key: Key, options: WriteOptions) -> WriteResult:
    return await api.resume(key, options)


async def _restart(api: Api, key: Key, options: WriteOptions) -> WriteResult:
    return await api.restart(key, options)


_USAGE = "(TYPE NAME | TYPE/NAME… | -f FILE)"

PAUSE = Command(_USAGE, "Freeze a rollout.", VerbFlags, partial(_run, verb=_pause, done="paused"))
RESUME = Command(_USAGE, "Let a paused rollout go on.", VerbFlags, partial(_run, verb=_resume, done="resumed"))
RESTART = Command(
    _USAGE,
    "Replace all pods of a workload, as a rollout does.",
    VerbFlags,
    partial(_run, verb=_restart, done="restarted"),
)
