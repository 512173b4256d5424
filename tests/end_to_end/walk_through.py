"""A page walked as its reader would: each block is run, in order, in one folder and against one plane.

``rollplane up`` starts the plane, in the background and on a free port, whatever the line says of either; a page
without it finds a small plane running. What only looks (``get``, ``why``, …) is asked until it shows what is written.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_load.scenario.reading import read_scenario as read_load
from rollplane_rehearsal.scenario.scenario import read_scenario
from tests.end_to_end.pages import ROOT, Block, Step, blocks_of, steps_of
from tests.end_to_end.up_process import Ran, eventually

USUAL_ADDRESS = "127.0.0.1:7070"
USUAL_PLANE = "rollplane up --nodes 3 --profile instant"
UP = re.compile(r"(\w+=\S+ )*rollplane up\b")
LOOKS = tuple(f"rollplane {verb} " for verb in ("get", "why", "describe", "events"))
SECONDS = 60.0


class Reader:
    """Somebody who reads a page in ``folder``, which looks like a clone; ``steps`` counts the commands taken."""

    def __init__(self, folder: Path) -> None:
        for path in ROOT.glob("[!.]*"):
            (folder / path.name).symlink_to(path)
        self.folder = folder
        self.server = ""
        self.steps = 0

    def take(self, block: Block) -> None:
        """Do what a block says; raises AssertionError when something else comes of it."""
        if block.file:
            assert block.text == (ROOT / block.file).read_text(encoding="utf-8"), f"{block.file} is another"
            assert block.file.startswith(tuple(FILES)), f"nothing runs {block.file}"
        else:
            RUNNERS[block.language](self, block.text)

    def run(self, line: str, given: str = "") -> Ran:
        """Run a line of shell; ``err`` stays empty, since a terminal shows both streams as one."""
        done = subprocess.run(
            ["bash", "-c", line],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **self._address()},
            cwd=self.folder,
            check=False,
        )
        out = done.stdout.replace(self.server, USUAL_ADDRESS) if self.server else done.stdout
        return Ran(done.returncode, out, "")

    def up(self, line: str) -> Ran:
        """Start the plane and return what it said."""
        ran = self.run(f"{line.replace(' --detach', '')} --detach --port 0")
        assert ran.code == 0, (line, ran)
        self.server = dict(word.split("=", 1) for word in ran.out.split() if "=" in word)["server"]
        return Ran(ran.code, ran.out.replace(self.server, USUAL_ADDRESS), "")

    def need_plane(self) -> None:
        """Have the usual plane where the page has started none."""
        if not self.server:
            self.up(USUAL_PLANE)

    def _address(self) -> Mapping[str, str]:
        return {"ROLLPLANE_SERVER": self.server} if self.server else {}


@contextmanager
def reading(folder: Path) -> Iterator[Reader]:
    """Have a reader in an empty folder, and no plane behind."""
    reader = Reader(folder)
    try:
        yield reader
    finally:
        if reader.server:
            reader.run("rollplane down")


def walk(page: Path, folder: Path) -> int:
    """Run every block of ``page`` in ``folder`` and return how many commands that were."""
    with reading(folder) as reader:
        for block in blocks_of(page):
            reader.take(block)
        return reader.steps


def _console(reader: Reader, text: str) -> None:
    for step in steps_of(text):
        reader.steps += 1
        _check(step, _take(reader, step))


def _take(reader: Reader, step: Step) -> Ran:
    if UP.match(step.line):
        return reader.up(step.line)
    if step.line.startswith("rollplane "):
        reader.need_plane()
    return _look(reader, step) if step.line.startswith(LOOKS) else reader.run(step.line)


def _look(reader: Reader, step: Step) -> Ran:
    ran = reader.run(step.line)

    def shows() -> bool:
        nonlocal ran
        ran = ran if step.matches(ran.out) else reader.run(step.line)
        return step.matches(ran.out)

    eventually(shows, f"{step.line} never shows\n{step.shown}\nbut\n{ran.out}")
    return ran


def _check(step: Step, ran: Ran) -> None:
    assert (ran.code != 0) is step.fails, (step.line, ran)
    assert step.matches(ran.out), f"{step.line} shows\n{ran.out}, not\n{step.shown}"


def _python(reader: Reader, text: str) -> None:
    reader.need_plane()
    ran = reader.run(f"{sys.executable} -W error -", text.replace(USUAL_ADDRESS, reader.server))
    assert ran.code == 0, (text, ran)
    assert ran.out, f"prints nothing:\n{text}"


def _yaml(reader: Reader, text: str) -> None:
    for field, read in READERS.items():
        if f"\n{field}:" in f"\n{text}":
            assert read(text)
            return
    reader.need_plane()
    ran = reader.run("rollplane apply -f -", text)
    assert ran.code == 0, (text, ran)


def _elsewhere(_reader: Reader, text: str) -> None:
    for line in text.replace("\\\n", "").splitlines():
        assert line.startswith(tuple(ELSEWHERE)), f"nothing runs: {line}"


def _no_command(_reader: Reader, text: str) -> None:
    assert "$ " not in text, f"commands belong into a console block:\n{text}"


ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "make demo": "tests/plane tell its story",
        "make test": "it is what runs this",
        "cd examples/node ": "tests/clients/python/test_client_examples.py",
        "grpcurl ": "tests/clients/python/test_client_docs.py",
        "export KUBECONFIG=": "what tests/clients/real set for kubectl and Helm",
        "KUBECONFIG=FOLDER/kubeconfig kopf ": "tests/clients/real run the operator",
        "kubectl ": "tests/clients/real",
        "helm ": "tests/clients/real/test_helm.py",
        "rollplane up --nodes 300 --node-pool ": "tests/end_to_end/test_up_processes.py",
        "rollplane load ": "tests/clients/load/test_load_processes.py",
        "pip install ": "tests/packaging/test_wheel.py installs the wheel",
        "pipx ": "as pip, into an environment of its own",
        "uvx ": "as pip, into an environment of its own",
        "python protos/generate.py": "make check",
    }
)
"""Lines of ``sh`` blocks that are not run here, by what they begin with, and why."""

READERS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "steps": lambda text: read_scenario(text, "scenario").steps,
        "phases": lambda text: read_load(text, "load").phases,
        "rules": lambda text: parse_profile(text).rules,
    }
)
"""What reads a YAML block that is none of objects, by a field that it has."""

FILES: Mapping[str, str] = MappingProxyType(
    {"examples/testing/": "tests/testing/test_testing_page.py, tests/clients/real/test_testing_examples.py"}
)
"""Files that pages show, by what their paths begin with, and what runs them."""

RUNNERS: Mapping[str, Callable[[Reader, str], None]] = MappingProxyType(
    {"console": _console, "python": _python, "yaml": _yaml, "sh": _elsewhere, "text": _no_command}
)
"""What runs a block, by its language. A block of any other is refused."""
