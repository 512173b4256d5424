"""Two planes that are started at once: the usual ports are the faster one's, and the other gives way."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollplane_client.grpc_api import connect
from rollplane_machinery.api import ListQuery
from rollplane_machinery.kinds import NODE
from rollplane_plane import plane as planes
from rollplane_plane.plane import EmbeddedPlane, PlaneSettings
from rollplane_plane.ports import HOST, free_port
from rollplane_plane.services import Service


async def test_the_one_that_is_slower_takes_other_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, rest = free_port(), free_port()
    metrics = dict(zip(planes.METRICS_PORTS, (free_port() for _ in Service), strict=False))
    monkeypatch.setattr(planes, "DEFAULT_PORT", usual)
    monkeypatch.setattr(planes, "DEFAULT_REST_PORT", rest)
    monkeypatch.setattr(planes, "METRICS_PORTS", metrics)
    # Both look before either listens.
    first = EmbeddedPlane(PlaneSettings(tmp_path / "first", nodes=1, profile="instant"))
    other = EmbeddedPlane(PlaneSettings(tmp_path / "other", nodes=1, profile="instant"))
    assert first.address == other.address == f"{HOST}:{usual}"
    assert first.rest_url == other.rest_url == f"http://{HOST}:{rest}"
    async with first, other:
        assert (first.address, first.rest_url) == (f"{HOST}:{usual}", f"http://{HOST}:{rest}")
        assert other.rest_url != first.rest_url
        assert first.metrics == [f"{HOST}:{port}" for port in metrics.values()]
        assert not {first.address, *first.metrics} & {other.address, *other.metrics}
        async with connect(first.address) as one, connect(other.address) as two:
            for api in (one, two):
                assert len((await api.list(ListQuery(NODE))).objects) == 1
