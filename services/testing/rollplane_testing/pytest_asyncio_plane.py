"""The plane of a test that pytest-asyncio runs: in that loop, which is one in virtual time for such tests only.

Loaded where pytest-asyncio is; its hook is registered only while such a test is made, so that no other test's loop is
any different.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from rollplane_testing.living import TestPlane
    from rollplane_testing.options import Options


@pytest_asyncio.fixture(loop_scope="function")
async def _rollplane_in_running_loop(_rollplane_options: Options) -> AsyncIterator[TestPlane]:
    from rollplane_testing.living import living

    async with living(_rollplane_options) as plane:
        yield plane


class InVirtualTime:
    """The hook by which pytest-asyncio is told which loops there are."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_asyncio_loop_factories(self) -> Mapping[str, Callable[[], object]]:
        from rollplane_rehearsal.virtual_time import VirtualTimeLoop

        return {"rollplane": VirtualTimeLoop}
