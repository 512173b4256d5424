"""What a namespace is to have, by release."""

from __future__ import annotations

from rollplane.core.v1 import Secret, Service, ServiceAccount
from rollplane_machinery.kinds import Encoded, Key
from rollplane_machinery.releases import LATEST, release_of
from rollplane_planners.furnishing import furniture, plan_furnishing, token_secret
from rollplane_planners.model import CreateObject, Plan

OLD = release_of("1.23")


def made(plan: Plan) -> list[Key]:
    return [Encoded.of(write.object).key for write in plan.writes if isinstance(write, CreateObject)]


def test_all_is_made_at_first() -> None:
    assert made(plan_furnishing("shop", (), "", LATEST)) == list(furniture("shop", LATEST))
    assert [key.name for key in furniture("shop", LATEST)] == ["default", "kube-root-ca.crt"]
    assert [key.name for key in furniture("default", LATEST)] == ["default", "kube-root-ca.crt", "kubernetes"]


def test_nothing_is_made_twice() -> None:
    assert plan_furnishing("default", furniture("default", LATEST), "", LATEST) == Plan([])


def test_only_what_is_missing_is_made() -> None:
    account, certificates = furniture("shop", LATEST)
    assert made(plan_furnishing("shop", (certificates,), "", LATEST)) == [account]


def test_the_secret_comes_after_its_account() -> None:
    account, certificates, secret = furniture("shop", OLD)
    first = plan_furnishing("shop", (), "", OLD)
    assert made(first) == [account, certificates]
    second = plan_furnishing("shop", (account, certificates), "7", OLD)
    assert made(second) == [secret]
    (write,) = second.writes
    assert isinstance(write, CreateObject)
    assert isinstance(write.object, Secret)
    assert write.object.metadata.annotations["kubernetes.io/service-account.uid"] == "7"


def test_an_account_names_its_secret_before_1_24() -> None:
    named = {}
    for release in (OLD, LATEST):
        obj = plan_furnishing("shop", (), "", release).writes[0]
        assert isinstance(obj, CreateObject)
        assert isinstance(obj.object, ServiceAccount)
        named[release.name] = [one.name for one in obj.object.secrets]
    assert named == {"1.23": [token_secret("shop")], LATEST.name: []}
    assert token_secret("shop") != token_secret("default")


def test_the_service_of_the_apiserver() -> None:
    *_, write = plan_furnishing("default", (), "", LATEST).writes
    assert isinstance(write, CreateObject)
    assert isinstance(write.object, Service)
    assert write.object.metadata.labels == {"component": "apiserver", "provider": "kubernetes"}
