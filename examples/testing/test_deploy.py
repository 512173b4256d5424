from pathlib import Path

import pytest

from rollplane_testing import CommandFailedError

DEPLOY = Path(__file__).with_name("deploy.sh")
IMAGE = "jsonpath={.spec.template.spec.containers[0].image} {.status.availableReplicas}"

# The script waits while time passes: a minute of the plane's in half a second.
pytestmark = pytest.mark.rollplane(profile="realistic", speed=120)


def image(server):
    return server.kubectl("get", "deployment", "web", "-o", IMAGE)


def test_it_deploys(rollplane_server):
    done = rollplane_server.run("bash", DEPLOY, "web:2")
    assert "successfully rolled out" in done.stdout
    assert image(rollplane_server) == "web:2 3"


def test_it_goes_back_when_the_image_is_bad(rollplane_server):
    rollplane_server.run("bash", DEPLOY, "web:1")
    rollplane_server.faults.break_image("web:2")
    with pytest.raises(CommandFailedError, match="exceeded its progress deadline"):
        rollplane_server.run("bash", DEPLOY, "web:2")
    assert image(rollplane_server) == "web:1 3"
