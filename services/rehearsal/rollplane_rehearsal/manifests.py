"""Manifests in whatever form a test or a rehearsal has them: text, paths, parsed documents, messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from rollplane_machinery.codec import Manifest, load_manifests
from rollplane_machinery.codec.manifests import written_of
from rollplane_machinery.kinds import ApiObject, kind_of

Manifests = str | Path | Mapping[str, Any] | ApiObject

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def read(manifests: Iterable[Manifests], namespace: str) -> Sequence[Manifest]:
    """Return the objects of all ``manifests``; those that name no namespace are put into ``namespace``.

    Raises ManifestError for what cannot be read, OSError for a path that is not there.
    """
    found = [manifest for one in manifests for manifest in _read(one)]
    for manifest in found:
        if kind_of(manifest.object).namespaced and not manifest.object.metadata.namespace:
            manifest.object.metadata.namespace = namespace
    return found


def _read(manifests: Manifests) -> Iterable[Manifest]:
    if isinstance(manifests, Path):
        return chain.from_iterable(load_manifests(path.read_bytes(), str(path)) for path in _files(manifests))
    if isinstance(manifests, str):
        return load_manifests(manifests)
    if isinstance(manifests, Mapping):
        return load_manifests(json.dumps(manifests))
    return (Manifest(manifests, 1, 1, written=written_of(manifests)),)


def _files(path: Path) -> Sequence[Path]:
    """The file itself, or a folder's manifests by name."""
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES and each.is_file())
