"""What every namespace has: made with it, and again when somebody deletes it."""

from __future__ import annotations

from rollplane.core.v1 import Secret, Service, ServiceAccount
from rollplane_machinery.kinds import CONFIG_MAP, NAMESPACE, SECRET, SERVICE, SERVICE_ACCOUNT
from rollplane_machinery.releases import release_of
from rollplane_planners.furnishing import ROOT_CERTIFICATES, token_secret
from tests.controller.plane import Plane, a_plane, names_of

NAMESPACES = {"default", "kube-system", "kube-public", "kube-node-lease", "shop", "mine"}


async def test_every_namespace_is_furnished() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.namespace("mine")
        await plane.quiet()
        for kind, name in ((SERVICE_ACCOUNT, "default"), (CONFIG_MAP, ROOT_CERTIFICATES)):
            assert {(one.metadata.namespace, one.metadata.name) for one in await plane.all(kind, "")} == {
                (namespace, name) for namespace in NAMESPACES
            }
        assert await plane.all(SECRET, "") == []


async def test_the_apiserver_has_a_service_with_the_first_address() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.quiet()
        (service,) = await plane.all(SERVICE, "")
        assert isinstance(service, Service)
        assert (service.metadata.namespace, service.metadata.name) == ("default", "kubernetes")
        assert service.spec.cluster_ip == "10.96.0.1"
        assert service.spec.ports[0].port == 443


async def test_what_is_deleted_is_made_again() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.quiet()
        for kind, name in (
            (SERVICE_ACCOUNT, "default"),
            (CONFIG_MAP, ROOT_CERTIFICATES),
            (SERVICE, "kubernetes"),
        ):
            before = await plane.find(kind, name, "default")
            await plane.delete(kind, name, "default")
            await plane.quiet()
            after = await plane.find(kind, name, "default")
            assert before is not None
            assert after is not None
            assert before.metadata.uid != after.metadata.uid


async def test_a_namespace_that_goes_is_furnished_no_more() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.namespace("mine")
        await plane.quiet()
        await plane.delete(NAMESPACE, "mine")
        await plane.quiet()
        assert await plane.find(NAMESPACE, "mine") is None
        assert "mine" not in {one.metadata.namespace for one in await plane.all(SERVICE_ACCOUNT, "")}


async def test_before_1_24_an_account_has_a_secret() -> None:
    async with a_plane(release=release_of("1.23")) as plane:
        await plane.start()
        await plane.quiet()
        account = await plane.find(SERVICE_ACCOUNT, "default", "default")
        secret = await plane.find(SECRET, token_secret("default"), "default")
        assert isinstance(account, ServiceAccount)
        assert isinstance(secret, Secret)
        assert [one.name for one in account.secrets] == [secret.metadata.name]
        assert secret.metadata.annotations["kubernetes.io/service-account.uid"] == account.metadata.uid
        assert len(names_of(await plane.all(SECRET, ""))) == len(NAMESPACES) - 1
        await plane.delete(SERVICE_ACCOUNT, "default", "default")
        await plane.quiet()
        again = await plane.find(SERVICE_ACCOUNT, "default", "default")
        renewed = await plane.find(SECRET, token_secret("default"), "default")
        assert again is not None
        assert renewed is not None
        assert renewed.metadata.annotations["kubernetes.io/service-account.uid"] == again.metadata.uid


async def test_what_is_there_is_left_alone() -> None:
    """A second manager finds everything made, and writes nothing."""
    async with a_plane() as plane:
        await plane.start()
        await plane.quiet()
        before = await _versions(plane)
        await plane.stop("first")
        await plane.start("second")
        await plane.pass_time(30)
        assert await _versions(plane) == before


async def _versions(plane: Plane) -> list[str]:
    return [
        one.metadata.resource_version
        for kind in (SERVICE_ACCOUNT, CONFIG_MAP, SERVICE)
        for one in await plane.all(kind, "")
    ]
