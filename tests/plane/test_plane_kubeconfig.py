"""A plane's kubeconfig: a file of its own, and entries in the user's for as long as it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rollplane_plane.kubeconfig import offered, users_file
from rollplane_plane.kubeconfig_file import context_name, kubeconfig

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


def test_the_file_says_where_the_plane_is_and_was(tmp_path: Path) -> None:
    with offered(URL, tmp_path) as path:
        config = yaml.safe_load(path.read_text())
        assert config["clusters"][0]["cluster"] == {"server": URL, "insecure-skip-tls-verify": True}
        assert config["current-context"] == config["contexts"][0]["name"]
        assert path.stat().st_mode & 0o077 == 0
    assert yaml.safe_load(path.read_text()) == config


def test_tls_is_verified_where_there_is_any() -> None:
    assert kubeconfig("https://127.0.0.1:1", "x")["clusters"][0]["cluster"] == {"server": "https://127.0.0.1:1"}


def test_the_users_file_is_the_one_kubectl_writes_to() -> None:
    assert users_file({"KUBECONFIG": ":/a:/b", "HOME": "/home/me"}) == Path("/a")
    assert users_file({"HOME": "/home/me"}) == Path("/home/me/.kube/config")
