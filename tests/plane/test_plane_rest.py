"""``rollplane up`` serves the REST API, tells kubectl where, and takes that back at the end."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.end_to_end.up_process import running


def get(address: str, path: str) -> Any:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
        return json.load(answer)


def test_a_plane_is_where_its_kubeconfig_says(tmp_path: Path) -> None:
    data = tmp_path / "shop"
    with running("--nodes", "1", "--profile", "instant", "--port", "0", "--data", str(data)) as up:
        kubeconfig = Path(up.ready["kubeconfig"])
        config = yaml.safe_load(kubeconfig.read_text())
        url = config["clusters"][0]["cluster"]["server"]
        assert (url, config["current-context"]) == (up.ready["rest"], "rollplane-shop")
        address = url.removeprefix("http://")
        nodes = get(address, "/api/v1/nodes")
        assert [node["metadata"]["name"] for node in nodes["items"]] == ["node-0"]
        assert get(address, "/version")["gitVersion"].startswith("v1.")
    assert yaml.safe_load(kubeconfig.read_text()) == config  # so that kubectl is refused there, not elsewhere
