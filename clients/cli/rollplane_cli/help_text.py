"""The help of the program and of each command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rollplane_cli.command import Command
from rollplane_cli.flags import GLOBAL_FLAGS, Flag, own_flags_of
from rollplane_cli.registry import Entry

PROGRAM = "rollplane"


def program_help(entries: Mapping[str, Entry]) -> str:
    """Return the help of the program: every command in one line."""
    rows = [(name, entry.summary) for name, entry in entries.items()]
    return "\n".join(
        [
            f"{PROGRAM} drives a rollout control plane: workloads, their rollouts, and the simulated pods.",
            "",
            f"Usage: {PROGRAM} COMMAND [flags]",
            "",
            "Commands:",
            *_aligned(rows),
            "",
            f'"{PROGRAM} COMMAND --help" tells more about a command.',
        ]
    )


def group_help(group: str, entries: Mapping[str, Entry]) -> str:
    """Return the help of a group: the commands that begin with its word."""
    rows = [(name, entry.summary) for name, entry in entries.items() if name.startswith(f"{group} ")]
    return "\n".join(
        [
            f"Usage: {PROGRAM} {group} COMMAND [flags]",
            "",
            "Commands:",
            *_aligned(rows),
            "",
            f'"{PROGRAM} {group} COMMAND --help" tells more about a command.',
        ]
    )


def command_help(name: str, command: Command[Any], entries: Mapping[str, Entry]) -> str:
    """Return the help of one command, with the commands beside it whose first word it is."""
    sections = [command.summary, "", f"Usage: {PROGRAM} {name} {command.usage}".rstrip()]
    if beside := [(each, entry.summary) for each, entry in entries.items() if each.startswith(f"{name} ")]:
        sections += ["", "Commands:", *_aligned(beside)]
    if own := own_flags_of(command.flags):
        sections += ["", "Flags:", *_aligned(_rows(own))]
    return "\n".join([*sections, "", "Flags of every command:", *_aligned(_rows(GLOBAL_FLAGS))])


def _rows(flags: Sequence[Flag[Any]]) -> list[tuple[str, str]]:
    return [(_written(flag), _told(flag)) for flag in flags]


def _told(flag: Flag[Any]) -> str:
    """What a flag is for, with the values it takes and the one it has, where its own words leave that out."""
    choices = "" if any(choice in flag.help for choice in flag.choices) else ", ".join(flag.choices)
    told = f"{flag.help}: {choices}" if choices else flag.help
    if not flag.default or not flag.takes_value or "default" in told:
        return told
    return f"{told} (default {f'{flag.default:g}s' if flag.value == 'duration' else flag.default})"


def _written(flag: Flag[Any]) -> str:
    short = f"-{flag.short}, " if flag.short else "    "
    return f"{short}--{flag.name} {flag.value}".rstrip()


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(left) for left, _ in rows)
    return [f"  {left.ljust(width)}  {right}" for left, right in rows]
