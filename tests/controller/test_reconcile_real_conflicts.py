"""A write is lost, somebody else changes the object, and the repeat meets a real conflict: to be planned anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollplane.core.v1 import ConfigMap
from rollplane_machinery.api import Api, Key, ObjectApi, Patch, PatchType, Propagation, Write, WriteResult
from rollplane_machinery.errors import Outcome, RollplaneError, UnavailableError
from rollplane_machinery.kinds import CONFIG_MAP
from tests.controller.plane import PlainApi, Plane, a_plane

LABEL = b'{"metadata":{"labels":{"changed":"meanwhile"}}}'


class OvertakenApi(PlainApi):
    """Loses the first batch with a write that ``loses`` picks; before it is sent again ``user`` labels the object."""

    def __init__(self, api: ObjectApi, user: Api, loses: Callable[[Write], bool]) -> None:
        super().__init__(api)
        self._user = user
        self._loses = loses
        self.overtaken: Key | None = None

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        lost = next((write for write in writes if self._loses(write)), None)
        if lost is None or self.overtaken is not None:
            return await super().batch(writes)
        self.overtaken = lost.key
        await self._user.write(Patch(lost.key, PatchType.MERGE, LABEL))
        raise UnavailableError("Socket closed", outcome=Outcome.OUTCOME_UNKNOWN)


def orphans(write: Write) -> bool:
    return isinstance(write, Patch) and write.key.kind is CONFIG_MAP


def config_map(name: str) -> ConfigMap:
    message = ConfigMap()
    message.metadata.namespace, message.metadata.name = "shop", name
    return message


async def test_an_orphaning_deletion_is_not_forgotten() -> None:
    async with a_plane() as plane:
        overtaken: list[OvertakenApi] = []

        def wrap(api: ObjectApi) -> ObjectApi:
            overtaken.append(OvertakenApi(api, plane.user, orphans))
            return overtaken[0]

        await plane.start(wrap=wrap)
        await plane.create(config_map("owner"))
        await own(plane, "owned", "owner")
        await plane.quiet()
        await plane.delete(CONFIG_MAP, "owner", propagation=Propagation.ORPHAN)
        await plane.quiet()
        await plane.pass_time(30.0)
        assert overtaken[0].overtaken is not None
        assert await plane.find(CONFIG_MAP, "owner") is None
        left = await plane.find(CONFIG_MAP, "owned")
        assert left is not None
        assert not left.metadata.owner_references
        assert dict(left.metadata.labels) == {"changed": "meanwhile"}


async def own(plane: Plane, name: str, owner: str) -> None:
    """Create an object that ``owner`` owns."""
    found = await plane.find(CONFIG_MAP, owner)
    assert found is not None
    message = config_map(name)
    message.metadata.owner_references.add(
        api_version="v1", kind="ConfigMap", name=owner, uid=found.metadata.uid, block_owner_deletion=True
    )
    await plane.create(message)
