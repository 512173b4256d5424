"""Manifest files: many documents, lists of objects, and every problem of the file told at once, with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from rollplane_machinery.codec.legacy import LEGACY_KINDS
from rollplane_machinery.codec.objects import KindsByType, read_object, to_json
from rollplane_machinery.codec.problems import Json, Problem, Report, summary
from rollplane_machinery.codec.text import Fault, read_documents
from rollplane_machinery.codec.tree import Document
from rollplane_machinery.errors import BadRequestError, Cause, CauseReason
from rollplane_machinery.kinds import BY_API_VERSION_KIND, ApiObject

Steps = tuple[str | int, ...]
"""The way from the root of a document to a member."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object of a file: from which ``document`` (counted from 1), beginning on which ``line`` (from 1).

    ``written`` is what the file says, nulls and empty objects included, in the object's storage version. ``warnings``
    names the fields left out because they are unknown or duplicate, when reading was not strict.
    """

    object: ApiObject
    document: int
    line: int
    source: str = ""
    written: dict[str, Json] = field(default_factory=dict)
    warnings: tuple[Cause, ...] = ()

    def with_annotation(self, name: str, value: str) -> Manifest:
        """Return the manifest as if it had that annotation; the object is changed in place."""
        self.object.metadata.annotations[name] = value
        metadata = self.written["metadata"]
        annotations = {**(metadata.get("annotations") or {}), name: value}
        return replace(self, written={**self.written, "metadata": {**metadata, "annotations": annotations}})


@dataclass(frozen=True, slots=True)
class ManifestProblem:
    """One problem of a file; ``field`` is empty when the document as a whole is meant."""

    document: int
    line: int
    field: str
    reason: CauseReason
    message: str

    @property
    def is_unknown_kind(self) -> bool:
        """Whether the object is of a kind that is not known; in a list it is told of the item."""
        return self.reason is CauseReason.NOT_SUPPORTED and self.field.rpartition(".")[2] == "kind"

    def __str__(self) -> str:
        """``document 2, line 14: spec.template.spec.containers[0].imagee: unknown field``."""
        where = f"{self.field}: " if self.field else ""
        return f"document {self.document}, line {self.line}: {where}{self.message}"


class ManifestError(BadRequestError):
    """A file has problems; ``problems`` are all of them, in the order of the file, ``source`` is its name.

    As a BadRequestError it has one cause for each, whose message ends in document and line.
    """

    def __init__(self, source: str, problems: Sequence[ManifestProblem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        causes = [Cause(p.reason, p.field, f"{p.message} (document {p.document}, line {p.line})") for p in problems]
        super().__init__(f"{source or 'manifest'}: {count}: {summary([str(p) for p in problems])}", causes=causes)
        self.source = source
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file holds: the objects that could be read, and the problems of all the others."""

    manifests: tuple[Manifest, ...]
    problems: tuple[ManifestProblem, ...]


def load_manifests(
    text: str | bytes, source: str = "", *, strict: bool = True, customs: KindsByType = MappingProxyType({})
) -> list[Manifest]:
    """Return the objects of a YAML or JSON file, those inside lists one by one; empty documents do not count.

    ``source`` names the file in errors; objects may be of one of the ``customs`` too. Raises ManifestError (a
    BadRequestError) with all problems of the file.
    """
    loaded = read_manifests(text, source, strict=strict, customs=customs)
    if loaded.problems:
        raise ManifestError(source, loaded.problems)
    return list(loaded.manifests)


def read_manifests(
    text: str | bytes, source: str = "", *, strict: bool = True, customs: KindsByType = MappingProxyType({})
) -> Loaded:
    """As ``load_manifests``, but return the problems beside the objects that have none. Never raises.

    Objects may be of one of the ``customs`` too.
    """
    manifests: list[Manifest] = []
    problems: list[ManifestProblem] = []
    for number, document in enumerate(read_documents(text), start=1):
        if isinstance(document, Fault):
            problems.append(ManifestProblem(number, document.line, "", CauseReason.INVALID, document.message))
        else:
            found = _read_document(document, number, source, strict, customs)
            manifests += found.manifests
            problems += found.problems
    return Loaded(tuple(manifests), tuple(problems))


