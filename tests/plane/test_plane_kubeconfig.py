"""A plane's kubeconfig: a file of its own, and entries in the user's for as long as it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rollplane_machinery.errors import SetupError
from rollplane_plane.kubeconfig import context_name, kubeconfig, offered, users_file

URL = "http://127.0.0.1:7080"
THEIRS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "preferences": {"colors": True},
    "clusters": [{"name": "prod", "cluster": {"server": "https://prod"}}],
    "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "me"}}],
    "users": [{"name": "me", "user": {"token": "secret"}}],
    "current-context": "prod",
}


@pytest.mark.parametrize(
    ("data", "name"),
    {
        "hidden": ("/work/My Shop/.rollplane", "rollplane-my-shop"),
        "named": ("/srv/plane_1", "rollplane-plane-1"),
        "root": ("/.rollplane", "rollplane"),
    }.values(),
)
def test_the_context_is_named_after_the_folder(data: str, name: str) -> None:
    assert context_name(Path(data)) == name


def test_the_file_is_there_while_the_plane_is(tmp_path: Path) -> None:
    with offered(URL, tmp_path) as path:
        config = yaml.safe_load(path.read_text())
        assert config["clusters"][0]["cluster"] == {"server": URL, "insecure-skip-tls-verify": True}
        assert config["current-context"] == config["contexts"][0]["name"]
        assert path.stat().st_mode & 0o077 == 0
    assert not path.exists()


def test_tls_is_verified_where_there_is_any() -> None:
    assert kubeconfig("https://127.0.0.1:1", "x")["clusters"][0]["cluster"] == {"server": "https://127.0.0.1:1"}


def test_what_was_merged_is_taken_out_again(tmp_path: Path) -> None:
    users = tmp_path / "config"
    users.write_text(yaml.safe_dump(THEIRS))
    with offered(URL, tmp_path / "plane", users):
        merged = yaml.safe_load(users.read_text())
        assert merged["current-context"] == "rollplane-plane"
        assert [each["name"] for each in merged["clusters"]] == ["prod", "rollplane-plane"]
        assert merged["users"][0] == THEIRS["users"][0]
    assert yaml.safe_load(users.read_text()) == THEIRS


def test_a_context_chosen_meanwhile_stays(tmp_path: Path) -> None:
    users = tmp_path / "config"
    with offered(URL, tmp_path / "plane", users):
        merged = yaml.safe_load(users.read_text())
        users.write_text(yaml.safe_dump({**merged, "current-context": "other"}))
    left = yaml.safe_load(users.read_text())
    assert (left["current-context"], left["clusters"]) == ("other", [])


def test_a_file_that_is_no_kubeconfig_is_left_alone(tmp_path: Path) -> None:
    users = tmp_path / "config"
    users.write_text("[not, a, config]")
    with pytest.raises(SetupError, match="is no kubeconfig"), offered(URL, tmp_path / "plane", users):
        pass
    assert users.read_text() == "[not, a, config]"


def test_the_users_file_is_the_one_kubectl_writes_to() -> None:
    assert users_file({"KUBECONFIG": ":/a:/b", "HOME": "/home/me"}) == Path("/a")
    assert users_file({"HOME": "/home/me"}) == Path("/home/me/.kube/config")
