"""Libraries of others against a plane; each module skips itself where its library is not installed."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from rollplane_machinery.releases import LATEST
from tests.clients.real.conftest import Planes
from tests.clients.real.libraries.plain import Rest

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """A fresh namespace of a plane, as a user is given it."""

    kubeconfig: Path
    url: str
    namespace: str


@pytest.fixture
def place(planes: Planes) -> Place:
    kubeconfig = planes.kubeconfig(LATEST.name)
    url = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    name = f"library-{os.getpid()}-{next(_NUMBERS)}"
    assert Rest(url).send("POST", "/api/v1/namespaces", {"metadata": {"name": name}}).status == 201
    return Place(kubeconfig, url, name)
