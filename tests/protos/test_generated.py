"""protos/generate.py: it makes every file that is not hand-written, says which are out of date, and lints."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROTOS = Path(__file__).parents[2] / "protos"
COMMENTS = Path("rollplane/comments.json")
NAMESPACE = Path("rollplane/core/v1/namespace.proto")


def run(protos: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the generator that stands in ``protos``; it works on its own folder."""
    command = [sys.executable, str(protos / "generate.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def python_files(protos: Path) -> set[Path]:
    return {path.relative_to(protos) for path in protos.joinpath("rollplane").rglob("*.py*") if path.suffix != ".pyc"}


def comments(protos: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((protos / COMMENTS).read_text())
    return found


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of what is hand-written under protos/, and nothing else."""
    protos = tmp_path / "protos"
    shutil.copytree(
        PROTOS, protos, ignore=shutil.ignore_patterns("*.py", "*.pyi", "py.typed", "comments.json", "__pycache__")
    )
    shutil.copy(PROTOS / "generate.py", protos)
    return protos


def test_every_python_file_is_made_from_the_sources(sources: Path) -> None:
    assert run(sources).returncode == 0
    assert python_files(sources) == python_files(PROTOS)
    assert comments(sources) == comments(PROTOS)
    assert run(sources, "--check").returncode == 0


def test_check_names_what_is_out_of_date_and_writing_repairs_it(sources: Path) -> None:
    run(sources)
    edited, orphan, lost = (
        sources / f"rollplane/core/v1/{name}" for name in ("pod_pb2.py", "old_pb2.py", "__init__.py")
    )
    edited.write_text("")
    orphan.write_text("")
    lost.unlink()

    check = run(sources, "--check")
    assert check.returncode == 1
    assert sorted(line.split()[3].rsplit("/")[-1] for line in check.stderr.splitlines()) == [
        "__init__.py",
        "old_pb2.py",
        "pod_pb2.py",
    ]
    assert orphan.exists()
    assert not lost.exists()

    run(sources)
    assert run(sources, "--check").returncode == 0
    assert not orphan.exists()


def test_lint_refuses_a_message_that_nobody_explains(sources: Path) -> None:
    assert run(sources, "--lint").returncode == 0
    (sources / NAMESPACE).write_text((PROTOS / NAMESPACE).read_text() + "\nmessage Riddle {}\n")
    lint = run(sources, "--lint")
    assert lint.returncode != 0
    assert '"Riddle" should have a non-empty comment' in lint.stdout


def test_a_source_that_protoc_refuses_changes_nothing(sources: Path) -> None:
    run(sources)
    before = {path: (sources / path).read_text() for path in python_files(sources)}
    (sources / NAMESPACE).write_text((PROTOS / NAMESPACE).read_text() + "\nmessage Broken { Nothing field = 1; }\n")
    assert run(sources).returncode != 0
    assert {path: (sources / path).read_text() for path in python_files(sources)} == before


def test_comments_are_kept_in_the_words_of_json(sources: Path) -> None:
    text = (PROTOS / NAMESPACE).read_text()
    (sources / NAMESPACE).write_text(
        text + "\n// Riddle asks for\n// min_ready_seconds, not for no_such_field.\nmessage Riddle {}\n"
    )
    assert run(sources).returncode == 0
    added = comments(sources)["rollplane.core.v1.Riddle"]
    assert added == "Riddle asks for minReadySeconds, not for no_such_field."


def test_api_services_are_not_kubernetes() -> None:
    assert not [name for name in comments(PROTOS) if name.startswith(("rollplane.api.", "rollplane.json."))]


def test_check_names_comments_that_are_out_of_date(sources: Path) -> None:
    run(sources)
    (sources / COMMENTS).write_text("{}")
    check = run(sources, "--check")
    assert (check.returncode, str(COMMENTS) in check.stderr) == (1, True)
