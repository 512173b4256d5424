import unittest
from pathlib import Path

from rollplane_testing import Options, RollplaneServerTestCase, RollplaneTestCase

WEB = Path(__file__).with_name("web.yaml").read_text()


class Rollouts(RollplaneTestCase):
    rollplane_options = Options(nodes=5, profile="realistic")

    async def test_rolls_out(self):
        await self.rollplane.apply(WEB)
        self.assertLess(await self.rollplane.until_rolled_out(), 300)


class Scripts(RollplaneServerTestCase):
    def test_rolls_out(self):
        self.rollplane_server.apply(WEB)
        self.assertLess(self.rollplane_server.until_rolled_out(), 300)


if __name__ == "__main__":
    unittest.main()
