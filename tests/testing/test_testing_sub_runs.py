"""Servers and classes of unittest in real runs of pytest, and without it; also spread over processes."""

from __future__ import annotations

import subprocess
import sys

from tests.testing.sub_runs import SECONDS, SubRuns

pytest_plugins = ["pytester"]

SERVED = """
import os
import pytest
from pathlib import Path

@pytest.mark.parametrize("number", range(6))
def test_has_a_namespace_of_its_own(rollplane_server, number):
    rollplane_server.apply(WEB)
    rollplane_server.until_rolled_out()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    with Path("seen").open("a") as seen:
        seen.write(f"{worker} {rollplane_server.url} {rollplane_server.namespace} {rollplane_server.kubeconfig}\\n")
"""


def test_workers_of_xdist_have_servers_of_their_own(sub_run: SubRuns) -> None:
    sub_run(SERVED, "-n", "2", plugins=("xdist.plugin",)).assert_outcomes(passed=6)
    seen = [line.split() for line in (sub_run.pytester.path / "seen").read_text().splitlines()]
    assert len({(worker, url) for worker, url, _, _ in seen}) == 2
    assert len({kubeconfig for _, _, _, kubeconfig in seen}) == 6


def test_a_failed_test_tells_of_its_server(sub_run: SubRuns) -> None:
    text = """
def test_never(rollplane_server):
    rollplane_server.faults.break_image("web:v1")
    rollplane_server.apply(WEB)
    rollplane_server.until_rolled_out(20)
"""
    result = sub_run(text, ini="rollplane_speed = 0\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*TimeoutError: Waiting for deployment*",
            "-* rollplane -*",
            "nodes=3 profile=instant seed=0, namespace test-1, kubeconfig *",
            "  deployment/test-1/web: *cannot be pulled*",
        ]
    )


UNITTEST = """
import unittest

from rollplane_testing import Options, RollplaneServerTestCase, RollplaneTestCase


class InVirtualTime(RollplaneTestCase):
    rollplane_options = Options(nodes=2, profile="realistic", seed=4)

    async def asyncSetUp(self):
        await super().asyncSetUp()
        await self.rollplane.apply(WEB)

    async def test_rolls_out(self):
        self.assertLess(await self.rollplane.until_rolled_out(), 600)

    async def test_has_a_plane_of_its_own(self):
        self.assertEqual(self.rollplane.seconds, 0)


class Served(RollplaneServerTestCase):
    def test_rolls_out(self):
        self.rollplane_server.apply(WEB)
        self.assertLess(self.rollplane_server.until_rolled_out(), 600)

    def test_has_a_namespace_of_its_own(self):
        self.assertIn("deployment/web", self.rollplane_server.apply(WEB))


if __name__ == "__main__":
    unittest.main()
"""


def test_classes_of_unittest(sub_run: SubRuns) -> None:
    sub_run(UNITTEST).assert_outcomes(passed=4)
    (file,) = sub_run.pytester.path.glob("test_*.py")
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "OK"), done.stderr
