"""Who runs on a data folder is found by a lock; a process id in a file is not believed by itself."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rollplane_machinery.errors import SetupError
from rollplane_service.presence import NAME, Presence, ask_to_end, claimed, plane_on

HOLDER = """
import sys, time
from pathlib import Path
from rollplane_service.presence import claimed
with claimed(Path(sys.argv[1])) as claim:
    claim.tell("127.0.0.1:1")
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_has_one_plane(tmp_path: Path) -> None:
    with claimed(tmp_path) as claim:
        claim.tell("127.0.0.1:1")
        assert plane_on(tmp_path) == Presence(os.getpid(), "127.0.0.1:1")
        told = f"in use by another plane, process {os.getpid()} at 127.0.0.1:1"
        with pytest.raises(SetupError, match=told), claimed(tmp_path):
            pass
    assert plane_on(tmp_path) is None


def test_a_look_does_not_keep_a_plane_from_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks holds the lock for an instant."""
    with claimed(tmp_path):
        pass
    looking = os.open(tmp_path / NAME, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_EX)
    monkeypatch.setattr(time, "sleep", lambda _: os.close(looking))
    with claimed(tmp_path):
        assert plane_on(tmp_path) is not None


def test_nobody_runs_where_nobody_ran(tmp_path: Path) -> None:
    assert plane_on(tmp_path) is None
    assert ask_to_end(tmp_path / "nowhere") is None


def test_the_holder_of_the_lock_is_ended(tmp_path: Path) -> None:
    with subprocess.Popen((sys.executable, "-c", HOLDER, str(tmp_path)), stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert ask_to_end(tmp_path) == Presence(holder.pid, "127.0.0.1:1")
        assert holder.wait(timeout=20) != 0
    assert plane_on(tmp_path) is None


def test_a_process_id_that_somebody_left_behind_is_not_signalled(tmp_path: Path) -> None:
    with subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE, text=True) as stranger:
        (tmp_path / NAME).write_text(json.dumps({"pid": stranger.pid, "server": "127.0.0.1:1"}))
        assert ask_to_end(tmp_path) is None
        stranger.communicate("\n")
    assert stranger.returncode == 0
