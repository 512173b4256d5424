"""Discovery in every form, the plain one held against what a real apiserver told."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from rollplane_gateway.discovery.aggregated import content_type
from rollplane_gateway.discovery.answers import Discovery
from rollplane_machinery.releases import LATEST, RECORDED, release_of
from tests.gateway.serving import serving

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "discovery.json").read_text())
V2 = content_type("v2")
V2BETA1 = content_type("v2beta1")
KUBECTL = f"{V2},{V2BETA1},application/json"

DIFFERENCES = {
    "services": "deletecollection is served, as since release 1.23",
    "poddisruptionbudgets": "stored as v1, too",
    "leases": "stored as v1, which the recorded server did not do yet: another storageVersionHash",
}
"""Resources that are told otherwise than the recorded server of release 1.20 did; each is in docs/fidelity.md."""


def told(path: str, accept: str = "", discovery: Discovery | None = None) -> Any:
    document = (discovery or Discovery(RECORDED)).document(path, accept, "127.0.0.1:7080")
    assert document is not None
    return json.loads(document.body)


def by_name(resource_list: Any) -> dict[str, Any]:
    return {each["name"]: each for each in resource_list["resources"]}


@pytest.mark.parametrize("path", ["/api/v1", "/apis/apps/v1", "/apis/coordination.k8s.io/v1", "/apis/policy/v1beta1"])
def test_resources_as_recorded(path: str) -> None:
    ours, recorded = by_name(told(path)), by_name(GOLDEN[path])
    differing = {name for name in ours.keys() & recorded.keys() if ours[name] != recorded[name]}
    assert differing == DIFFERENCES.keys() & recorded.keys()
    assert list(ours) == sorted(ours)


def test_only_the_kinds_of_other_parts_of_kubernetes_are_absent() -> None:
    absent = {name for name in by_name(GOLDEN["/apis/apps/v1"]) if name not in by_name(told("/apis/apps/v1"))}
    assert not absent


@pytest.mark.parametrize("path", ["/api", "/apis", "/api/v1", "/apis/apps/v1"])
def test_frames_as_recorded(path: str) -> None:
    ours, recorded = told(path), GOLDEN[path]
    assert list(ours) == list(recorded)
    assert {name: type(value) for name, value in ours.items()} == {
        name: type(value) for name, value in recorded.items()
    }


def test_the_group_of_apps_as_recorded() -> None:
    ours = {each["name"]: each for each in told("/apis")["groups"]}
    recorded = {each["name"]: each for each in GOLDEN["/apis"]["groups"]}
    assert ours["apps"] == recorded["apps"]
    assert told("/apis/apps") == {"kind": "APIGroup", "apiVersion": "v1", **recorded["apps"]}


@pytest.mark.parametrize("path", ["/version", "/api", "/apis", "/apis/apps", "/api/v1", "/apis/apps/v1"])
def test_a_slash_at_the_end_changes_nothing(path: str) -> None:
    assert told(f"{path}/") == told(path)


@pytest.mark.parametrize("path", ["/", "/apis//v1", "/api/v2", "/apis/nosuch", "/apis/apps/v9", "/api/v1/pods"])
def test_what_is_not_discovery(path: str) -> None:
    assert Discovery(LATEST).document(path) is None


NEGOTIATIONS: dict[str, tuple[str, str]] = {
    "a client of 1.30 and newer": (KUBECTL, V2),
    "a client up to 1.29": (f"{V2BETA1},application/json", V2BETA1),
    "a client of 1.37": (f"{V2},application/json", V2),
    "parameters in another order": ("application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io", V2),
    "spaces": ("application/json; g=apidiscovery.k8s.io; v=v2; as=APIGroupDiscoveryList, */*", V2),
    "plain first": (f"application/json,{V2}", "application/json"),
    "a version that nobody serves": (f"{content_type('v3')},application/json", "application/json"),
    "another group": ("application/json;g=meta.k8s.io;v=v2;as=APIGroupDiscoveryList", "application/json"),
    "anything": ("*/*", "application/json"),
    "nothing": ("", "application/json"),
    "protobuf only": ("application/vnd.kubernetes.protobuf", "application/json"),
    "protobuf first": (f"application/vnd.kubernetes.protobuf,{V2}", V2),
}


@pytest.mark.parametrize(("accept", "expected"), NEGOTIATIONS.values(), ids=NEGOTIATIONS)
@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_negotiation(path: str, accept: str, expected: str) -> None:
    document = Discovery(LATEST).document(path, accept)
    assert document is not None
    assert document.content_type == expected
    kind = json.loads(document.body)["kind"]
    assert (kind == "APIGroupDiscoveryList") == (expected != "application/json")
    assert document.headers["Vary"] == "Accept"


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_aggregated_says_what_the_plain_form_says(version: str) -> None:
    discovery = Discovery(LATEST)
    for root in ("/api", "/apis"):
        answer = told(root, content_type(version), discovery)
        assert answer["apiVersion"] == f"apidiscovery.k8s.io/{version}"
        for group in answer["items"]:
            for each in group["versions"]:
                path = "/".join(filter(None, (root, group["metadata"].get("name"), each["version"])))
                assert [plain_names(resource) for resource in each["resources"]] == grouped(told(path, "", discovery))


def plain_names(resource: Any) -> list[tuple[object, ...]]:
    """The resource and its subresources as the plain form has them: name, kind, verbs, short names, categories."""
    own = (resource["resource"], resource["responseKind"]["kind"], resource["verbs"])
    below = [
        (f"{resource['resource']}/{each['subresource']}", each["responseKind"]["kind"], each["verbs"])
        for each in resource.get("subresources", ())
    ]
    return [(*own, resource.get("shortNames"), resource.get("categories")), *((*each, None, None) for each in below)]


def grouped(resource_list: Any) -> list[list[tuple[object, ...]]]:
    groups: dict[str, list[tuple[object, ...]]] = {}
    for each in resource_list["resources"]:
        row = (each["name"], each["kind"], each["verbs"], each.get("shortNames"), each.get("categories"))
        groups.setdefault(each["name"].partition("/")[0], []).append(row)
    return list(groups.values())


def test_a_document_is_not_sent_twice() -> None:
    document = Discovery(LATEST).document("/apis", V2)
    assert document is not None
    first = document.reply()
    assert (first.status, first.content_type, first.body) == (HTTPStatus.OK, V2, document.body)
    for asked in (first.headers["ETag"], f'"x", W/{first.headers["ETag"]}', "*"):
        again = document.reply(asked)
        assert (again.status, again.body) == (HTTPStatus.NOT_MODIFIED, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert document.reply('"x"').status is HTTPStatus.OK


def test_the_core_group_tells_where_it_was_reached() -> None:
    assert told("/api")["serverAddressByClientCIDRs"][0]["serverAddress"] == "127.0.0.1:7080"


@pytest.mark.parametrize(
    ("release", "git_version", "minor"),
    [("1.20", "v1.20.0", "20"), ("1.35.2", "v1.35.2", "35"), ("1.37", "v1.37.0", "37")],
)
def test_version(release: str, git_version: str, minor: str) -> None:
    version = told("/version", "", Discovery(release_of(release)))
    assert version["gitVersion"] == f"{git_version}+rollplane"
    assert (version["major"], version["minor"]) == ("1", minor)
    assert list(version) == list(GOLDEN["/version"])


async def test_the_root_lists_paths_that_are_there() -> None:
    async with serving() as gateway:
        paths = (await gateway.get("/")).json["paths"]
        assert {"/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/version", "/readyz", "/openapi/v2"} <= set(paths)
        for path in paths:
            assert (await gateway.get(path)).status == 200, path
