"""What a kubeconfig holds, and how one is read and written: by renaming, so that nobody reads half a file."""

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
from rollplane_machinery.yaml_faults import yaml_fault

NAME = "kubeconfig"
LISTS = ("clusters", "contexts", "users")
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


def write(path: Path, config: Mapping[str, Any]) -> None:
    """Write ``config`` to ``path`` in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(dict(config), file, sort_keys=False)
    draft.replace(path)


def _is_list(entries: object) -> bool:
    return entries is None or (isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries))


def read(path: Path) -> dict[str, Any]:
    """Return what ``path`` holds, an empty kubeconfig when it is missing; raises SetupError when it holds none."""
    try:
        config = yaml.safe_load(path.read_text()) or {}
    except FileNotFoundError:
        config = {}
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise SetupError(f"{path} is no kubeconfig: {yaml_fault(exc)}") from exc
    if not isinstance(config, dict) or not all(_is_list(config.get(each)) for each in LISTS):
        raise SetupError(f"{path} is no kubeconfig")
    return {"apiVersion": "v1", "kind": "Config", **config}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that client-go's own tools take (``<file>.lock``); raises SetupError when somebody else does."""
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
