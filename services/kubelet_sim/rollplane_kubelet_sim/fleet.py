"""A fleet: the simulated nodes of one process, their pods, and the profile they live by.

The profile comes from the start settings; a ConfigMap changes it at run time, for every fleet that watches it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from rollplane.core.v1 import ConfigMap, Node, Pod
from rollplane_client.batch_writer import BatchWriter
from rollplane_client.informer import Informer
from rollplane_kubelet_sim.heartbeats import Heartbeats
from rollplane_kubelet_sim.node_objects import NodeShape
from rollplane_kubelet_sim.pod_keeper import PodKeeper
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.api import EventType, Key, ObjectApi, WatchFilter
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.kinds import CONFIG_MAP, NODE, POD

log = logging.getLogger(__name__)

PROFILE_KEY = Key(CONFIG_MAP, "kube-system", "rollplane-simulation")
PROFILE_DATA = "profile.yaml"


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """``nodes`` nodes named ``<prefix>-<number>``, numbered from ``first``."""

    prefix: str = "node"
    nodes: int = 10
    first: int = 0
    shape: NodeShape = field(default_factory=NodeShape)


class Fleet:
    """Simulated nodes over any Api. ``run`` until cancelled; ``ready`` is set once the nodes are registered."""

    def __init__(self, api: ObjectApi, settings: FleetSettings, profile: Profile, *, clock: Clock) -> None:
        self._start_profile = self._profile = profile
        numbers = range(settings.first, settings.first + settings.nodes)
        self.nodes = {f"{settings.prefix}-{number}": number for number in numbers}
        self._writer = BatchWriter(api, clock=clock)
        self._heartbeats = Heartbeats(api, self.nodes, settings.shape, lambda: self._profile, clock=clock)
        self.pods = PodKeeper(self._writer, self.nodes, lambda: self._profile, clock=clock)
        self._informer: Informer[None] = Informer(api, self._filters(), lambda _kind, _value: None, clock=clock)
        self._informer.add_handler(POD, self._on_pod)
        self._informer.add_handler(NODE, self._on_node)
        self._informer.add_handler(CONFIG_MAP, self._on_config_map)
        self._sick: asyncio.Queue[Node] = asyncio.Queue(maxsize=max(1, settings.nodes) * 4)
        self.ready = asyncio.Event()

    def _filters(self) -> list[WatchFilter]:
        names = ",".join(self.nodes)
        return [
            WatchFilter(POD, field_selector=f"spec.nodeName in ({names})"),
            WatchFilter(NODE),
            WatchFilter(CONFIG_MAP, (PROFILE_KEY.namespace,), field_selector=f"metadata.name={PROFILE_KEY.name}"),
        ]

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self._profile

    async def run(self) -> None:
        """Register the nodes, then live until cancelled."""
        await self._heartbeats.register()
        self.ready.set()
        async with asyncio.TaskGroup() as tasks:
            for loop in (self._writer.run, self._informer.run, self.pods.run, self._heartbeats.run, self._recover):
                tasks.create_task(loop())

    async def _recover(self) -> None:
        while True:
            await self._heartbeats.recover(await self._sick.get())

    def _on_pod(self, type_: EventType, key: Key, _old: None, _new: None) -> None:
        encoded = self._informer.encoded(key)
        if type_ is EventType.DELETED or encoded is None:
            self.pods.forget(key)
        else:
            self.pods.observe(key, Pod.FromString(encoded.value))

    def _on_node(self, type_: EventType, key: Key, _old: None, _new: None) -> None:
        encoded = self._informer.encoded(key)
        if key.name in self.nodes and encoded is not None and type_ is not EventType.DELETED and not self._sick.full():
            self._sick.put_nowait(Node.FromString(encoded.value))

    def _on_config_map(self, type_: EventType, key: Key, _old: None, _new: None) -> None:
        encoded = self._informer.encoded(key)
        if encoded is None or type_ is EventType.DELETED:
            self._change_profile(self._start_profile)
            return
        text = ConfigMap.FromString(encoded.value).data.get(PROFILE_DATA, "")
        try:
            self._change_profile(parse_profile(text, str(PROFILE_KEY)))
        except InvalidError as exc:
            # The former profile stays in force: a typing error must not stop a rehearsal.
            log.warning("profile refused", extra={"detail": exc.message})

    def _change_profile(self, profile: Profile) -> None:
        if profile != self._profile:
            self._profile = profile
            log.info("profile changed", extra={"profile": profile.name})
            self.pods.look_again()
