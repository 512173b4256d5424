"""The ``rollplane`` command: finds the command meant, runs it, and turns every failure into one line and a code."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollplane_cli.command import Command
from rollplane_cli.console import Console
from rollplane_cli.failures import FAILED, INTERRUPTED, CommandError, UsageError
from rollplane_cli.flags import GLOBAL_FLAGS, Flags
from rollplane_cli.help_text import PROGRAM, command_help, program_help
from rollplane_cli.parsing import parse_line
from rollplane_cli.registry import commands, entry_of, is_group
from rollplane_cli.session import Session
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import RollplaneError


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command found on the command line, and the rest of the line."""

    name: str
    command: Command[Any]
    flags: Flags


def run(line: Sequence[str] | None = None) -> int:
    """Carry out one command line (by default the process's own) and return the exit code."""
    console = Console(sys.stdout, sys.stderr, sys.stdin)
    try:
        return asyncio.run(execute(sys.argv[1:] if line is None else line, os.environ, console))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


async def execute(line: Sequence[str], environ: Mapping[str, str], console: Console) -> int:
    """Carry out ``line`` within a running loop and return the exit code; failures are told on ``console``."""
    try:
        invocation = find(line)
    except UsageError as exc:
        return _refuse_usage(exc, exc.command, console)
    if invocation is None:
        console.say(program_help(commands()))
        return 0
    if invocation.flags.help:
        console.say(command_help(invocation.name, invocation.command))
        return 0
    return await _carry_out(invocation, environ, console)


async def _carry_out(invocation: Invocation, environ: Mapping[str, str], console: Console) -> int:
    flags = invocation.flags
    for flag in flags.deprecated:
        console.warn(f"Flag --{flag.name} has been deprecated, {flag.deprecated}")
    async with Session(
        console, environ, server=flags.server, namespace=flags.namespace, clock=SystemClock()
    ) as session:
        try:
            return await invocation.command.run(flags, session)
        except UsageError as exc:
            return _refuse_usage(exc, invocation.name, console)
        except CommandError as exc:
            console.warn(exc.line)
        except RollplaneError as exc:
            session.report(exc)
    return FAILED


def _refuse_usage(error: UsageError, name: str, console: Console) -> int:
    console.warn(error.line)
    console.warn(f"See '{' '.join(filter(None, (PROGRAM, name)))} --help' for usage.")
    return FAILED


def find(line: Sequence[str]) -> Invocation | None:
    """Return the command that ``line`` means, None when it names none; raises UsageError."""
    name, rest = split_command(line)
    entry = entry_of(name) if name else None
    if entry is None:
        if {"--help", "-h"} & set(rest) or not (name or rest) or name == "help":
            return None
        raise UsageError(_unknown(name, rest))
    command = entry.load()
    try:
        return Invocation(name, command, parse_line(rest, command.flags))
    except UsageError as exc:
        raise UsageError(exc.message, command=name) from exc


def split_command(line: Sequence[str]) -> tuple[str, list[str]]:
    """Return the command's name (one word, or two as in ``rollout status``) and the line without it.

    Global flags may stand before and between the words.
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
    return " ".join(words), [*rest, *tokens]


def _unknown(name: str, rest: Sequence[str]) -> str:
    if is_group(name):
        known = ", ".join(each.split()[1] for each in commands() if each.startswith(f"{name} "))
        return f'"{name}" needs one of: {known}'
    return f'unknown command "{name}" for "{PROGRAM}"' if name else f"no command in {' '.join(rest)}"
