import subprocess
from pathlib import Path

import pytest

CHART = Path(__file__).parent.parent / "chart"


def rendered(*values):
    command = ["helm", "template", "shop", CHART, "--no-hooks", *(f"--set={value}" for value in values)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.rollplane(nodes=4, profile="realistic")
async def test_an_upgrade_rolls_out_in_time(rollplane):
    await rollplane.apply(rendered())
    await rollplane.until_rolled_out()
    await rollplane.apply(rendered("image=nginx:1.28", "replicas=4"))
    assert await rollplane.until_rolled_out() < 300
    assert not rollplane.violations


@pytest.mark.rollplane(profile="realistic", speed=60)
def test_helm_installs_and_upgrades_it(rollplane_server):
    rollplane_server.run("helm", "install", "shop", CHART, "--wait")
    rollplane_server.run("helm", "upgrade", "shop", CHART, "--set=image=nginx:1.28", "--wait")
    assert "nginx:1.28" in rollplane_server.run("helm", "get", "manifest", "shop").stdout
