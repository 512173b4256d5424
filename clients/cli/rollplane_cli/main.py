"""The ``rollplane`` command: finds the command meant, runs it, and turns every failure into one line and a code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from rollplane_cli.beyond import COMMANDS, hint
from rollplane_cli.command import Command
from rollplane_cli.console import Console
from rollplane_cli.failures import FAILED, INTERRUPTED, CommandError, UsageError
from rollplane_cli.flags import GLOBAL_FLAGS, Flags
from rollplane_cli.help_text import PROGRAM, command_help, group_help, program_help
from rollplane_cli.parsing import parse_line
from rollplane_cli.registry import commands, entry_of, goes_on, is_group
from rollplane_cli.session import Session
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.frozen import frozen

_THRESHOLD = 100_000
"""Net new containers before a collection: what a command loads and lists stays, so that a walk finds nothing."""


@frozen
class Invocation:
    """A command found on the command line, and the rest of the line."""

    name: str
    command: Command[Any]
    flags: Flags


@frozen
class Topic:
    """What help is asked for: a command, a group of commands, or with an empty name the program."""

    name: str = ""


def run(line: Sequence[str] | None = None) -> int:
    """Carry out one command line (by default the process's own), the process's last, and return the exit code."""
    gc.set_threshold(_THRESHOLD)
    console = Console(sys.stdout, sys.stderr, sys.stdin)
    try:
        found = _find(sys.argv[1:] if line is None else line, console)
        if isinstance(found, int):
            return found
        carry_out = partial(_carry_out, found, os.environ, console)
        return _at_once(carry_out()) if found.command.is_offline else _in_loop(carry_out)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    finally:
        gc.freeze()  # the process ends: its last collections, all in vain, would take a fifth of a short command


def _in_loop(carry_out: Callable[[], Coroutine[Any, Any, int]]) -> int:
    import asyncio  # half of the program's start, in which it may be interrupted: nothing has begun by then

    return asyncio.run(carry_out())


def _at_once(running: Coroutine[Any, Any, int]) -> int:
    """Carry out what never waits, and so needs no loop."""
    try:
        running.send(None)
    except StopIteration as done:
        code: int = done.value
        return code
    running.close()
    raise RuntimeError("a command that is declared offline waits for something")


async def execute(line: Sequence[str], environ: Mapping[str, str], console: Console) -> int:
    """Carry out ``line`` within a running loop and return the exit code; failures are told on ``console``."""
    found = _find(line, console)
    return found if isinstance(found, int) else await _carry_out(found, environ, console)


def _find(line: Sequence[str], console: Console) -> Invocation | int:
    """Return the command that ``line`` means, or the exit code when all that it asks for is told already."""
    try:
        found = find(line)
    except UsageError as exc:
        _refuse_usage(exc, exc.command, console)
        entry = entry_of(exc.command) if exc.command else None
        return FAILED if entry is None else entry.load().failure
    if isinstance(found, Invocation):
        return found
    console.say(_help_on(found))
    return 0


def _help_on(topic: Topic) -> str:
    entry = entry_of(topic.name) if topic.name else None
    if entry is not None:
        return command_help(topic.name, entry.load(), commands())
    return group_help(topic.name, commands()) if topic.name else program_help(commands())


async def _carry_out(invocation: Invocation, environ: Mapping[str, str], console: Console) -> int:
    flags = invocation.flags
    for flag in flags.deprecated:
        console.warn(f"Flag --{flag.name} has been deprecated, {flag.deprecated}")
    session = Session(
        console,
        environ,
        server=flags.server,
        namespace=flags.namespace,
        request_timeout_seconds=flags.request_timeout,
    )
    async with session:
        try:
            return await invocation.command.run(flags, session)
        except UsageError as exc:
            _refuse_usage(exc, invocation.name, console)
        except CommandError as exc:
            console.warn(exc.line)
        except RollplaneError as exc:
            session.report(exc)
        except Exception:
            if invocation.command.failure == FAILED:
                raise
            import traceback

            console.warn(traceback.format_exc().rstrip())  # Python's own exit code would be an answer of the command
    return invocation.command.failure


def _refuse_usage(error: UsageError, name: str, console: Console) -> None:
    console.warn(error.line)
    console.warn(f"See '{' '.join(filter(None, (PROGRAM, name)))} {error.hint}")


def find(line: Sequence[str]) -> Invocation | Topic:
    """Return the command that ``line`` means, or the help that it asks for; raises UsageError."""
    name, rest = split_command(line)
    if name == "help":
        return _topic(rest)
    entry = entry_of(name) if name else None
    if entry is None:
        return _no_command(name, rest)
    command = entry.load()
    try:
        flags = parse_line(rest, command.flags, hands_on=command.hands_on)
    except UsageError as exc:
        exc.command = name
        raise
    return Topic(name) if flags.help else Invocation(name, command, flags)


def _topic(words: Sequence[str]) -> Topic:
    """What ``help WORD…`` asks for; raises UsageError for words that mean nothing."""
    name, _ = split_command(words)
    if name and entry_of(name) is None and not is_group(name):
        raise UsageError(f"Unknown help topic [`{' '.join(words)}`]")
    return Topic(name)


def _no_command(name: str, rest: Sequence[str]) -> Topic:
    """A group alone, or nothing at all, shows its help, as in kubectl; raises UsageError for anything else."""
    group, _, second = name.partition(" ")
    if second:
        raise UsageError(f'unknown command "{second}"{hint(name, COMMANDS)}', command=group)
    if name and not is_group(name):
        raise UsageError(f'unknown command "{name}" for "{PROGRAM}"{hint(name, COMMANDS)}')
    if not name and rest and not {"--help", "-h"} & set(rest):
        raise UsageError(f"no command in {' '.join(rest)}")
    return Topic(name)


def split_command(line: Sequence[str]) -> tuple[str, list[str]]:
    """Return the command's name (one word, or two as in ``rollout status``) and the line without it.

    Global flags may stand before and between the words, but not behind one that is a command alone, too.
    """
    valued = {f"--{flag.name}" for flag in GLOBAL_FLAGS if flag.takes_value}
    valued |= {f"-{flag.short}" for flag in GLOBAL_FLAGS if flag.takes_value}
    words: list[str] = []
    rest: list[str] = []
    wanted = 1
    tokens = iter(line)
    for token in tokens:
        if token.startswith("-"):
            rest.append(token)
            rest += [value for value in [next(tokens, None) if token in valued else None] if value is not None]
            continue
        words.append(token)
        wanted = 2 if is_group(words[0]) else 1
        if len(words) == wanted:
            break
    behind = list(tokens)
    if len(words) == wanted == 1 and behind and goes_on(words[0], behind[0]):
        words.append(behind.pop(0))
    return " ".join(words), [*rest, *behind]