def _read_document(document: Document, number: int, source: str, strict: bool, customs: KindsByType) -> Loaded:
    items = {item.steps: item for item in items_of(document)}
    duplicates = _by_owner(document.duplicates, items)
    manifests: list[Manifest] = []
    errors: list[Problem] = []
    for item in items.values():
        report = Report(strict)
        for steps in duplicates.pop(item.steps, ()):
            report.duplicate(steps[len(item.steps) :])
        obj = read_object(item.value, report, customs)
        if obj is not None and not report.errors:
            warnings = tuple(_below(problem, item).cause for problem in report.warnings)
            line = document.line_of(item.steps)
            manifests.append(Manifest(obj, number, line, source, written_of(obj, item.value, customs), warnings))
        errors += [_below(problem, item) for problem in report.errors]
    around = Report(strict)  # what is given twice in the list itself
    for steps in duplicates.pop(None, ()):
        around.duplicate(steps)
    located = [_located(problem, number, document) for problem in errors + around.errors]
    return Loaded(tuple(manifests), tuple(sorted(located, key=lambda problem: problem.line)))


def written_of(message: ApiObject, data: Json = None, customs: KindsByType = MappingProxyType({})) -> dict[str, Json]:
    """Return what a manifest says, given the object read from ``data``.

    Without ``data``, or with data of an older version, that is what the object says, less what is printed for nothing.
    """
    of = (data["apiVersion"], data["kind"]) if isinstance(data, dict) else None
    if isinstance(data, dict) and (of in BY_API_VERSION_KIND or of in customs):
        return data
    pruned: dict[str, Json] = _pruned(to_json(message))
    return pruned


_PRINTED_WHEN_EMPTY = frozenset({"status", "strategy", "updateStrategy", "resources"})
"""Members the codec prints although no manifest says them."""


def _pruned(value: Json) -> Any:
    """``value`` without nulls, and without what the codec prints for nothing."""
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    if not isinstance(value, dict):
        return value
    pruned = {name: _pruned(member) for name, member in value.items() if member is not None}
    return {name: member for name, member in pruned.items() if member != {} or name not in _PRINTED_WHEN_EMPTY}


def _by_owner(duplicates: Sequence[Steps], items: Mapping[Steps, Item]) -> dict[Steps | None, list[Steps]]:
    """Return the duplicates by the steps of the item they are in, None for those in no item."""
    owned: dict[Steps | None, list[Steps]] = {}
    for steps in duplicates:
        owner = next((steps[:depth] for depth in range(len(steps)) if steps[:depth] in items), None)
        owned.setdefault(owner, []).append(steps)
    return owned


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a document: its value, and the steps to it."""

    value: Json
    steps: Steps = ()


def items_of(document: Document) -> Iterator[Item]:
    """Yield the objects of a document: none if it is empty, the items one by one if it is a list."""
    if document.value is not None:
        yield from _flatten(Item(document.value))


def _flatten(item: Item) -> Iterator[Item]:
    """Unpack ``List`` and the lists of one kind, whose items may leave out what the list says of them."""
    members = item.value.get("items") if isinstance(item.value, dict) else None
    kind = item.value.get("kind") if isinstance(item.value, dict) else None
    if not isinstance(members, list) or not isinstance(kind, str) or not kind.endswith("List"):
        yield item
        return
    inherited = _inherited(item.value.get("apiVersion"), kind.removesuffix("List"))
    for index, member in enumerate(members):
        value = inherited | member if isinstance(member, dict) else member
        yield from _flatten(Item(value, (*item.steps, "items", index)))


def _inherited(api_version: Json, kind: str) -> dict[str, Json]:
    """Return what the items of a typed list need not say; nothing if it is a plain List, or of an unknown kind."""
    of = (str(api_version), kind)
    is_known = of in BY_API_VERSION_KIND or of in LEGACY_KINDS
    return {"apiVersion": api_version, "kind": kind} if is_known else {}


def _below(problem: Problem, item: Item) -> Problem:
    return Problem(item.steps + problem.steps, problem.reason, problem.message)


def _located(problem: Problem, number: int, document: Document) -> ManifestProblem:
    cause = problem.cause
    return ManifestProblem(number, document.line_of(problem.steps), cause.field, cause.reason, cause.message)
