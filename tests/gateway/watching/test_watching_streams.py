"""Watches as clients open them: replay, state, filters, bookmarks, forms."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import ConfigMap
from rollplane_gateway.rendering import unwrapped
from tests.end_to_end.waiting import until
from tests.gateway.serving import CONFIG_MAPS, Served, config_map, serving
from tests.gateway.watching.listening import PROTOBUF, TABLE, watching

OTHER = "/api/v1/namespaces/kube-public/configmaps"
STREAMING = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


async def create(served: Served, name: str, path: str = CONFIG_MAPS, **labels: str) -> str:
    """Create a ConfigMap; returns its version."""
    body = {**config_map(name), "metadata": {"name": name, "labels": labels}}
    got = await served.ask("POST", path, body)
    assert got.status == 201, got.body
    version: str = got.json["metadata"]["resourceVersion"]
    return version


async def listed(served: Served) -> str:
    """Return the version of the list."""
    version: str = (await served.get(CONFIG_MAPS)).json["metadata"]["resourceVersion"]
    return version


async def test_every_change_after_a_version_is_told_once_and_in_order() -> None:
    async with serving() as served:
        version = await listed(served)
        await create(served, "a")
        async with watching(served, f"{CONFIG_MAPS}?watch=1&resourceVersion={version}") as first:
            assert first.response.headers["Content-Type"] == "application/json"
            assert await first.names(1) == [("ADDED", "a")]
            # The second finds a hub that has moved on, and reads what it lacks by itself.
            await create(served, "b")
            assert await first.names(1) == [("ADDED", "b")]
            await served.ask("DELETE", f"{CONFIG_MAPS}/a")
            assert await first.names(1) == [("DELETED", "a")]
            async with watching(served, f"{CONFIG_MAPS}?watch=1&resourceVersion={version}") as second:
                assert await second.names(3) == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]
                await create(served, "c")
                assert await first.names(1) == await second.names(1) == [("ADDED", "c")]


@pytest.mark.parametrize("version", ["", "&resourceVersion=", "&resourceVersion=0"])
async def test_without_a_version_the_state_comes_first(version: str) -> None:
    async with serving() as served:
        await create(served, "a")
        await create(served, "b")
        async with watching(served, f"{CONFIG_MAPS}?watch=true{version}") as listener:
            assert await listener.names(2) == [("ADDED", "a"), ("ADDED", "b")]
            await create(served, "c")
            assert await listener.names(1) == [("ADDED", "c")]


@pytest.mark.parametrize("version", ["", "&resourceVersion=1"])
async def test_a_streaming_list(version: str) -> None:
    async with serving() as served:
        await create(served, "a")
        last = await create(served, "b")
        async with watching(served, f"{CONFIG_MAPS}?{STREAMING}{version}") as listener:
            assert await listener.names(2) == [("ADDED", "a"), ("ADDED", "b")]
            mark = await listener.event()
            assert mark["type"] == "BOOKMARK"
            assert (mark["object"]["apiVersion"], mark["object"]["kind"]) == ("v1", "ConfigMap")
            assert mark["object"]["metadata"] == {
                "resourceVersion": last,
                "creationTimestamp": None,
                "annotations": {"k8s.io/initial-events-end": "true"},
            }
            await create(served, "c")
            assert await listener.names(1) == [("ADDED", "c")]


async def test_no_state_when_it_is_refused() -> None:
    async with serving() as served:
        await create(served, "a")
        path = f"{CONFIG_MAPS}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"
        async with watching(served, path) as listener:
            await create(served, "b")
            assert await listener.names(1) == [("ADDED", "b")]


@pytest.mark.parametrize(
    "parameters",
    [
        "sendInitialEvents=true",
        "resourceVersionMatch=NotOlderThan",
        "sendInitialEvents=true&resourceVersionMatch=Exact",
        "sendInitialEvents=false",
    ],
)
async def test_parameters_that_do_not_go_together(parameters: str) -> None:
    async with serving() as served:
        got = await served.get(f"{CONFIG_MAPS}?watch=true&{parameters}")
        assert (got.status, got.json["reason"]) == (422, "Invalid")
        assert got.json["details"]["causes"][0]["field"] == "resourceVersionMatch"


@pytest.mark.parametrize(
    "parameters", ["resourceVersion=x", "resourceVersion=-1", "labelSelector=a(", "fieldSelector=spec.x=1"]
)
async def test_what_cannot_be_read(parameters: str) -> None:
    async with serving() as served:
        got = await served.get(f"{CONFIG_MAPS}?watch=true&{parameters}")
        assert (got.status, got.json["reason"]) == (400, "BadRequest")


async def test_selectors() -> None:
    async with serving() as served:
        await create(served, "a", app="web")
        await create(served, "b", app="db")
        await create(served, "a", OTHER, app="web")
        by_label = f"{CONFIG_MAPS}?watch=true&labelSelector=app+in+(web)"
        by_name = f"{CONFIG_MAPS}?watch=true&fieldSelector=metadata.name%3Da,metadata.name%3Da,metadata.namespace%21%3D"
        older = "/api/v1/watch/namespaces/default/configmaps/a?timeoutSeconds=600"
        for path in (by_label, by_name, older):
            async with watching(served, path) as listener:
                assert await listener.names(1) == [("ADDED", "a")]
        async with watching(served, "/api/v1/watch/configmaps?labelSelector=app%3Dweb") as listener:
            namespaces = [event["object"]["metadata"]["namespace"] for event in await listener.events(2)]
            assert namespaces == ["default", "kube-public"]


async def test_beginning_and_ceasing_to_match() -> None:
    async with serving() as served:
        version = await create(served, "a", app="web")
        path = f"{CONFIG_MAPS}?watch=true&labelSelector=app%3Dweb&resourceVersion={version}"
        async with watching(served, path) as listener:
            for app, expected in (("db", "DELETED"), ("web", "ADDED")):
                patch = {"metadata": {"labels": {"app": app}}}
                merge = {"Content-Type": "application/merge-patch+json"}
                await served.ask("PATCH", f"{CONFIG_MAPS}/a", str(patch).replace("'", '"').encode(), headers=merge)
                event = await listener.event()
                assert (event["type"], event["object"]["metadata"]["labels"]) == (expected, {"app": "web"})


async def test_protobuf_frames() -> None:
    async with serving() as served:
        await create(served, "a")
        async with watching(served, f"{CONFIG_MAPS}?{STREAMING}", PROTOBUF) as listener:
            media = "application/vnd.kubernetes.protobuf;stream=watch"
            assert listener.response.headers["Content-Type"] == media
            event = await listener.frame()
            api_version, kind, raw = unwrapped(event.object.raw)
            assert (event.type, api_version, kind) == ("ADDED", "v1", "ConfigMap")
            assert ConfigMap.FromString(raw).metadata.name == "a"
            mark = await listener.frame()
            annotations = ConfigMap.FromString(unwrapped(mark.object.raw)[2]).metadata.annotations
            assert (mark.type, dict(annotations)) == ("BOOKMARK", {"k8s.io/initial-events-end": "true"})


async def test_tables_of_one_row_of_which_the_first_tells_the_columns() -> None:
    async with serving() as served:
        await create(served, "a")
        await create(served, "b")
        async with watching(served, f"{CONFIG_MAPS}?watch=true", TABLE) as listener:
            first, second = await listener.events(2)
            assert [first["object"]["kind"], second["object"]["kind"]] == ["Table", "Table"]
            assert [column["name"] for column in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
            assert second["object"]["columnDefinitions"] is None
            assert [row["object"]["metadata"]["name"] for row in second["object"]["rows"]] == ["b"]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_metadata_alone_in_the_version_that_is_asked_for(version: str) -> None:
    accept = {"Accept": f"application/json;as=PartialObjectMetadata;v={version};g=meta.k8s.io"}
    async with serving() as served:
        await create(served, "a")
        async with watching(served, f"{CONFIG_MAPS}?{STREAMING}", accept) as listener:
            for event in await listener.events(2):
                shown = event["object"]
                assert (shown["kind"], shown["apiVersion"]) == ("PartialObjectMetadata", f"meta.k8s.io/{version}")
                assert shown.keys() == {"kind", "apiVersion", "metadata"}
        one = (await served.get(f"{CONFIG_MAPS}/a", **accept)).json
        assert (one["kind"], one["apiVersion"]) == ("PartialObjectMetadata", f"meta.k8s.io/{version}")


async def test_the_same_events_for_many() -> None:
    async with serving() as served:
        version = await listed(served)
        path = f"{CONFIG_MAPS}?watch=true&resourceVersion={version}"
        async with watching(served, path) as one, watching(served, path) as two, watching(served, path, TABLE) as three:
            watches = served.server.watches
            assert (watches.readers, watches.hubs) == (3, 1)
            await create(served, "a")
            assert await one.event() == await two.event()
            assert (await three.event())["type"] == "ADDED"


async def test_names_and_namespaces_are_told_apart_of_one_upstream() -> None:
    async with serving() as served:
        version = await listed(served)
        at = f"?watch=true&resourceVersion={version}"
        name = "&fieldSelector=metadata.name%3Da"
        async with (
            watching(served, f"/api/v1/configmaps{at}") as everything,
            watching(served, f"{CONFIG_MAPS}{at}") as namespace,
            watching(served, f"/api/v1/configmaps{at}{name}") as named,
            watching(served, f"{OTHER}{at}{name}") as one,
        ):
            watches = served.server.watches
            assert (watches.readers, watches.hubs, watches.upstreams) == (4, 4, 1)
            for path in (CONFIG_MAPS, OTHER):
                for each in ("b", "a"):
                    await create(served, each, path)
            await served.ask("DELETE", f"{OTHER}/a")
            deleted = ("DELETED", "a")
            a, b = ("ADDED", "a"), ("ADDED", "b")
            assert await everything.names(5) == [b, a, b, a, deleted]
            await create(served, "last")
            assert await namespace.names(3) == [b, a, ("ADDED", "last")]
            assert await named.names(3) == [a, a, deleted]
            assert await one.names(2) == [a, deleted]


async def test_a_drain_ends_watches_between_two_events() -> None:
    async with serving() as served:
        version = await listed(served)
        async with watching(served, f"{CONFIG_MAPS}?watch=true&resourceVersion={version}") as listener:
            await create(served, "a")
            assert await listener.names(1) == [("ADDED", "a")]
            await served.server.drain(5.0)
            assert await listener.rest() == []


async def test_a_client_that_goes_is_noticed() -> None:
    async with serving() as served:
        version = await listed(served)
        async with watching(served, f"{CONFIG_MAPS}?watch=true&resourceVersion={version}"):
            assert served.server.watches.readers == 1
        await until(lambda: served.server.watches.readers == 0, 30.0, "the watch is still open")


async def test_another_version_of_a_kind() -> None:
    async with serving() as served:
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "e"},
            "involvedObject": {"kind": "Pod", "name": "a", "namespace": "default"},
            "message": "Scaled up",
        }
        got = await served.ask("POST", "/api/v1/namespaces/default/events", body)
        assert got.status == 201, got.body
        path = "/apis/events.k8s.io/v1/namespaces/default/events?watch=true&fieldSelector=regarding.name%3Da"
        async with watching(served, path) as listener:
            event = (await listener.event())["object"]
            assert (event["apiVersion"], event["note"]) == ("events.k8s.io/v1", "Scaled up")
