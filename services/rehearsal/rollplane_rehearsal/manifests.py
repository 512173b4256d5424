"""Manifests in whatever form a test or a rehearsal has them: text, paths, parsed documents, messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rollplane_machinery.codec import Manifest, load_manifests, read_manifests
from rollplane_machinery.codec.manifests import written_of
from rollplane_machinery.codec.objects import KindsByType
from rollplane_machinery.definitions import defined
from rollplane_machinery.kinds import ApiObject, kind_of

Manifests = str | Path | Mapping[str, Any] | ApiObject

NO_KINDS: KindsByType = MappingProxyType({})
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def read(manifests: Iterable[Manifests], namespace: str, customs: KindsByType = NO_KINDS) -> Sequence[Manifest]:
    """Return the objects of all ``manifests``; those that name no namespace are put into ``namespace``.

    Of custom kinds are those in ``customs``, and those that the manifests define themselves. Raises ManifestError for
    what cannot be read, OSError for a path that is not there.
    """
    sources = [source for one in manifests for source in _sources(one)]
    texts, objects = (
        [each[0] for each in sources if isinstance(each, tuple)],
        [each for each in sources if not isinstance(each, tuple)],
    )
    known = {**defined_in(texts), **defined(objects), **customs}
    found = [manifest for source in sources for manifest in _read(source, known)]
    for manifest in found:
        if kind_of(manifest.object).namespaced and not manifest.object.metadata.namespace:
            manifest.object.metadata.namespace = namespace
    return found


def defined_in(texts: Iterable[str | bytes]) -> KindsByType:
    """Return the custom kinds that definitions among the manifests of all ``texts`` make."""
    mentioning = [text for text in texts if _mentions_definitions(text)]
    return defined(manifest.object for text in mentioning for manifest in read_manifests(text, strict=False).manifests)


def _mentions_definitions(text: str | bytes) -> bool:
    """Most files define nothing, and need not be read twice to be sure of it."""
    return b"CustomResourceDefinition" in (text if isinstance(text, bytes) else text.encode())


_Source = tuple[str | bytes, str] | ApiObject
"""A text with its name, or an object as it is."""


def _sources(manifests: Manifests) -> Iterator[_Source]:
    if isinstance(manifests, Path):
        yield from ((path.read_bytes(), str(path)) for path in _files(manifests))
    elif isinstance(manifests, str):
        yield manifests, ""
    elif isinstance(manifests, Mapping):
        yield json.dumps(manifests), ""
    else:
        yield manifests


def _read(source: _Source, customs: KindsByType) -> Sequence[Manifest]:
    if isinstance(source, tuple):
        return load_manifests(*source, customs=customs)
    return (Manifest(source, 1, 1, written=written_of(source)),)


def _files(path: Path) -> Sequence[Path]:
    """The file itself, or a folder's manifests by name."""
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES and each.is_file())
