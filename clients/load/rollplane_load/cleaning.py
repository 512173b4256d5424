"""The namespace that a load makes, and leaving everything as it was, whatever ended the load."""

from __future__ import annotations

from collections.abc import Awaitable

from rollplane.core.v1 import Namespace
from rollplane_load.cluster import Cluster
from rollplane_load.nodes import Nodes
from rollplane_load.simulated import Simulation
from rollplane_machinery.api import Create, Delete, Key
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    AlreadyExistsError,
    BadRequestError,
    ForbiddenError,
    InternalError,
    NotFoundError,
    RollplaneError,
    TimedOutError,
)
from rollplane_machinery.kinds import NAMESPACE, SERVICE_ACCOUNT, Encoded

SECONDS = 300.0
LOOK_SECONDS = 0.1
LABELS = {"app.kubernetes.io/managed-by": "rollplane-load"}
"""What every namespace of a load bears: ``kubectl delete namespace -l`` finds what a killed one has left."""

FURNISHED_SECONDS = 10.0
"""How long a namespace is waited for until it has what pods need; one without is used as it is."""


async def make_namespace(cluster: Cluster, name: str) -> str:
    """Make the namespace of that name, or one that the server names, and return what it is called.

    Raises BadRequestError for one that is there already: what is in it is somebody's.
    """
    namespace = Namespace()
    namespace.metadata.name, namespace.metadata.generate_name = name, "" if name else "load-"
    namespace.metadata.labels.update(LABELS)
    try:
        made = await cluster.write(Create(Encoded.of(namespace)))
    except AlreadyExistsError:
        raise BadRequestError(
            f'namespace "{name}" is there already, and a load test works only in one that it has made: '
            "name another, or none"
        ) from None
    if made.object is None:
        raise InternalError("the answer to a write holds no object")
    return made.object.key.name


async def furnished(cluster: Cluster, namespace: str, clock: Clock) -> None:
    """Wait until a namespace has its ServiceAccount, without which pods are refused: that is not to be measured."""
    deadline = clock.monotonic() + FURNISHED_SECONDS
    while not await _is_there(cluster, Key(SERVICE_ACCOUNT, namespace, "default")) and clock.monotonic() < deadline:
        await clock.sleep(LOOK_SECONDS)


async def _is_there(cluster: Cluster, key: Key) -> bool:
    """Tell whether an object is there; who may not ask takes it for there."""
    try:
        await cluster.get(key)
    except ForbiddenError:
        return True
    except NotFoundError:
        return False
    return True


class Leavings:
    """What a load has changed and has to give back."""

    def __init__(self, cluster: Cluster, namespace: str, clock: Clock) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._clock = clock
        self.nodes: Nodes | None = None
        self.simulation: Simulation | None = None

    async def clean_up(self) -> list[str]:
        """Give everything back; returns a sentence for each thing that is left."""
        left: list[str] = []
        nodes = self.nodes
        if nodes is not None:
            for name in sorted(nodes.cordoned):
                left += await _tried(nodes.uncordon(name), f"node {name} is still cordoned")
        if self.simulation is not None:
            left += await _tried(self.simulation.restore(), "simulated kubelets still live by the profile of a fault")
        return [*left, *await _tried(self._delete(), f'namespace "{self._namespace}" is still there')]

    async def _delete(self) -> None:
        """Delete the namespace with all that is in it, and wait until it has gone."""
        key = Key(NAMESPACE, "", self._namespace)
        await self._cluster.write(Delete(key))
        deadline = self._clock.monotonic() + SECONDS
        while await _is_there(self._cluster, key):
            if self._clock.monotonic() > deadline:
                raise TimedOutError(f"it has not gone after {SECONDS:g} s")
            await self._clock.sleep(LOOK_SECONDS)


async def _tried(giving_back: Awaitable[None], otherwise: str) -> list[str]:
    try:
        await giving_back
    except RollplaneError as exc:
        return [f"{otherwise}: {exc.message}"]
    return []
