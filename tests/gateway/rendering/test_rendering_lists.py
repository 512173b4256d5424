"""Lists in each form: the same as the list message printed by the codec, joined from parts that are never parsed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from rollplane.core import v1 as core
from rollplane.meta.v1 import ListMeta, ObjectMeta, PartialObjectMetadata, PartialObjectMetadataList
from rollplane_gateway.rendering import Form, ListHead, Renderer, unwrapped
from rollplane_gateway.slices import SLICE
from rollplane_machinery import codec
from rollplane_machinery.kinds import POD, Encoded

HEAD = ListHead("v1", "Pod", 42, "token", 7)
META = ListMeta(resource_version="42", remaining_item_count=7)
setattr(META, "continue", "token")


def pods(count: int) -> list[core.Pod]:
    labels = {"app": "web"}
    return [core.Pod(metadata=ObjectMeta(name=f"web-{n}", labels=labels, resource_version="9")) for n in range(count)]


counts = pytest.mark.parametrize("count", [0, 1, 3])


@counts
async def test_json(count: int) -> None:
    objects = [Encoded.of(pod) for pod in pods(count)]
    expected = core.PodList(metadata=META, items=pods(count))
    # The codec tells no list from an empty one; a server's lists are never null.
    text = codec.dumps(expected).replace('"items":null', '"items":[]')
    assert (await Renderer().list(POD, HEAD, objects, Form.JSON)).decode() == text + "\n"


@counts
async def test_protobuf(count: int) -> None:
    objects = [Encoded.of(pod) for pod in pods(count)]
    api_version, kind, raw = unwrapped(await Renderer().list(POD, HEAD, objects, Form.PROTOBUF))
    assert (api_version, kind) == ("v1", "PodList")
    assert core.PodList.FromString(raw) == core.PodList(metadata=META, items=pods(count))


@counts
async def test_yaml(count: int) -> None:
    objects = [Encoded.of(pod) for pod in pods(count)]
    expected = core.PodList(metadata=META, items=pods(count))
    assert (await Renderer().list(POD, HEAD, objects, Form.YAML)).decode() == codec.dump_yaml(expected).replace(
        "items: null", "items: []"
    )


@counts
@pytest.mark.parametrize("version", ["meta.k8s.io/v1", "meta.k8s.io/v1beta1"])
async def test_metadata_alone(count: int, version: str) -> None:
    head = replace(HEAD, api_version=version)
    objects = [Encoded.of(pod) for pod in pods(count)]
    bare = [PartialObjectMetadata(metadata=pod.metadata) for pod in pods(count)]
    shown = json.loads(await Renderer().list(POD, head, objects, Form.PARTIAL_JSON))
    assert (shown["kind"], shown["apiVersion"]) == ("PartialObjectMetadataList", version)
    assert shown["items"] == [{**codec.to_json(each), "apiVersion": version} for each in bare]
    api_version, kind, raw = unwrapped(await Renderer().list(POD, head, objects, Form.PARTIAL_PROTOBUF))
    newer = PartialObjectMetadataList(metadata=META, items=bare)
    assert (api_version, kind) == (version, "PartialObjectMetadataList")
    assert raw == (older_bytes(bare) if version.endswith("beta1") else newer.SerializeToString())


def older_bytes(items: list[PartialObjectMetadata]) -> bytes:
    """The list of v1beta1 has its metadata in field 2 and its items in field 1; all are shorter than 128 bytes here."""
    fields = [(2, META.SerializeToString()), *((1, item.SerializeToString()) for item in items)]
    return b"".join(bytes((number << 3 | 2, len(data))) + data for number, data in fields)


async def test_a_cache_of_no_size_changes_nothing() -> None:
    objects = [Encoded.of(pod) for pod in pods(3)]
    small, large = Renderer(cache_bytes=0), Renderer()
    for _ in range(2):
        assert await small.list(POD, HEAD, objects, Form.JSON) == await large.list(POD, HEAD, objects, Form.JSON)


async def test_protobuf_of_objects_of_all_sizes() -> None:
    sizes = (0, 100, 127, 128, 300, 16_383, 16_384, 3_000_000)
    items = [core.Pod(metadata=ObjectMeta(annotations={"a": "x" * size})) for size in sizes]
    _, _, raw = unwrapped(await Renderer().list(POD, HEAD, [Encoded.of(pod) for pod in items], Form.PROTOBUF))
    assert core.PodList.FromString(raw) == core.PodList(metadata=META, items=items)


async def test_a_long_list_lets_others_in() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(other())
        await Renderer().list(POD, HEAD, [Encoded.of(core.Pod())] * 10 * SLICE, Form.JSON)
        running.cancel()
    assert turns >= 9
