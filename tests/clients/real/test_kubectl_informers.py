"""client-go's informer, as kubectl uses it to wait: the nearest to a Go program where no Go can be had."""

from __future__ import annotations

import pytest

from tests.clients.real.manifests import deployment
from tests.clients.real.programs import Program

WEB = "deployment/nginx-deployment"
STREAMS_LISTS = (1, 35)
"""Since this release client-go asks for the state as events."""


@pytest.fixture
def web(kubectl: Program) -> Program:
    kubectl.ok("apply", "-f", "-", given=deployment())
    return kubectl


def test_the_cache_of_an_informer_is_filled(web: Program) -> None:
    told = web.done("rollout", "status", WEB, "--timeout=30s", "-v=8")
    assert "successfully rolled out" in told
    assert ("sendInitialEvents=true" in told) == (web.release >= STREAMS_LISTS)
    assert "Starting reflector" in told
    assert "Failed to watch" not in told
    assert "falling back" not in told.lower()
    if web.release >= STREAMS_LISTS:
        assert "Exiting watch because received the bookmark that marks the end of initial events" in told


def test_an_informer_sees_the_end_of_an_object(web: Program) -> None:
    told = web.done("delete", WEB, "--timeout=30s", "-v=8")
    assert f"{WEB.replace('deployment/', 'deployment.apps ')}" in told.replace('"', "")
    assert "Failed to watch" not in told
    assert web.refused("get", WEB)
