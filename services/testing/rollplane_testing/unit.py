"""Planes for tests of ``unittest``: the same as the fixtures, as classes to derive from."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import sys
import tempfile
import unittest
from functools import cache
from pathlib import Path
from typing import ClassVar

from rollplane_rehearsal.virtual_time import VirtualTimeLoop
from rollplane_testing.checking import check
from rollplane_testing.living import TestPlane, living
from rollplane_testing.options import Options
from rollplane_testing.place import Place
from rollplane_testing.server import Servers


class RollplaneTestCase(unittest.IsolatedAsyncioTestCase):
    """Tests in virtual time, each with a plane of its own, ``self.rollplane``, as ``rollplane_options`` say."""

    rollplane_options: ClassVar[Options] = Options()
    rollplane: TestPlane
    loop_factory = VirtualTimeLoop

    async def asyncSetUp(self) -> None:
        check(self.rollplane_options)
        self.rollplane = await self.enterAsyncContext(living(self.rollplane_options))

    if sys.version_info < (3, 13):  # which have no loop_factory

        def _setupAsyncioRunner(self) -> None:  # noqa: N802
            self._asyncioRunner = asyncio.Runner(loop_factory=self.loop_factory)


class RollplaneServerTestCase(unittest.TestCase):
    """Tests with a namespace of their own on a server, ``self.rollplane_server``, which all in this process share."""

    rollplane_options: ClassVar[Options] = Options()
    rollplane_server: Place

    def setUp(self) -> None:
        check(self.rollplane_options)
        self.rollplane_server = self.enterContext(_servers().place(self.rollplane_options))


@cache
def _servers() -> Servers:
    """The servers of this process, which end with it."""
    folder = Path(tempfile.mkdtemp(prefix="rollplane-"))
    servers = Servers(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(servers.__exit__, None, None, None)
    return servers
