"""Reading ReplicationControllers, by name and by whom they replace."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.core.v1 import ReplicationController
from rollplane_apiserver.rollout.rolling_update.drafts import RESOURCE, controller
from rollplane_machinery.api import Key, ListQuery, ObjectApi
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import REPLICATION_CONTROLLER
from rollplane_machinery.rolling_update import source_of


@dataclass(frozen=True, slots=True)
class Present:
    """The ReplicationControllers of a namespace, and the revision at which they were read."""

    by_name: dict[str, ReplicationController]
    revision: int

    def get(self, name: str) -> ReplicationController | None:
        return self.by_name.get(name)

    def find(self, name: str) -> ReplicationController:
        """Return the controller of that name; raises NotFoundError."""
        if (found := self.by_name.get(name)) is None:
            raise NotFoundError(f'{RESOURCE} "{name}" not found', resource=RESOURCE, name=name)
        return found

    def replacing(self, name: str) -> ReplicationController | None:
        """Return the controller that takes the place of ``name``, compared as a whole: ``web`` is not ``web-2``."""
        for found in self.by_name.values():
            source = source_of(found.metadata.annotations)
            if source is not None and source.name == name:
                return found
        return None


async def read_present(objects: ObjectApi, namespace: str) -> Present:
    """Return all ReplicationControllers of the namespace as they are now."""
    found: dict[str, ReplicationController] = {}
    token, revision = "", 0
    while True:
        page = await objects.list(ListQuery(REPLICATION_CONTROLLER, namespace, continue_token=token))
        revision = revision or page.revision
        for encoded in page.objects:
            one = controller(encoded.parse())
            found[one.metadata.name] = one
        token = page.continue_token
        if not token:
            return Present(found, revision)


def key_of(one: ReplicationController) -> Key:
    """Return the controller's key."""
    return Key(REPLICATION_CONTROLLER, one.metadata.namespace, one.metadata.name)
