"""Check that real manifests survive: ``python -m tests.machinery.survey FOLDER…``

Reads every YAML and JSON file below each folder, takes the objects of Rollplane's kinds, and for each one parses it
strictly, applies the defaults, prints it, and looks for every member of the input in the output. Files that are no
YAML (templates, mostly) and objects of other kinds are only counted.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollplane_machinery import quantity
from rollplane_machinery.codec import from_json, to_json
from rollplane_machinery.codec.legacy import LEGACY_KINDS
from rollplane_machinery.codec.manifests import items_of
from rollplane_machinery.codec.text import Fault, read_documents
from rollplane_machinery.errors import BadRequestError, RollplaneError
from rollplane_machinery.kinds import BY_API_VERSION_KIND
from rollplane_rules.defaults import apply_defaults

_SUFFIXES = (".yaml", ".yml", ".json")
# Kept elsewhere: in annotations, and (by the defaults of a Secret) in ``data``.
_MOVED = ("rollbackTo", "templateGeneration", "stringData")


@dataclass(slots=True)
class Survey:
    """What was found in one folder; ``problems`` are sentences that begin with the file."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def take_file(self, path: Path, name: str) -> None:
        """Count the file and check its objects."""
        documents = list(read_documents(path.read_bytes()))
        self.counts["files"] += 1
        if any(isinstance(document, Fault) for document in documents):
            self.counts["files that are no YAML or JSON"] += 1
        for document in documents:
            if isinstance(document, Fault):
                continue
            for item in items_of(document):
                self._take_object(item.value, f"{name}:{document.line_of(item.steps)}")

    def _take_object(self, data: Any, where: str) -> None:
        if not isinstance(data, dict) or not _is_ours(data):
            self.counts["other objects"] += 1
            return
        self.counts["objects"] += 1
        try:
            message = from_json(data)
        except RollplaneError as error:
            self.counts["refused"] += 1
            self.problems.append(f"{where}: refused: {'; '.join(map(str, error.causes))}")
            return
        apply_defaults(message)
        lost = list(differences(data, to_json(message)))
        self.counts["changed" if lost else "kept"] += 1
        self.problems += [f"{where}: {sentence}" for sentence in lost]


def _is_ours(data: dict[str, Any]) -> bool:
    key = (data.get("apiVersion"), data.get("kind"))
    return key in BY_API_VERSION_KIND or key in LEGACY_KINDS


def differences(given: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Yield a sentence for each member of ``given`` that ``kept`` lacks or has otherwise.

    What is empty may be left out or defaulted (a zero only left out, but for the target port of a Service); a quantity
    may be in its canonical form, and what an older API version says in a field of its own may have moved.
    """
    if given in (None, "", [], {}) or (given in (0, False) and kept is None):
        return
    if path.endswith(".targetPort") and given == 0:
        return
    if isinstance(given, dict) and isinstance(kept, dict):
        for name, value in given.items():
            if not (name == "apiVersion" and not path) and name not in _MOVED:
                yield from differences(value, kept.get(name), f"{path}.{name}" if path else name)
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for index, value in enumerate(given):
            yield from differences(value, kept[index], f"{path}[{index}]")
    elif given != kept and not _is_same_quantity(given, kept):
        yield f"{path}: {given!r} became {kept!r}"


def _is_same_quantity(given: Any, kept: Any) -> bool:
    try:
        return isinstance(kept, str) and quantity.canonical(str(given)) == kept
    except BadRequestError:
        return False


def survey(folder: Path) -> Survey:
    """Return what the files below ``folder`` hold."""
    result = Survey()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file()):
        result.take_file(path, str(path.relative_to(folder)))
    return result


def main(folders: list[str]) -> int:
    """Print counts and problems of each folder; return 1 if an object came back changed."""
    changed = 0
    for folder in folders:
        result = survey(Path(folder))
        changed += result.counts["changed"]
        print(f"# {folder}", *(f"{count:7} {name}" for name, count in result.counts.items()), sep="\n")
        print(*result.problems, sep="\n")
    return min(changed, 1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
