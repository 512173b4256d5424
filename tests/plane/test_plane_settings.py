"""What a plane is told, and which port it takes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollplane_machinery.errors import SetupError
from rollplane_plane.plane import PlaneSettings
from rollplane_plane.ports import HOST, is_free, server_port

BAD_PREFIXES = ["Bad_Name!", "", "-x", "x" * 62, "a b"]


@pytest.mark.parametrize("prefix", BAD_PREFIXES)
def test_a_prefix_of_which_no_names_can_be_made_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="node prefix is"):
        PlaneSettings(Path(), node_prefix=prefix)


@pytest.mark.parametrize("prefix", ["node", "rack-1.row-2", "x" * 61])
def test_other_prefixes_are_taken(prefix: str) -> None:
    assert PlaneSettings(Path(), node_prefix=prefix, nodes=10).node_prefix == prefix


@pytest.mark.parametrize(
    ("qps", "flags"), [(None, ()), (0, ("--controller-qps", "0")), (20, ("--controller-qps", "20"))]
)
def test_the_controllers_are_told_their_rate(qps: int | None, flags: tuple[str, ...]) -> None:
    assert PlaneSettings(Path(), controller_qps=qps).pace() == flags


def test_a_rate_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="controller-qps is -1"):
        PlaneSettings(Path(), controller_qps=-1)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_was_asked_for_is_had_or_refused(taken: int) -> None:
    with pytest.raises(SetupError, match=f"port {taken} is taken: .* --port 0 for any"):
        server_port(taken, 7070)


def test_the_usual_port_gives_way(taken: int) -> None:
    assert server_port(None, taken) != taken
    assert server_port(0, taken) != taken
    assert not is_free(taken)
