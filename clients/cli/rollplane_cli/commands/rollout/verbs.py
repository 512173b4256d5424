"""``rollplane rollout pause``, ``resume`` and ``restart``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from rollplane_cli.choosing import CHOOSING_FLAGS, choose, report_failure
from rollplane_cli.command import DRY_RUN, Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import Arguments
from rollplane_cli.output.answers import WRITE_OUTPUT, answer, is_client_dry_run, write_options
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_machinery.api import Api, Key, WriteOptions, WriteResult
from rollplane_machinery.errors import RollplaneError

Verb = Callable[[Api, Key, WriteOptions], Awaitable[WriteResult]]


async def _run(arguments: Arguments, session: Session, *, verb: Verb, done: str) -> int:
    chosen = await choose(arguments, session)
    api = await session.api()
    for found in chosen.found:
        message = found.parse()
        try:
            if not is_client_dry_run(arguments):
                with told_as_own():
                    result = await verb(api, found.key, write_options(arguments, "rollout"))
                message = result.object.parse() if result.object else message
            answer(arguments, session, found.key, done, message)
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
_FLAGS = (*CHOOSING_FLAGS, DRY_RUN, WRITE_OUTPUT)

PAUSE = Command(_USAGE, "Freeze a rollout.", partial(_run, verb=_pause, done="paused"), _FLAGS)
RESUME = Command(_USAGE, "Let a paused rollout go on.", partial(_run, verb=_resume, done="resumed"), _FLAGS)
RESTART = Command(
    _USAGE, "Replace all pods of a workload, as a rollout does.", partial(_run, verb=_restart, done="restarted"), _FLAGS
)
