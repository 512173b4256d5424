"""What the compose file promises, read from it: who reaches the store, with what, and which settings are passed on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

FILE = Path(__file__).parents[2] / "docker-compose.yml"
WORKERS = ("controller", "kubelet-sim-0", "kubelet-sim-1")
REFERENCE = "${ROLLPLANE_STORE_PASSWORD:-rollplane}"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    return found


def test_only_the_apiserver_shares_a_network_with_the_store(services: dict[str, Any]) -> None:
    assert services["redis"]["networks"] == ["store"]
    assert "ports" not in services["redis"]
    beside = {name for name, service in services.items() if "store" in service["networks"]}
    assert beside == {"redis", "apiserver"}


def test_the_store_wants_a_password_and_the_apiserver_has_it(services: dict[str, Any]) -> None:
    redis, apiserver = services["redis"], services["apiserver"]
    assert f"--requirepass {REFERENCE}" in redis["command"]
    assert not any("protected-mode" in word for word in redis["command"])
    assert redis["environment"]["REDISCLI_AUTH"] == REFERENCE
    assert apiserver["environment"]["ROLLPLANE_REDIS"] == f"redis://:{REFERENCE}@redis:6379/0"
    assert not any("redis" in word for word in apiserver["command"])


def test_every_service_is_told_the_release(services: dict[str, Any]) -> None:
    for name in ("apiserver", *WORKERS):
        assert services[name]["environment"]["ROLLPLANE_KUBERNETES"].startswith("${ROLLPLANE_KUBERNETES:-")


def test_the_controllers_rate_is_passed_on(services: dict[str, Any]) -> None:
    assert services["controller"]["environment"]["ROLLPLANE_CONTROLLER_QPS"] == "${ROLLPLANE_CONTROLLER_QPS:-0}"
