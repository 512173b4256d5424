import subprocess
import sys
from pathlib import Path

import kubernetes
import pytest

OPERATOR = Path(__file__).parent.parent / "operator"
KIND, SITE = (OPERATOR / "website.yaml").read_text().split("---\n")
WEBSITES = ("example.com", "v1")


@pytest.fixture
def operator(rollplane_server):
    """The operator as a process of its own, once its kind is known."""
    rollplane_server.apply(KIND)
    kopf = [sys.executable, "-m", "kopf", "run", "--standalone", "--namespace", rollplane_server.namespace]
    process = subprocess.Popen([*kopf, OPERATOR / "websites.py"], env=rollplane_server.env())
    yield
    process.terminate()
    process.wait()


# A definition belongs to no namespace, so this test has a server of its own.
@pytest.mark.rollplane(own=True, profile="realistic", speed=30)
def test_a_website_tells_how_many_pods_it_has(rollplane_server, operator):
    kubernetes.config.load_kube_config(str(rollplane_server.kubeconfig))
    sites = kubernetes.client.CustomObjectsApi()

    def pods(name):
        site = sites.get_namespaced_custom_object(*WEBSITES, rollplane_server.namespace, "websites", name)
        return site.get("status", {}).get("replicas")

    rollplane_server.apply(SITE)
    rollplane_server.until(lambda: pods("menu") == 2)

    rollplane_server.troubles.expire_watches()  # "410 Gone": whoever watches must list again
    rollplane_server.apply(SITE.replace("menu", "blog").replace("replicas: 2", "replicas: 3"))
    rollplane_server.until(lambda: pods("blog") == 3)
