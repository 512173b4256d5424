"""What scripts and small clients send: paths with a slash too many, YAML, odd headers, many requests a connection."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.clients.real.libraries.conftest import Place
from tests.clients.real.libraries.plain import Rest
from tests.clients.real.manifests import deployment

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.fixture
def rest(place: Place) -> Rest:
    return Rest(place.url)


@pytest.fixture
def maps(place: Place) -> str:
    return f"/api/v1/namespaces/{place.namespace}/configmaps"


def labelled(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.mark.parametrize(
    "path",
    ["/version", "/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/api/v1/nodes", "/livez", "/readyz"],
)
def test_a_slash_at_the_end_changes_nothing(rest: Rest, path: str) -> None:
    with_slash, without = rest.get(f"{path}/"), rest.get(path)
    assert (with_slash.status, without.status) == (200, 200)
    assert with_slash.headers["content-type"] == without.headers["content-type"]


def test_what_is_not_there(rest: Rest, maps: str) -> None:
    for path in ("/nothing", "/apis/none.example.com/v1", "/api/v1/things", f"{maps}/none"):
        answer = rest.get(path)
        assert answer.status == 404
        if answer.headers["content-type"] == "application/json":
            assert (answer.json["kind"], answer.json["reason"]) == ("Status", "NotFound")
    assert rest.send("POST", f"{maps}/none", labelled("none")).status == 405


def test_yaml_in_and_out(rest: Rest, maps: str, place: Place) -> None:
    deployments = f"/apis/apps/v1/namespaces/{place.namespace}/deployments"
    made = rest.send("POST", deployments, deployment("web"), "application/yaml", Accept="application/yaml")
    assert (made.status, made.headers["content-type"]) == (201, "application/yaml")
    assert yaml.safe_load(made.body)["spec"]["replicas"] == 3
    listed = yaml.safe_load(rest.get(maps, Accept="application/yaml").body)
    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")


def test_who_takes_compressed_answers_can_read_the_plain_ones(rest: Rest, maps: str) -> None:
    rest.send("POST", maps, labelled("big", text="x" * 400_000))
    answer = rest.get(f"{maps}/big", Accept_Encoding="gzip, deflate, br")
    assert "content-encoding" not in answer.headers
    assert answer.json["data"]["text"] == "x" * 400_000


@pytest.mark.parametrize("accept", ["*/*", "", "application/json;q=0.9,*/*;q=0.1", "text/html,*/*;q=0.8"])
def test_json_is_for_who_takes_all(rest: Rest, maps: str, accept: str) -> None:
    assert rest.get(maps, Accept=accept).headers["content-type"] == "application/json"


def test_what_is_not_spoken(rest: Rest, maps: str) -> None:
    assert rest.get(maps, Accept="application/cbor").status == 406
    refused = rest.send("POST", maps, labelled("x"), "application/cbor")
    assert (refused.status, refused.json["reason"]) == (415, "UnsupportedMediaType")
    patch = rest.send("PATCH", f"{maps}/x", {}, "application/json")
    assert patch.status == 415


def test_a_body_that_says_less(rest: Rest, maps: str) -> None:
    """Curl without a header of its own says that it sends a form; kind and version may be left out."""
    made = rest.send("POST", maps, {"metadata": {"name": "bare"}})
    assert (made.status, made.json["kind"], made.json["apiVersion"]) == (201, "ConfigMap", "v1")
    form = rest.send("POST", maps, labelled("x"), "application/x-www-form-urlencoded")
    assert form.status == 415
    assert rest.send("POST", maps, "{", "application/json").status == 400


def test_tables_for_who_asks(rest: Rest, maps: str) -> None:
    rest.send("POST", maps, labelled("a", k="v"))
    table = rest.get(maps, Accept=TABLE).json
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    names = {row["object"]["metadata"]["name"]: row["cells"][1] for row in table["rows"]}
    assert names["a"] == 1


def test_a_watch_is_a_line_for_each_event(rest: Rest, maps: str) -> None:
    rest.send("POST", maps, labelled("a"))
    answer = rest.get(f"{maps}/?watch=true&timeoutSeconds=1&fieldSelector=metadata.name=a")
    assert (answer.headers["content-type"], answer.headers["transfer-encoding"]) == ("application/json", "chunked")
    events = [json.loads(line) for line in answer.body.splitlines()]
    assert [(each["type"], each["object"]["metadata"]["name"]) for each in events] == [("ADDED", "a")]
    expired = rest.get(f"{maps}?watch=1&resourceVersion=1").json
    assert (expired["type"], expired["object"]["code"], expired["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_many_requests_on_one_connection(place: Place) -> None:
    host, _, port = urlsplit(place.url).netloc.partition(":")
    request = f"GET /version HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=10) as connection, connection.makefile("rb") as answers:
        for _ in range(2):
            connection.sendall(request)
            assert answers.readline().split()[1] == b"200"
            size = 0
            while (line := answers.readline().strip().lower()) != b"":
                name, _, value = line.partition(b":")
                size = int(value) if name == b"content-length" else size
            assert json.loads(answers.read(size))["major"] == "1"


def test_pages_cut_off_by_hand(rest: Rest, maps: str) -> None:
    for name in "abc":
        rest.send("POST", maps, labelled(name))
    found, token = [], ""
    while True:
        page = rest.read(f"{maps}?limit=2&continue={token}")
        found += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert [name for name in found if len(name) == 1] == ["a", "b", "c"]
    assert rest.get(f"{maps}?limit=2&continue=nonsense").status == 400
