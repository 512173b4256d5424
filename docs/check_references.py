"""``python docs/check_references.py``: whatever the repository's texts refer to is there.

Looked at: links of Markdown pages, paths of files named in prose, comments and docstrings, "section N" behind a page of
``docs/semantics``, and dotted names of our own modules. Prints a line for each that leads nowhere; exit code 1 then.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READ = (".py", ".md", ".lua", ".proto", ".toml", ".yml", ".yaml", ".sh")
TOP = "docs|machinery|services|clients|tests|examples|protos"

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")
FILE = re.compile(rf"(?<![\w./-])((?:{TOP})/[\w./-]+\.(?:md|py|lua|proto|json|yaml|yml|sh|svg))\b(?! made)")
BARE = re.compile(r"(?<![\w./-])(?:\.\./[\w./-]*|semantics/)[\w-]+\.md\b|(?<![\w/-])design\.md\b")
SECTION = re.compile(r"docs/semantics/([a-z-]+)\.md`*,? (?:section|§) ?(\d+)")
MODULE = re.compile(r"\b(rollplane_[a-z_]+)((?:\.[A-Za-z_]\w*)+)")
ENDINGS = ("md", "py", "lua", "proto", "log", "svg")

Finder = Callable[[Path, str], Iterator[str]]


def dead_links(page: Path, text: str) -> Iterator[str]:
    """Yield the links of a Markdown page that lead to no file or to no heading."""
    if page.suffix != ".md":
        return
    for match in LINK.finditer(text):
        path, anchor = match.groups()
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            yield f"no such file: {path}"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"no such heading: {path}#{anchor}"


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def dead_files(_page: Path, text: str) -> Iterator[str]:
    """Yield the paths named that are not in the repository, and pages cited that lie outside it."""
    for match in FILE.finditer(text):
        if not (ROOT / match[1]).exists():
            yield f"no such file: {match[1]}"
    for match in BARE.finditer(text):
        if "/" not in match[0] or match[0].startswith("semantics/"):
            yield f"not in the repository: {match[0]}"


def dead_sections(_page: Path, text: str) -> Iterator[str]:
    """Yield the sections of the law that are cited and not there."""
    for name, number in SECTION.findall(" ".join(text.split())):
        page = ROOT / "docs" / "semantics" / f"{name}.md"
        if page.exists() and not re.search(rf"^##+ {number}\b", page.read_text(encoding="utf-8"), re.MULTILINE):
            yield f"no section {number} in docs/semantics/{name}.md"


def dead_modules(_page: Path, text: str) -> Iterator[str]:
    """Yield the dotted names of our own that are neither a module nor in one."""
    for package, rest in MODULE.findall(text):
        names = rest[1:].split(".")
        place = rooms().get(package)
        if place is not None and names[-1] not in ENDINGS and not is_there(place, names):
            yield f"no such module or name: {package}{rest}"


def is_there(place: Path, names: Sequence[str]) -> bool:
    """Return whether ``names`` lead from the package at ``place`` to a module, or to a name that one holds."""
    for position, name in enumerate(names):
        if (place / name / "__init__.py").exists():
            place = place / name
            continue
        module = place / f"{name}.py"
        held, rest = (module, names[position + 1 :]) if module.exists() else (place / "__init__.py", names[position:])
        return not rest or re.search(rf"\b{rest[0]}\b", held.read_text(encoding="utf-8")) is not None
    return True


@cache
def rooms() -> dict[str, Path]:
    """Return our packages by name."""
    return {init.parent.name: init.parent for init in ROOT.glob("*/**/__init__.py") if is_room(init.parent)}


def is_room(folder: Path) -> bool:
    """Return whether ``folder`` is one of our packages."""
    return folder.name.startswith("rollplane_") and (folder / "py.typed").exists()


FINDERS: Sequence[Finder] = (dead_links, dead_files, dead_sections, dead_modules)


def tracked() -> Sequence[Path]:
    """Return the repository's own texts: no generated code, no recorded data."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / line for line in listed.splitlines()]
    return [path for path in paths if path.suffix in READ and path.exists() and not is_foreign(path)]


def is_foreign(path: Path) -> bool:
    """Return whether ``path`` is generated, recorded, or names dead references on purpose."""
    return "_pb2" in path.name or "golden" in path.parts or path.stem.endswith("_references")


def run() -> int:
    """Print what leads nowhere; return the exit code."""
    found = 0
    for page in tracked():
        text = page.read_text(encoding="utf-8")
        for finder in FINDERS:
            for line in dict.fromkeys(finder(page, text)):
                print(f"{page.relative_to(ROOT)}: {line}")
                found += 1
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(run())
