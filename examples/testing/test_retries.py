from pathlib import Path

import kubernetes
import pytest
from scaling import scale

WEB = Path(__file__).with_name("web.yaml").read_text()


@pytest.fixture
def apps(rollplane_server):
    rollplane_server.apply(WEB)
    rollplane_server.until_rolled_out()
    return kubernetes.client.AppsV1Api(kubernetes.config.new_client_from_config(str(rollplane_server.kubeconfig)))


# "Conflict" (409), "too many requests" (429), "unavailable" (503), and done, but the connection broke.
@pytest.mark.parametrize("trouble", ["conflict", "busy", "unavailable", "lose_answers"])
def test_it_gets_through(rollplane_server, apps, trouble):
    happen = getattr(rollplane_server.troubles, trouble)
    happen(times=2, resource="deployments.apps")
    scale(apps, rollplane_server.namespace, "web", 5)
    assert apps.read_namespaced_deployment("web", rollplane_server.namespace).spec.replicas == 5


def test_it_gives_up(rollplane_server, apps):
    rollplane_server.troubles.conflict(times=100, resource="deployments.apps")
    with pytest.raises(kubernetes.client.ApiException, match="the object has been modified"):
        scale(apps, rollplane_server.namespace, "web", 5)
