"""What is tested: scale a Deployment, whatever the server and the network do meanwhile."""

import time

from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

AGAIN = (409, 429, 503)


def scale(apps, namespace, name, replicas, tries=6):
    for left in reversed(range(tries)):
        try:
            found = apps.read_namespaced_deployment(name, namespace)
            if found.spec.replicas == replicas:
                return  # also when the answer to what we wrote before was lost
            found.spec.replicas = replicas
            apps.replace_namespaced_deployment(name, namespace, found)
        except ApiException as exc:
            if exc.status not in AGAIN or not left:
                raise
        except HTTPError:
            if not left:
                raise
        time.sleep(0.01)
