"""``rollplane profile learn`` as a process: from files and standard input, and what it cannot read."""

from __future__ import annotations

import json
from pathlib import Path

from rollplane_kubelet_sim.stages.schema import parse_profile
from tests.end_to_end.up_process import rollplane
from tests.kubelet_sim.test_learning import running


def test_the_profile_of_several_files_and_which_alias_is_which(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.json").write_text(json.dumps(running(f"web-{number}")))
    ran = rollplane("profile learn -f 1.json -f 2.json --anonymize", cwd=tmp_path)
    assert ran.code == 0
    assert "# 2 spans: median 4 s" in ran.out
    assert parse_profile(ran.out).rules[0].selector.image == ("image-1", "image-1[:@]*")
    assert ran.err == "image-1: registry.example/shop/web\n"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ran = rollplane("profile learn -f nowhere.json", cwd=tmp_path)
    assert (ran.code, ran.out, ran.err) == (1, "", 'error: the path "nowhere.json" does not exist\n')


def test_an_argument_of_no_flag_is_refused(tmp_path: Path) -> None:
    ran = rollplane("profile learn -f 1.json 2.json", cwd=tmp_path)
    assert (ran.code, ran.out) == (1, "")
    assert 'unknown argument "2.json": give each file a -f of its own' in ran.err
