"""A plane's entries in the file that kubectl reads, there for as long as the plane runs.

Everything that is needed to take them out again outlives a killed plane: the data folder keeps which file it was, and
the context itself, as an extension, whose it is and what was current before it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any

from rollplane_plane.kubeconfig_file import LISTS, context_name, kubeconfig, locked, read, write

log = logging.getLogger(__name__)

NOTE = "merged-into"
"""The file in a data folder that names the kubeconfig it was merged into."""
EXTENSION = "rollplane.dev"


def merge(path: Path, data: Path, url: str) -> str:
    """Make the plane at ``url`` on ``data`` the current context in the file at ``path``; return the context's name.

    A name that is another's is left to it. What was merged before for ``data`` is taken out. Raises SetupError when
    somebody else holds the lock of a file, or it is no kubeconfig.
    """
    take_out(data)
    path = path.resolve()  # what a link leads to, not the link
    with locked(path):
        is_new = not path.exists()
        config = read(path)
        _leave(config, data)  # what was merged by a run whose data folder is gone
        name = _free_name(config, data)
        marks: dict[str, Any] = {"data": str(data), "before": str(config.get("current-context") or "")}
        if is_new or any(marks_of(each).get("made") for each in _contexts(config)):
            marks["made"] = True
        ours = kubeconfig(url, name)
        ours["contexts"][0]["context"]["extensions"] = [{"name": EXTENSION, "extension": marks}]
        for each in LISTS:
            config[each] = [*(config.get(each) or []), *ours[each]]
        config["current-context"] = name
        (data / NOTE).write_text(str(path))  # first, so that a plane killed in between is cleaned up after
        write(path, config)
    return name


def take_out(data: Path) -> str:
    """Take out what was merged for ``data`` and return from which file, empty when nothing was merged.

    What was current before is current again if it is still there and nobody has chosen another since. A file that
    ``merge`` made is gone when it holds nothing else. Raises SetupError as ``merge`` does; then nothing has changed.
    """
    note = data / NOTE
    if not note.exists():
        return ""
    path = Path(note.read_text())
    if path.exists():
        with locked(path):
            config = read(path)
            if _leave(config, data):
                path.unlink()
            else:
                write(path, config)
    note.unlink()
    return str(path)


def marks_of(context: dict[str, Any]) -> dict[str, Any]:
    """Return what ``merge`` noted in an entry of ``contexts``, nothing in those of others."""
    extensions = (context.get("context") or {}).get("extensions") or []
    return next((each.get("extension") or {} for each in extensions if each.get("name") == EXTENSION), {})


def _contexts(config: dict[str, Any]) -> list[dict[str, Any]]:
    return config.get("contexts") or []


def _free_name(config: dict[str, Any], data: Path) -> str:
    taken = {entry.get("name") for each in LISTS for entry in config.get(each) or []}
    usual = context_name(data)
    names = chain([usual], (f"{usual}-{number}" for number in count(2)))
    name = next(name for name in names if name not in taken)
    if name != usual:
        log.warning("the context %(usual)s is another plane's: this one is %(name)s", {"usual": usual, "name": name})
    return name


def _leave(config: dict[str, Any], data: Path) -> bool:
    """Take out the contexts of ``data``; returns whether nothing is left of a file that was made for them."""
    made = False
    for context in [each for each in _contexts(config) if marks_of(each).get("data") == str(data)]:
        made = bool(marks_of(context).get("made"))
        _remove(config, str(context["name"]), str(marks_of(context).get("before") or ""))
    return made and not any(config.get(each) for each in LISTS)


def _remove(config: dict[str, Any], name: str, before: str) -> None:
    for each in LISTS:
        config[each] = [entry for entry in config.get(each) or [] if entry.get("name") != name]
    for later in _planes(config):
        if later.get("before") == name:
            later["before"] = before  # a plane that was merged after this one puts back what this one found
    if config.get("current-context") == name:
        there = {entry.get("name") for entry in _contexts(config)}
        config["current-context"] = before if before in there else ""


def _planes(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return filter(None, map(marks_of, _contexts(config)))
