"""What a plane puts into the kubeconfig of its user, and that nothing of the user's is lost by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rollplane_machinery.errors import SetupError
from rollplane_plane.kubeconfig import offered
from rollplane_plane.merged import merge, take_out
from tests.end_to_end.up_process import rollplane

URL = "http://127.0.0.1:7080"
OTHER = "http://127.0.0.1:7090"
THEIRS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "preferences": {"colors": True},
    "clusters": [{"name": "prod", "cluster": {"server": "https://prod"}}],
    "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "me"}}],
    "users": [{"name": "me", "user": {"token": "secret"}}],
    "current-context": "prod",
}


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """The user's own kubeconfig."""
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(THEIRS))
    return path


def folder(tmp_path: Path, name: str) -> Path:
    """A data folder."""
    data = tmp_path / name
    data.mkdir(parents=True)
    return data


def held(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_what_was_merged_is_taken_out_again(users: Path, tmp_path: Path) -> None:
    with offered(URL, tmp_path / "plane", users):
        merged = held(users)
        assert merged["current-context"] == "rollplane-plane"
        assert [each["name"] for each in merged["clusters"]] == ["prod", "rollplane-plane"]
        assert merged["users"][0] == THEIRS["users"][0]
    assert held(users) == THEIRS


def test_a_context_chosen_meanwhile_stays(users: Path, tmp_path: Path) -> None:
    with offered(URL, tmp_path / "plane", users):
        users.write_text(yaml.safe_dump({**held(users), "current-context": "other"}))
    assert held(users) == {**THEIRS, "current-context": "other"}


def test_a_former_context_that_is_gone_is_not_put_back(users: Path, tmp_path: Path) -> None:
    with offered(URL, tmp_path / "plane", users):
        merged = held(users)
        users.write_text(yaml.safe_dump({**merged, "contexts": merged["contexts"][1:]}))
    assert held(users)["current-context"] == ""


@pytest.mark.parametrize("text", ["[not, a, config]", "contexts: [1]", "users: {}", "a: [", "\xe4"])
def test_a_file_that_is_no_kubeconfig_is_left_alone(users: Path, tmp_path: Path, text: str) -> None:
    users.write_text(text, encoding="latin-1")
    with pytest.raises(SetupError, match="is no kubeconfig"), offered(URL, tmp_path / "plane", users):
        pass
    assert users.read_text(encoding="latin-1") == text


def test_a_file_that_was_made_for_it_goes_with_it(tmp_path: Path) -> None:
    users = tmp_path / "none" / "config"
    with offered(URL, tmp_path / "plane", users):
        assert users.exists()
    assert not users.exists()


def test_a_file_that_was_made_for_two_goes_with_the_last(tmp_path: Path) -> None:
    users, one, two = tmp_path / "config", folder(tmp_path, "one"), folder(tmp_path, "two")
    merge(users, one, URL)
    merge(users, two, OTHER)
    take_out(one)
    assert held(users)["current-context"] == "rollplane-two"
    take_out(two)
    assert not users.exists()


def test_a_file_that_was_made_for_it_and_got_more_stays(tmp_path: Path) -> None:
    users = tmp_path / "config"
    with offered(URL, tmp_path / "plane", users):
        merged = held(users)
        users.write_text(yaml.safe_dump({**merged, "contexts": [*merged["contexts"], *THEIRS["contexts"]]}))
    assert held(users)["contexts"] == THEIRS["contexts"]


def test_a_link_is_followed(users: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(users)
    with offered(URL, tmp_path / "plane", link):
        assert held(users)["current-context"] == "rollplane-plane"
    assert link.is_symlink()
    assert held(users) == THEIRS


def test_folders_of_one_name_have_contexts_of_their_own(
    users: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = folder(tmp_path, "x/proj"), folder(tmp_path, "y/proj")
    assert merge(users, one, URL) == "rollplane-proj"
    assert merge(users, two, OTHER) == "rollplane-proj-2"
    assert "the context rollplane-proj is another plane's: this one is rollplane-proj-2" in caplog.text
    take_out(two)
    assert held(users)["clusters"][1]["cluster"]["server"] == URL
    assert held(users)["current-context"] == "rollplane-proj"
    take_out(one)
    assert held(users) == THEIRS


def test_whatever_plane_ends_first_the_user_s_own_context_comes_back(users: Path, tmp_path: Path) -> None:
    one, two = folder(tmp_path, "one"), folder(tmp_path, "two")
    merge(users, one, URL)
    merge(users, two, OTHER)
    take_out(one)
    assert held(users)["current-context"] == "rollplane-two"
    take_out(two)
    assert held(users) == THEIRS


@pytest.mark.parametrize("merged_again", [True, False])
def test_the_next_plane_takes_out_what_a_killed_one_left(users: Path, tmp_path: Path, merged_again: bool) -> None:
    data = folder(tmp_path, "plane")
    merge(users, data, URL)
    with offered(OTHER, data, users if merged_again else None):
        contexts = [each["name"] for each in held(users)["contexts"]]
        assert contexts == (["prod", "rollplane-plane"] if merged_again else ["prod"])
    assert held(users) == THEIRS


def test_what_a_run_left_whose_data_are_gone_is_replaced(users: Path, tmp_path: Path) -> None:
    data = folder(tmp_path, "plane")
    merge(users, data, URL)
    (data / "merged-into").unlink()
    with offered(OTHER, data, users):
        assert held(users)["current-context"] == "rollplane-plane"
    assert held(users) == THEIRS


def test_down_takes_out_what_a_killed_plane_left(users: Path, tmp_path: Path) -> None:
    data = folder(tmp_path, "plane")
    merge(users, data, URL)
    ran = rollplane(f"down --data {data}")
    assert ran.out == f"no plane runs on {data}\nthe context of a plane that was killed is out of {users}\n"
    assert held(users) == THEIRS
    assert rollplane(f"down --data {data}").out == f"no plane runs on {data}\n"


def test_an_end_tells_what_cannot_be_taken_out(users: Path, tmp_path: Path) -> None:
    data = folder(tmp_path, "plane")
    merge(users, data, URL)
    users.write_text("a: [")
    ran = rollplane(f"down --data {data}")
    assert ran.code == 1
    assert f"cannot be taken out of the kubeconfig: {users} is no kubeconfig" in ran.err


def test_a_plane_whose_own_file_is_the_user_s_leaves_it_whole(tmp_path: Path) -> None:
    data = folder(tmp_path, "plane")
    with offered(URL, data, data / "kubeconfig") as path:
        assert held(path)["current-context"] == "rollplane-plane"
    assert held(path)["current-context"] == "rollplane-plane"
