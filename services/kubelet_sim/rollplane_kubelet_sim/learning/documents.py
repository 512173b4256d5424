"""Reading what ``kubectl get pods,events,nodes -o json`` printed: lists, single objects, watches, one after another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from rollplane_machinery.errors import InvalidError
from rollplane_machinery.yaml_faults import yaml_fault

Document = Mapping[str, Any]


@dataclass(slots=True)
class Records:
    """What was found, in order; of a pod that a watch shows several times every state."""

    pods: list[Document] = field(default_factory=list)
    events: list[Document] = field(default_factory=list)
    nodes: list[Document] = field(default_factory=list)


def read_records(text: str, source: str) -> Records:
    """Return the pods, Events and nodes in JSON documents that follow each other, or in YAML.

    Raises InvalidError for what is neither.
    """
    records = Records()
    places = {"Pod": records.pods, "Event": records.events, "Node": records.nodes}
    for document in _objects(_documents(text, source)):
        if (place := places.get(str(document.get("kind")))) is not None:
            place.append(document)
    return records


def _documents(text: str, source: str) -> Iterator[object]:
    if text.lstrip().startswith(("{", "[")):
        yield from _stream(text, source)
        return
    try:
        yield from yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise InvalidError(f"{source}: neither JSON nor YAML: {yaml_fault(exc)}") from exc


def _stream(text: str, source: str) -> Iterator[object]:
    decoder, at = json.JSONDecoder(), 0
    while (at := _next_word(text, at)) < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError) as exc:
            raise InvalidError(f"{source}: not JSON: {exc}") from exc
        yield document


def _next_word(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _objects(documents: Iterable[object]) -> Iterator[Document]:
    """Unfold lists, and the objects of ``--output-watch-events``."""
    for document in documents:
        if isinstance(document, list):
            yield from _objects(document)
        elif isinstance(document, Mapping):
            if isinstance(document.get("items"), list):
                yield from _objects(document["items"])
            elif isinstance(document.get("object"), Mapping):
                yield from _objects([document["object"]])
            else:
                yield document
