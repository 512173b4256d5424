"""api-conventions.md section 5 and 6, lists: order, pages, revisions, selectors."""

from __future__ import annotations

import asyncio
import random

import pytest

from rollplane_apiserver.core import ADMIN, Core, CoreSettings
from rollplane_machinery import kinds
from rollplane_machinery.api import Create, Delete, DeleteCollection, ListQuery, Page
from rollplane_machinery.clock import FakeClock, SystemClock
from rollplane_machinery.errors import BadRequestError, CauseReason, ExpiredError, NotFoundError, TimedOutError
from rollplane_machinery.kinds import Encoded
from tests.apiserver.core.office import (
    CountingStore,
    Office,
    config_map,
    key_of,
    namespace,
    node,
    pod,
    replication_controller,
)


def names(page: Page) -> list[str]:
    return [encoded.parse().metadata.name for encoded in page.objects]


async def fill(office: Office, count: int) -> None:
    await office.api.batch([Create(Encoded.of(config_map(f"c{n:03}"))) for n in range(count)])


async def test_get_answers_what_is_stored_now(office: Office) -> None:
    made = await office.create(config_map())
    assert await office.get(made) == made
    await office.delete(made)
    with pytest.raises(NotFoundError):
        await office.get(made)


async def test_items_are_ordered_by_namespace_and_name(office: Office) -> None:
    for space in ("b", "a", "a-b"):
        await office.create(namespace(space))
    for space, name in [("b", "x"), ("a", "z"), ("a-b", "y"), ("a", "y"), ("default", "a")]:
        await office.create(config_map(name, space))
    page = await office.api.list(ListQuery(kinds.CONFIG_MAP))
    metas = [encoded.parse().metadata for encoded in page.objects]
    keys = [f"{meta.namespace}/{meta.name}" for meta in metas]
    assert keys == sorted(keys)
    assert len(keys) == 5
    assert await office.names(kinds.CONFIG_MAP, namespace="a") == ["y", "z"]


async def test_list_is_as_new_as_the_last_acknowledged_write(office: Office) -> None:
    for number in range(20):
        made = await office.api.write(Create(Encoded.of(config_map(f"c{number:02}"))))
        page = await office.api.list(ListQuery(kinds.CONFIG_MAP))
        assert len(page.objects) == number + 1
        assert page.revision >= made.revision


