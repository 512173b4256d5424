"""Questions over real sockets, as kubectl asks them."""

from __future__ import annotations

import pytest

from rollplane.authentication.v1 import TokenRequest
from rollplane.authorization.v1 import SelfSubjectAccessReview
from rollplane.meta.v1 import TypeMeta, Unknown
from rollplane_machinery.releases import release_of
from tests.gateway.serving import serving

ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
PROTOBUF = "application/vnd.kubernetes.protobuf"


async def test_may_i_in_json() -> None:
    async with serving() as gateway:
        spec = {"resourceAttributes": {"verb": "list", "resource": "pods"}}
        got = await gateway.ask("POST", ACCESS, {"spec": spec})
        assert got.status == 201
        assert got.json["status"] == {"allowed": True}
        assert (got.json["apiVersion"], got.json["kind"]) == ("authorization.k8s.io/v1", "SelfSubjectAccessReview")
        bad = await gateway.ask("POST", ACCESS, {"spec": {}})
        assert (bad.status, bad.json["reason"]) == (422, "Invalid")
        assert (await gateway.get(ACCESS)).status == 405


async def test_may_i_in_protobuf() -> None:
    review = SelfSubjectAccessReview()
    review.spec.resource_attributes.resource = "customresourcedefinitions"
    type_meta = TypeMeta(api_version="authorization.k8s.io/v1", kind="SelfSubjectAccessReview")
    body = b"k8s\0" + Unknown(type_meta=type_meta, raw=review.SerializeToString()).SerializeToString()
    async with serving() as gateway:
        got = await gateway.ask("POST", ACCESS, body, headers={"Content-Type": PROTOBUF, "Accept": PROTOBUF})
        assert (got.status, got.content_type) == (201, PROTOBUF)
        answer = SelfSubjectAccessReview.FromString(Unknown.FromString(got.body[4:]).raw)
        assert (answer.status.allowed, answer.status.reason) == (False, "customresourcedefinitions is not served here")


async def test_who_am_i() -> None:
    async with serving() as gateway:
        mine = await gateway.ask("POST", WHO, {})
        assert mine.json["status"]["userInfo"]["username"] == "rollplane-admin"
        headers = {"Impersonate-User": "jane", "Impersonate-Group": "team"}
        hers = await gateway.ask("POST", WHO, {}, headers=headers)
        assert hers.json["status"]["userInfo"] == {"username": "jane", "groups": ["team", "system:authenticated"]}


async def test_who_am_i_came_with_a_release() -> None:
    async with serving(release=release_of("1.27")) as gateway:
        assert (await gateway.ask("POST", WHO, {})).status == 404


async def test_a_token() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", ACCOUNTS, {"metadata": {"name": "web"}})
        got = await gateway.ask("POST", f"{ACCOUNTS}/web/token", {"spec": {"audiences": None}})
        assert (got.status, got.json["kind"]) == (201, TokenRequest.DESCRIPTOR.name)
        review = {"spec": {"token": got.json["status"]["token"]}}
        told = await gateway.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)
        assert told.json["status"]["user"]["username"] == "system:serviceaccount:default:web"
        missing = await gateway.ask("POST", f"{ACCOUNTS}/nobody/token", {})
        assert (missing.status, missing.json["details"]["kind"]) == (404, "serviceaccounts")


@pytest.mark.parametrize("path", ["exec", "attach", "portforward", "proxy", "proxy/metrics"])
async def test_no_processes(path: str) -> None:
    async with serving() as gateway:
        for method in ("GET", "POST"):
            got = await gateway.ask(method, f"/api/v1/namespaces/default/pods/web/{path}?command=sh")
            assert (got.status, got.json["reason"]) == (405, "MethodNotAllowed")
            assert 'pod "web": its containers are simulated' in got.json["message"]


@pytest.mark.parametrize(
    ("header", "value", "user"),
    [
        ("Authorization", "Bearer nonsense", "rollplane-admin"),
        ("Authorization", "nonsense", "rollplane-admin"),
        ("Impersonate-User", "system:anonymous", "system:anonymous"),
    ],
)
async def test_everybody_may_do_everything_in_whosever_name(header: str, value: str, user: str) -> None:
    """Nothing is refused for who asks; only the question who that is tells callers apart."""
    headers = {header: value}
    async with serving() as gateway:
        who = await gateway.ask("POST", WHO, {}, headers=headers)
        assert who.json["status"]["userInfo"]["username"] == user
        made = await gateway.ask("POST", ACCOUNTS, {"metadata": {"name": "a"}}, headers=headers)
        assert made.status == 201
        assert all(user not in each["manager"] for each in made.json["metadata"].get("managedFields", []))
        review = {"spec": {"resourceAttributes": {"verb": "delete", "resource": "pods"}}}
        assert (await gateway.ask("POST", ACCESS, review, headers=headers)).json["status"] == {"allowed": True}


@pytest.mark.parametrize(
    ("path", "told"),
    {
        "/api/v1/namespaces/default/services/web/proxy": 'cannot reach service "web": the containers behind it',
        "/api/v1/namespaces/default/services/web/proxy/a/b": 'cannot reach service "web": the containers behind it',
        "/api/v1/nodes/one/proxy/metrics": 'cannot reach node "one": it is simulated',
    }.items(),
)
async def test_nothing_listens(path: str, told: str) -> None:
    async with serving() as gateway:
        got = await gateway.get(path)
        assert (got.status, got.json["reason"]) == (405, "MethodNotAllowed")
        assert got.json["message"].startswith(told)
        assert (await gateway.get("/api/v1/nodes/one/exec")).status == 404
