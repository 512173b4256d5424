"""Custom kinds and the controllers: definitions go with their objects, owners and namespaces take them along."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import ConfigMap
from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.core import judge
from rollplane_machinery.codec import message_from_json
from rollplane_machinery.definitions import NAMES_ACCEPTED
from rollplane_machinery.kinds import CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, NAMESPACE, by_resource
from rollplane_machinery.stored import document_of
from rollplane_rules.registry.definitions import has_condition
from tests.controller.plane import Plane, a_plane
from tests.customs import GROUP, definition, stored_custom, stored_definition

NAME = f"crontabs.{GROUP}"
CRON_TAB = by_resource(NAME)


def a_tab(name: str = "one", *finalizers: str) -> StoredObject:
    made = stored_custom(name)
    made.metadata.namespace = "shop"
    made.metadata.finalizers.extend(finalizers)
    return made


async def found(plane: Plane, name: str = "one") -> StoredObject | None:
    obj = await plane.find(CRON_TAB, name)
    assert obj is None or isinstance(obj, StoredObject)
    return obj


async def definition_of(plane: Plane, name: str = NAME) -> StoredObject | None:
    obj = await plane.find(CUSTOM_RESOURCE_DEFINITION, name, "")
    assert obj is None or isinstance(obj, StoredObject)
    return obj


async def test_a_definition_takes_its_objects_with_it() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(stored_definition())
        for name in ("one", "two"):
            await plane.create(a_tab(name))
        await plane.create(a_tab("held", "example.com/mine"))
        await plane.quiet()
        await plane.delete(CUSTOM_RESOURCE_DEFINITION, NAME, "")
        await plane.pass_time(1)
        assert await found(plane, "one") is None
        held = await found(plane, "held")
        assert held is not None
        assert await definition_of(plane) is not None
        del held.metadata.finalizers[:]
        await plane.update(held)
        await plane.pass_time(20)
        assert await definition_of(plane) is None
        assert await found(plane, "held") is None


async def test_a_definition_with_hundreds_of_objects_goes_and_comes_again() -> None:
    async with a_plane() as plane:
        await plane.start()
        for _ in range(2):
            await plane.create(stored_definition())
            for number in range(300):
                await plane.create(a_tab(f"tab-{number}"))
            await plane.quiet()
            await plane.delete(CUSTOM_RESOURCE_DEFINITION, NAME, "")
            await plane.pass_time(20)
            assert await definition_of(plane) is None


async def test_a_definition_that_never_got_its_names_goes() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(stored_definition())
        await plane.create(a_tab())
        for _ in range(2):
            await plane.create(stored_definition(plural="tables"))
            await plane.quiet()
            rival = await definition_of(plane, f"tables.{GROUP}")
            assert rival is not None
            assert not has_condition(document_of(rival)["status"], NAMES_ACCEPTED)
            await plane.delete(CUSTOM_RESOURCE_DEFINITION, f"tables.{GROUP}", "")
            await plane.pass_time(5)
            assert await definition_of(plane, f"tables.{GROUP}") is None
        assert await found(plane) is not None


async def test_a_definition_stored_with_what_nobody_knows_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_plane() as plane:
        await plane.start()
        odd = definition()
        odd["spec"]["scoop"] = "Cluster"
        with monkeypatch.context() as earlier:
            earlier.setattr(judge, "read_definition", lambda _obj, _validation: ())
            await plane.create(message_from_json(StoredObject, odd))
        await plane.quiet()
        stored = await definition_of(plane)
        assert stored is not None
        assert "scoop" in document_of(stored)["spec"]
        await plane.delete(CUSTOM_RESOURCE_DEFINITION, NAME, "")
        await plane.pass_time(5)
        assert await definition_of(plane) is None


async def test_names_that_become_free_are_given() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(stored_definition())
        await plane.create(stored_definition(plural="tables", shortNames=["tb"]))
        await plane.quiet()
        rival = await definition_of(plane, f"tables.{GROUP}")
        assert rival is not None
        assert not has_condition(document_of(rival)["status"], NAMES_ACCEPTED)
        await plane.delete(CUSTOM_RESOURCE_DEFINITION, NAME, "")
        await plane.pass_time(5)
        rival = await definition_of(plane, f"tables.{GROUP}")
        assert rival is not None
        assert has_condition(document_of(rival)["status"], NAMES_ACCEPTED)


async def test_custom_objects_own_and_are_owned() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(stored_definition())
        await plane.create(a_tab("owner"))
        owner = await found(plane, "owner")
        assert owner is not None
        dependent = ConfigMap()
        dependent.metadata.name, dependent.metadata.namespace = "dependent", "shop"
        dependent.metadata.owner_references.add(
            api_version=f"{GROUP}/v1", kind="CronTab", name="owner", uid=owner.metadata.uid, controller=True
        )
        await plane.create(dependent)
        late = ConfigMap()
        late.CopyFrom(dependent)
        late.metadata.name = "late"
        late.metadata.owner_references[0].uid = "gone-before"
        await plane.create(late)
        owned = a_tab("owned")
        owned.metadata.owner_references.add(
            api_version=f"{GROUP}/v1", kind="CronTab", name="owner", uid=owner.metadata.uid
        )
        await plane.create(owned)
        await plane.quiet()
        assert await plane.find(CONFIG_MAP, "late") is None
        assert await plane.find(CONFIG_MAP, "dependent") is not None
        await plane.delete(CRON_TAB, "owner")
        await plane.quiet()
        assert await plane.find(CONFIG_MAP, "dependent") is None
        assert await found(plane, "owned") is None


async def test_a_namespace_takes_custom_objects_with_it() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(stored_definition())
        await plane.namespace("full")
        tab = a_tab()
        tab.metadata.namespace = "full"
        await plane.create(tab)
        await plane.quiet()
        await plane.delete(NAMESPACE, "full", "")
        await plane.quiet()
        assert await plane.find(NAMESPACE, "full", "") is None
        assert await plane.find(CRON_TAB, "one", "full") is None
