"""The kubeconfig of a plane: a file of its own, and, when asked, entries in the one that kubectl reads (``merged``)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rollplane_machinery.errors import SetupError
from rollplane_plane.kubeconfig_file import NAME, context_name, kubeconfig, write
from rollplane_plane.merged import merge, take_out

log = logging.getLogger(__name__)


@contextmanager
def offered(url: str, data: Path, merged_into: Path | None = None) -> Iterator[Path]:
    """Let kubectl find the plane at ``url`` on ``data`` within the context; yields the plane's own file.

    That one stays, so that kubectl is refused by the right address afterwards. ``merged_into`` is a file that gets the
    entries too, until then; what an earlier plane on ``data`` left in one is taken out first. Raises SetupError as
    ``merge`` does.
    """
    path = data / NAME
    write(path, kubeconfig(url, context_name(data)))
    if merged_into is None or merged_into.resolve() == path.resolve():
        _tidy_if_possible(data)
        yield path
        return
    merge(merged_into, data, url)
    try:
        yield path
    finally:
        take_out(data)


def _tidy_if_possible(data: Path) -> None:
    try:
        take_out(data)
    except SetupError as exc:
        log.warning("what an earlier run merged stays: %(why)s", {"why": str(exc)})


def users_file(environ: Mapping[str, str]) -> Path:
    """Return the file that kubectl writes to: the first of ``KUBECONFIG``, else ``~/.kube/config``."""
    first = next((part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part), "")
    return Path(first) if first else Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config"
