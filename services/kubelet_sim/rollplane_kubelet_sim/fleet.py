"""A fleet: the simulated nodes of one process, their pods, and the profile they live by.

The profile comes from the start settings; a ConfigMap changes it at run time, for every fleet that watches it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from rollplane.core.v1 import ConfigMap, Node, Pod
from rollplane_client.batch_writer import BatchWriter
from rollplane_client.cache import Cache
from rollplane_client.events import EventRecorder
from rollplane_client.informer import Informer
from rollplane_client.tokens import Tokens
from rollplane_kubelet_sim.admission import Admissions
from rollplane_kubelet_sim.heartbeats import Heartbeats
from rollplane_kubelet_sim.metrics import Metrics
from rollplane_kubelet_sim.node_news import NodeNews, cordon_note
from rollplane_kubelet_sim.node_objects import NodeView, node_view
from rollplane_kubelet_sim.node_pools.planning import plan_nodes
from rollplane_kubelet_sim.node_pools.pools import NodePool, NodeShape, PlannedNode
from rollplane_kubelet_sim.pod_keeper import PodKeeper
from rollplane_kubelet_sim.references import References
from rollplane_kubelet_sim.stages.containers import Note
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_kubelet_sim.writing import COMPONENT
from rollplane_machinery.api import EventType, Key, ObjectApi, WatchFilter
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.kinds import CONFIG_MAP, NODE, POD, Encoded
from rollplane_machinery.references import reference_to
from rollplane_machinery.releases import LATEST, Release
from rollplane_service.metrics import MeasuredBatches

log = logging.getLogger(__name__)

PROFILE_KEY = Key(CONFIG_MAP, "kube-system", "rollplane-simulation")
PROFILE_DATA = "profile.yaml"


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """``nodes`` nodes, in ``pools`` or called ``<prefix>-<number>``; numbers begin with ``first``.

    How many there are when ``nodes`` is None, and which of them are in which pool, says ``node_pools.planning``.
    Addresses follow from numbers, so fleets of one plane need numbers of their own, whatever their prefixes.
    ``release`` is the one whose kubelets these are.
    """

    prefix: str = "node"
    nodes: int | None = None
    first: int = 0
    shape: NodeShape = field(default_factory=NodeShape)
    release: Release = LATEST
    pools: tuple[NodePool, ...] = ()

    def planned(self) -> tuple[PlannedNode, ...]:
        """Return the nodes; raises RollplaneError for settings that do not go together."""
        return plan_nodes(self.pools, self.nodes, prefix=self.prefix, first=self.first, shape=self.shape)


class Fleet:
    """Simulated nodes over any Api.

    ``run`` until cancelled; ``ready`` is set once the nodes are registered and the pods bound to them are known.
    ``tokens`` left out are random ones.
    """

    def __init__(
        self,
        api: ObjectApi,
        settings: FleetSettings,
        profile: Profile,
        *,
        clock: Clock,
        metrics: Metrics | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self.metrics = metrics = metrics or Metrics(clock)
        batches = MeasuredBatches(api, metrics.writes, clock)
        self._clock = clock
        self._start_profile = self._profile = profile
        self.nodes = {node.name: node for node in settings.planned()}
        self._writer = BatchWriter(batches, clock=clock, tokens=tokens)
        self._events = EventRecorder(self._writer.record, COMPONENT, clock)
        self._informer: Informer[NodeView | None] = Informer(api, self._filters(), self._view, clock=clock)
        informer = self._informer
        self._references = References(api, lambda: self.pods.look_for_missing(), clock=clock)
        self.pods = PodKeeper(
            self._writer,
            {name: node.number for name, node in self.nodes.items()},
            informer.encoded,
            lambda: self._profile,
            self._references,
            Admissions(informer.encoded, settings.release),
            clock=clock,
            release=settings.release,
            reported=metrics.reported,
        )
        self._version = settings.release.version
        self._news = NodeNews(self._tell_of_node)
        self._heartbeats = Heartbeats(
            batches,
            self.nodes,
            self._version,
            informer.get,
            informer.encoded,
            lambda: informer.reloads,
            lambda: self._profile,
            self._news,
            clock=clock,
            counted=metrics.heartbeats,
        )
        metrics.show(lambda: len(self.nodes), lambda: self.pods.phases)
        informer.on_progress(metrics.writes.reached)
        informer.on_progress(lambda _revision: self._heartbeats.look_for_lost())
        informer.add_handler(POD, self._on_pod)
        informer.add_handler(NODE, self._on_node)
        informer.add_handler(CONFIG_MAP, self._on_config_map)
        self.ready = asyncio.Event()

    def _filters(self) -> list[WatchFilter]:
        names = ",".join(self.nodes)
        return [
            WatchFilter(POD, field_selector=f"spec.nodeName in ({names})"),
            WatchFilter(NODE, field_selector=f"metadata.name in ({names})"),
            WatchFilter(CONFIG_MAP, (PROFILE_KEY.namespace,), field_selector=f"metadata.name={PROFILE_KEY.name}"),
        ]

    def unregistered(self) -> str:
        """Return which nodes are to be registered and are not, nothing when all are: a Check."""
        return self._heartbeats.unregistered()

    def deleted(self) -> str:
        """Return which nodes somebody deleted, and so stay away: a Check that is only a note."""
        return self._heartbeats.deleted()

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self._profile

    def live_by(self, profile: Profile) -> None:
        """Live by ``profile`` from now on, or once no ConfigMap says otherwise any more."""
        stood_alone = self._profile is self._start_profile
        self._start_profile = profile
        if stood_alone:
            self._change_profile(profile)

    @property
    def packable(self) -> Cache[NodeView | None]:
        """What it holds of pods and nodes, for whoever packs what is at rest."""
        return self._informer.packable

    @property
    def next_step(self) -> float | None:
        """When, in seconds since the epoch, a pod takes its next step by itself; None while none is due."""
        return self.pods.next_step

    @property
    def pending(self) -> int:
        """How many writes have not been answered; Events do not count."""
        return self._writer.pending

    async def run(self) -> None:
        """Register the nodes, then live until cancelled."""
        await self._heartbeats.register()
        async with asyncio.TaskGroup() as tasks:
            keepers = (self._heartbeats.run, self._references.run, self._keep_pods, self._tell_news)
            for loop in (self._writer.run, self._informer.run, *keepers):
                tasks.create_task(loop())

    async def _keep_pods(self) -> None:
        """Look at pods once all that there are, and the profile, are known."""
        await self._informer.synced.wait()
        self.ready.set()
        await self.pods.run()

    async def _tell_news(self) -> None:
        """Tell of nodes once the fleet is ready: what is told for people keeps nobody waiting."""
        await self.ready.wait()
        while True:
            await self._clock.sleep(1.0)
            self._news.tell()

    def _view(self, encoded: Encoded) -> NodeView | None:
        if encoded.kind is not NODE:
            return None
        node = encoded.read_as(Node)
        return node_view(node, self.nodes[node.metadata.name])

    def _on_pod(self, type_: EventType, key: Key, _old: object, _new: object) -> None:
        encoded = self._informer.encoded(key)
        if type_ is EventType.DELETED or encoded is None:
            self.pods.forget(key)
        else:
            self.pods.observe(key, Pod.FromString(encoded.value))

    def _on_node(self, _type: EventType, key: Key, old: NodeView | None, new: NodeView | None) -> None:
        if new is None:
            self._heartbeats.note_gone(key.name)
            return
        self._heartbeats.note_there(key.name)
        if not new.shows(self._version, ready=not self._profile.is_unready(key.name)):
            self._heartbeats.note_changed(key.name)
        if new.unschedulable != (old is not None and old.unschedulable) and not self._profile.is_silent(key.name):
            self._news.add(key.name, [cordon_note(key.name, unschedulable=new.unschedulable)])

    def _tell_of_node(self, name: str, note: Note) -> None:
        """A kubelet names its node as the uid of its own."""
        if not self._profile.quiet:
            about = reference_to(Key(NODE, "", name), name)
            self._events.emit(about, note.reason, note.message, type_=note.type, host=name)

    # The profile.

    def _on_config_map(self, type_: EventType, key: Key, _old: object, _new: object) -> None:
        encoded = self._informer.encoded(key)
        if encoded is None or type_ is EventType.DELETED:
            self._change_profile(self._start_profile)
            return
        config = ConfigMap.FromString(encoded.value)
        try:
            profile = parse_profile(config.data.get(PROFILE_DATA, ""), PROFILE_DATA)
        except InvalidError as exc:
            # The former profile stays in force: a typing error must not stop a rehearsal.
            log.warning("profile refused", extra={"detail": exc.message})
            self._tell(config, Note("ProfileRefused", f"{self._profile.name} stays: {exc.message}", warning=True))
            return
        if self._change_profile(profile):
            self._tell(config, Note("ProfileChanged", f"pods now live by {profile.name}"))

    def _change_profile(self, profile: Profile) -> bool:
        """Live by ``profile`` from now on; tells whether that is news."""
        former, self._profile = self._profile, profile
        if profile == former:
            return False
        log.info("profile changed", extra={"profile": profile.name})
        restarted = [node for node in self.nodes if profile.restarts_of(node) > former.restarts_of(node)]
        self._heartbeats.register_again(restarted)
        for node in self.nodes:
            if profile.is_unready(node) != former.is_unready(node):
                self._heartbeats.note_changed(node)
        self.pods.restart(restarted)
        return True

    def _tell(self, config: ConfigMap, note: Note) -> None:
        key = Key(CONFIG_MAP, config.metadata.namespace, config.metadata.name)
        self._events.emit(reference_to(key, config.metadata.uid), note.reason, note.message, type_=note.type)
