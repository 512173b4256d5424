"""What a write leaves behind: nothing that the cyclic collector has to find, for there are thousands a second."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from rollplane_apiserver.core import Identity, Role
from rollplane_machinery.api import Create, Update
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import Encoded
from tests.apiserver.core.office import Office, config_map


@pytest.fixture
def only_cycles() -> Iterator[None]:
    """Keep the collector from running by itself."""
    gc.disable()
    yield
    gc.enable()


async def refused(office: Office, role: Role) -> int:
    """Have writes of a batch refused; return how many there are."""
    api = office.core.as_identity(Identity("somebody", role))
    missing = [Update(Encoded.of(config_map(f"missing-{number}")), group="one") for number in range(3)]
    answers = await api.batch([*missing, Create(Encoded.of(config_map("there")))])
    return sum(isinstance(answer, RollplaneError) for answer in answers)


@pytest.mark.parametrize(("role", "refusals"), [(Role.EDITOR, 3), (Role.CONTROLLER, 4)])
async def test_no_cycle_is_left_by_a_batch_with_refusals(
    office: Office, only_cycles: None, role: Role, refusals: int
) -> None:
    assert await refused(office, role) == refusals
    gc.collect()
    assert await refused(office, role) == max(refusals, 4)  # what was created is there
    assert gc.collect() == 0


async def test_no_cycle_is_left_by_a_caller(office: Office, only_cycles: None) -> None:
    gc.collect()
    for _ in range(3):
        office.core.as_identity(Identity("somebody", Role.EDITOR))
    assert gc.collect() == 0