async def test_concurrent_lists_share_one_question_to_the_store(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    revision = office.store.revision

    async def counted() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return await revision()

    monkeypatch.setattr(office.store, "revision", counted)
    await asyncio.gather(*(office.api.list(ListQuery(kinds.POD)) for _ in range(50)))
    assert asked <= 2


@pytest.mark.parametrize("limit", [1, 3, 7, 10, 11])
async def test_pages_join_to_the_whole_at_one_revision(office: Office, limit: int) -> None:
    """Whatever happens between the pages: they are those of the first page's moment."""
    await fill(office, 10)
    query = ListQuery(kinds.CONFIG_MAP, limit=limit)
    page = await office.api.list(query)
    found, revisions, left = names(page), {page.revision}, 10 - len(page.objects)
    step = 0
    while page.continue_token:
        assert page.remaining_item_count == left
        await office.api.write(Delete(key_of(config_map(f"c{9 - step:03}"))))
        await office.create(config_map(f"c{step:03}b"))
        await office.create(config_map(f"c{9 - step:03}"))
        page = await office.api.list(ListQuery(kinds.CONFIG_MAP, limit=limit, continue_token=page.continue_token))
        found, revisions, left = found + names(page), revisions | {page.revision}, left - len(page.objects)
        step = (step + 1) % 10
    assert found == [f"c{n:03}" for n in range(10)]
    assert len(revisions) == 1
    assert page.remaining_item_count == 0


async def test_pages_are_cut_by_bytes(office: Office) -> None:
    for number in range(8):
        message = config_map(f"c{number}")
        message.data["k"] = "x" * 1_000_000
        await office.create(message)
    page = await office.api.list(ListQuery(kinds.CONFIG_MAP))
    assert 0 < sum(len(encoded.value) for encoded in page.objects) <= 3 * 1024 * 1024
    assert page.continue_token


async def test_selected_lists_tell_no_remaining_count(office: Office) -> None:
    for number in range(4):
        await office.create(config_map(f"c{number}", app="web"))
    page = await office.api.list(ListQuery(kinds.CONFIG_MAP, label_selector="app=web", limit=3))
    assert (len(page.objects), page.remaining_item_count) == (3, 0)
    rest = ListQuery(kinds.CONFIG_MAP, label_selector="app=web", limit=3, continue_token=page.continue_token)
    assert names(await office.api.list(rest)) == ["c3"]


async def test_any_apiserver_can_continue_a_list(office: Office) -> None:
    await fill(office, 10)
    page = await office.api.list(ListQuery(kinds.CONFIG_MAP, limit=4))
    async with Core(office.store, FakeClock(), randomness=random.Random(2)) as other:
        api = other.as_identity(ADMIN)
        await api.write(Delete(key_of(config_map("c005"))))
        rest = await api.list(ListQuery(kinds.CONFIG_MAP, continue_token=page.continue_token))
    assert names(rest) == [f"c{n:03}" for n in range(4, 10)]
    assert rest.revision == page.revision


TOKENS = {
    "garbage": "%%%",
    "base64 of nothing we know": "e30=",
    "another version": "WzIsMSwiIiwxXQ==",
    "not a list": "MQ==",
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
async def test_broken_tokens_are_bad_requests(office: Office, token: str) -> None:
    with pytest.raises(BadRequestError):
        await office.api.list(ListQuery(kinds.CONFIG_MAP, continue_token=token))


async def test_token_belongs_to_its_question(office: Office) -> None:
    await fill(office, 3)
    page = await office.api.list(ListQuery(kinds.CONFIG_MAP, limit=1))
    with pytest.raises(BadRequestError, match="another list"):
        await office.api.list(ListQuery(kinds.CONFIG_MAP, "default", continue_token=page.continue_token))


async def test_old_token_is_expired() -> None:
    store = CountingStore()
    async with Core(store, SystemClock(), settings=CoreSettings(ring_bytes=64 * 1024)) as core:
        office = Office(core, store, FakeClock())
        await fill(office, 10)
        page = await office.api.list(ListQuery(kinds.CONFIG_MAP, limit=1))
        for _ in range(20):
            await office.api.delete_collection(delete_all())
            await fill(office, 10)
        await office.api.list(ListQuery(kinds.CONFIG_MAP))
        with pytest.raises(ExpiredError):
            await office.api.list(ListQuery(kinds.CONFIG_MAP, continue_token=page.continue_token))


def delete_all() -> DeleteCollection:

    return DeleteCollection(kinds.CONFIG_MAP)


async def test_min_revision_waits_and_a_future_one_times_out() -> None:
    store = CountingStore()
    settings = CoreSettings(read_timeout_seconds=0.01)
    async with Core(store, SystemClock(), settings=settings) as core:
        api = core.as_identity(ADMIN)
        made = await api.write(Create(Encoded.of(config_map())))
        page = await api.list(ListQuery(kinds.CONFIG_MAP, min_revision=made.revision))
        assert page.revision >= made.revision
        with pytest.raises(TimedOutError) as refused:
            await api.list(ListQuery(kinds.CONFIG_MAP, min_revision=made.revision + 1000))
    assert [cause.reason for cause in refused.value.causes] == [CauseReason.RESOURCE_VERSION_TOO_LARGE]


LABELS = {
    "app=web": ["a", "b"],
    "app==web": ["a", "b"],
    "app!=web": ["c", "d"],
    "app in (web,db)": ["a", "b", "c"],
    "app notin (web)": ["c", "d"],
    "app": ["a", "b", "c"],
    "!app": ["d"],
    "n>1": ["b"],
    "n<2": ["a"],
    "app=web,n": ["a", "b"],
    "": ["a", "b", "c", "d"],
}


@pytest.mark.parametrize(("selector", "expected"), LABELS.items(), ids=LABELS)
async def test_label_selectors(office: Office, selector: str, expected: list[str]) -> None:
    await office.create(config_map("a", app="web", n="1"))
    await office.create(config_map("b", app="web", n="2"))
    await office.create(config_map("c", app="db"))
    await office.create(config_map("d"))
    assert await office.names(kinds.CONFIG_MAP, label_selector=selector) == expected


async def test_field_selectors(office: Office) -> None:
    await office.create(pod("a", node="n1"))
    await office.create(pod("b", node="n2"))
    await office.create(pod("c"))
    cases = {
        "spec.nodeName=n1": ["a"],
        "spec.nodeName!=n1": ["b", "c"],
        "spec.nodeName in (n1,n2)": ["a", "b"],
        "metadata.name=c,status.phase=Pending": ["c"],
        "metadata.namespace=elsewhere": [],
    }
    for selector, expected in cases.items():
        assert await office.names(kinds.POD, field_selector=selector) == expected, selector
    await office.create(node("n1"))
    assert await office.names(kinds.NODE, field_selector="spec.unschedulable=false") == ["n1"]
    await office.create(replication_controller())
    assert await office.names(kinds.REPLICATION_CONTROLLER, field_selector="status.replicas=0") == ["rc"]


@pytest.mark.parametrize(
    "query",
    [
        ListQuery(kinds.DEPLOYMENT, field_selector="spec.replicas=1"),
        ListQuery(kinds.POD, label_selector="a=("),
        ListQuery(kinds.POD, limit=-1),
    ],
)
async def test_senseless_queries_are_bad_requests(office: Office, query: ListQuery) -> None:
    with pytest.raises(BadRequestError):
        await office.api.list(query)
