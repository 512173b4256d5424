"""Which commands there are, and the module of each: only the one that runs is imported.

Commands that need more than a client of the Api (``up``, ``demo``, ``load``) are brought by whoever assembles whole
planes, through an entry point of the group ``rollplane.commands``: this room never imports upwards.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from rollplane_cli.command import Command
from rollplane_machinery.frozen import frozen


@frozen
class Entry:
    """Where a Command is defined: ``module:NAME`` in ``package``, and its line in the help."""

    place: str
    summary: str
    package: str = "rollplane_cli.commands"

    def load(self) -> Command[Any]:
        """Import and return the command."""
        module, _, name = self.place.partition(":")
        command = getattr(importlib.import_module(f"{self.package}.{module}"), name)
        if not isinstance(command, Command):
            raise TypeError(f"{self.place} is no Command")
        return command


_OWN: Mapping[str, Entry] = MappingProxyType(
    {
        "apply": Entry("apply:APPLY", "Bring objects to what files say"),
        "create": Entry("create:CREATE", "Create objects from files"),
        "get": Entry("get:GET", "Show objects"),
        "describe": Entry("describe:DESCRIBE", "Describe objects in words, with their events"),
        "events": Entry("events:EVENTS", "Show what happened, the latest last"),
        "logs": Entry("logs:LOGS", "Print what the containers of pods have told"),
        "edit": Entry("edit:EDIT", "Edit objects in an editor"),
        "patch": Entry("patch:PATCH", "Change fields of an object"),
        "delete": Entry("delete:DELETE", "Delete objects"),
        "scale": Entry("scale:SCALE", "Set the number of replicas"),
        "set image": Entry("set_image:SET_IMAGE", "Change the images of a workload"),
        "rolling-update": Entry("rolling_update:ROLLING_UPDATE", "Replace a ReplicationController by another"),
        "rollout status": Entry("rollout.status:STATUS", "Follow a rollout until it is done or cannot go on"),
        "rollout history": Entry("rollout.history:HISTORY", "Show the revisions of a workload"),
        "rollout undo": Entry("rollout.undo:UNDO", "Go back to an earlier revision"),
        "rollout pause": Entry("rollout.verbs:PAUSE", "Freeze a rollout"),
        "rollout resume": Entry("rollout.verbs:RESUME", "Let a paused rollout go on"),
        "rollout restart": Entry("rollout.verbs:RESTART", "Replace all pods of a workload"),
        "rollout plot": Entry("rollout.plot:PLOT", "Draw how the versions of a workload took turns"),
        "why": Entry("why:WHY", "Say what a rollout waits for, and show the pods behind it"),
        "sim ready": Entry("sim:READY", "Make simulated pods ready"),
        "sim unready": Entry("sim:UNREADY", "Make simulated pods lose readiness"),
        "sim crash": Entry("sim:CRASH", "Crash the containers of simulated pods"),
        "sim finish": Entry("sim:FINISH", "Let the containers of simulated pods end well"),
        "cordon": Entry("cordon:CORDON", "Keep new pods off a node"),
        "uncordon": Entry("cordon:UNCORDON", "Let new pods onto a node again"),
        "drain": Entry("drain:DRAIN", "Empty a node, as disruption budgets allow"),
        "completion": Entry("completion:COMPLETION", "Print a script that makes a shell complete command lines"),
        "version": Entry("version:VERSION", "Show the version"),
    }
)
"""By the words they are called with."""

HIDDEN: Mapping[str, Entry] = MappingProxyType(
    {"__complete": Entry("completion:COMPLETE", "Print what may stand at the end of the words")}
)
"""Commands that programs call, and no help names."""

PLUGINS = "rollplane.commands"
"""The group of entry points; each names a mapping like ours, by command."""


@cache
def commands() -> Mapping[str, Entry]:
    """Return all commands by the words they are called with, ours first."""
    from importlib.metadata import entry_points  # takes as long as most of the program's start

    brought = (entry for point in entry_points(group=PLUGINS) for entry in point.load().items())
    return MappingProxyType({**_OWN, **dict(brought)})


def entry_of(name: str) -> Entry | None:
    """Return the command called ``name``; plugins are looked for only when none of ours is meant."""
    return _OWN.get(name) or HIDDEN.get(name) or commands().get(name)


def is_group(word: str) -> bool:
    """Return whether ``word`` is the first of two, and no command of its own."""
    if word in _OWN or word in HIDDEN:
        return False
    if any(name.startswith(f"{word} ") for name in _OWN):
        return True
    return word not in commands() and any(name.startswith(f"{word} ") for name in commands())


def goes_on(word: str, following: str) -> bool:
    """Return whether ``word``, a command, makes another with the word right behind it: ``rehearse compare``."""
    return word not in _OWN and f"{word} {following}" in commands()
