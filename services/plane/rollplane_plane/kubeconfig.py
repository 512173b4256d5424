"""The kubeconfig of a plane: a file of its own, and, when asked, entries in the one that kubectl reads.

Entries are merged and taken out under the lock that client-go's own tools take (``<file>.lock``), and written by
renaming, so that nobody reads half a file.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from rollplane_machinery.errors import SetupError

NAME = "kubeconfig"
_LISTS = ("clusters", "contexts", "users")
_LOCK_SECONDS = 5.0
_LOOK_SECONDS = 0.05


def context_name(data: Path) -> str:
    """Return the name of the context for the plane on ``data``: of its folder, or of the one it is hidden in."""
    folder = data.parent if data.name.startswith(".") else data
    name = re.sub("[^a-z0-9.-]+", "-", folder.name.lower()).strip("-.")
    return f"rollplane-{name}" if name else "rollplane"


def kubeconfig(url: str, name: str) -> dict[str, Any]:
    """Return the configuration that makes ``url`` the current context ``name``.

    Where there is no TLS it says that none is verified: the client for JavaScript refuses plain HTTP without that word.
    """
    unverified = {"insecure-skip-tls-verify": True} if url.startswith("http:") else {}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url, **unverified}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "users": [{"name": name, "user": {}}],
        "current-context": name,
    }


@contextmanager
def offered(url: str, data: Path, merged_into: Path | None = None) -> Iterator[Path]:
    """Let kubectl find the plane at ``url`` on ``data`` within the context; yields the plane's own file.

    ``merged_into`` is a file that gets the entries too, until then. Raises SetupError as ``merge`` does.
    """
    path, ours = data / NAME, kubeconfig(url, context_name(data))
    write(path, ours)
    before = merge(merged_into, ours) if merged_into is not None else ""
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        if merged_into is not None:
            take_out(merged_into, ours["current-context"], before)


def write(path: Path, config: Mapping[str, Any]) -> None:
    """Write ``config`` to ``path`` in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(dict(config), file, sort_keys=False)
    draft.replace(path)


def users_file(environ: Mapping[str, str]) -> Path:
    """Return the file that kubectl writes to: the first of ``KUBECONFIG``, else ``~/.kube/config``."""
    first = next((part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part), "")
    return Path(first) if first else Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config"


def merge(path: Path, ours: Mapping[str, Any]) -> str:
    """Put ``ours`` into the file at ``path`` and make it current; return what was current before.

    Raises SetupError when somebody else holds the file's lock, or it is no kubeconfig.
    """
    with _locked(path):
        config = _read(path)
        before = str(config.get("current-context") or "")
        for name in _LISTS:
            config[name] = [*_others(config, name, ours["current-context"]), *ours[name]]
        config["current-context"] = ours["current-context"]
        write(path, config)
    return before


def take_out(path: Path, context: str, before: str) -> None:
    """Take ``context`` out of the file at ``path`` again; if it is still current, ``before`` is as it was."""
    if not path.exists():
        return
    with _locked(path):
        config = _read(path)
        for name in _LISTS:
            config[name] = _others(config, name, context)
        if config.get("current-context") == context:
            config["current-context"] = before if before != context else ""
        write(path, config)


def _others(config: Mapping[str, Any], name: str, context: str) -> list[Any]:
    return [entry for entry in config.get(name) or [] if entry.get("name") != context]


def _read(path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_text()) or {}
    except FileNotFoundError:
        config = {}
    except yaml.YAMLError as exc:
        raise SetupError(f"{path} is no kubeconfig: {exc}") from exc
    if not isinstance(config, dict):
        raise SetupError(f"{path} is no kubeconfig")
    return {"apiVersion": "v1", "kind": "Config", **config}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f"{path.name}.lock")
    deadline = time.monotonic() + _LOCK_SECONDS
    while not _taken(lock):
        if time.monotonic() > deadline:
            raise SetupError(f"{path} is being written by somebody else: {lock} exists")
        time.sleep(_LOOK_SECONDS)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _taken(lock: Path) -> bool:
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True
