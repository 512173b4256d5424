"""What every namespace has without being asked: an account, the root certificates, in ``default`` the apiserver.

Source: kubernetes/kubernetes pkg/controller/serviceaccount (serviceaccounts_controller.go, tokens_controller.go),
pkg/controller/certificates/rootcacertpublisher, pkg/controlplane/controller/kubernetesservice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rollplane.core.v1 import ConfigMap, Secret, Service, ServiceAccount
from rollplane_machinery import int_or_string
from rollplane_machinery.kinds import CONFIG_MAP, SECRET, SERVICE, SERVICE_ACCOUNT, ApiObject, Key
from rollplane_machinery.releases import Release
from rollplane_planners.hashing import fnv1a_32, safe_encode
from rollplane_planners.model import CreateObject, Plan

ACCOUNT = "default"
ROOT_CERTIFICATES = "kube-root-ca.crt"
API_NAMESPACE, API_SERVICE = "default", "kubernetes"
API_PORT, API_TARGET_PORT = 443, 6443
TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105 - a type's name


def furniture(namespace: str, release: Release) -> tuple[Key, ...]:
    """Return the keys of what ``namespace`` is to have."""
    keys = [Key(SERVICE_ACCOUNT, namespace, ACCOUNT), Key(CONFIG_MAP, namespace, ROOT_CERTIFICATES)]
    if release.token_secrets:
        keys.append(Key(SECRET, namespace, token_secret(namespace)))
    if namespace == API_NAMESPACE:
        keys.append(Key(SERVICE, API_NAMESPACE, API_SERVICE))
    return tuple(keys)


def token_secret(namespace: str) -> str:
    """Return the name of the Secret with the token of the account: always the same, so that it is made once."""
    return f"{ACCOUNT}-token-{safe_encode(fnv1a_32(namespace.encode()))[:5]}"


def plan_furnishing(namespace: str, present: Collection[Key], account_uid: str, release: Release) -> Plan:
    """Return the plan that gives ``namespace``, which is not on its way out, what is not ``present`` of its furniture.

    ``account_uid`` is that of the account, empty while it is not there: its Secret names it, and so comes after it.
    """
    missing = [key for key in furniture(namespace, release) if key not in present]
    return Plan([CreateObject(obj) for obj in _made(missing, account_uid, release)])


def _made(missing: Collection[Key], account_uid: str, release: Release) -> Iterator[ApiObject]:
    for key in missing:
        obj = _new(key, account_uid, release)
        if obj is not None:
            obj.metadata.namespace, obj.metadata.name = key.namespace, key.name
            yield obj


def _new(key: Key, account_uid: str, release: Release) -> ApiObject | None:
    if key.kind is SERVICE_ACCOUNT:
        return _account(key.namespace, release)
    if key.kind is CONFIG_MAP:
        return ConfigMap(data={"ca.crt": ""})  # nothing is encrypted yet, so there is no authority to trust
    if key.kind is SECRET:
        return _secret(key.namespace, account_uid) if account_uid else None
    return _api_service()


def _account(namespace: str, release: Release) -> ServiceAccount:
    account = ServiceAccount()
    if release.token_secrets:
        account.secrets.add(name=token_secret(namespace))
    return account


def _secret(namespace: str, account_uid: str) -> Secret:
    """Without a token, which the gateway makes when one is asked for; it goes with the account."""
    secret = Secret(type=TOKEN_SECRET, data={"ca.crt": b"", "namespace": namespace.encode()})
    secret.metadata.annotations.update(
        {"kubernetes.io/service-account.name": ACCOUNT, "kubernetes.io/service-account.uid": account_uid}
    )
    secret.metadata.owner_references.add(api_version="v1", kind="ServiceAccount", name=ACCOUNT, uid=account_uid)
    return secret


def _api_service() -> Service:
    """The apiserver keeps the first address of its range for it."""
    service = Service()
    service.metadata.labels.update({"component": "apiserver", "provider": "kubernetes"})
    port = service.spec.ports.add(name="https", protocol="TCP", port=API_PORT)
    port.target_port.CopyFrom(int_or_string.of(API_TARGET_PORT))
    return service
