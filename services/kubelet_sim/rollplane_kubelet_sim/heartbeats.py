"""What the nodes of a fleet tell of themselves: leases renewed, conditions reported; one batch a second for them all.

Source: docs/semantics/pod-lifecycle.md section 9. A node whose object was deleted says nothing more, as a real kubelet
registers only when it starts. One that is gone with the history of the store was deleted by nobody: it registers again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rollplane.core.v1 import Node
from rollplane_kubelet_sim.node_news import NodeNews, change_notes, start_notes
from rollplane_kubelet_sim.node_objects import (
    LEASE_NAMESPACE,
    NodeView,
    condition_statuses,
    lease_object,
    node_info,
    node_object,
    set_conditions,
)
from rollplane_kubelet_sim.node_pools.pools import PlannedNode
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.writing import OPTIONS
from rollplane_machinery.api import Create, Key, Patch, PatchType, Update, UpdateStatus, Write, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.codec import to_json
from rollplane_machinery.errors import (
    AlreadyExistsError,
    ConflictError,
    InternalError,
    NotFoundError,
    RollplaneError,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.kinds import LEASE, NODE, Encoded
from rollplane_service.metrics import Batches

log = logging.getLogger(__name__)

RENEW_SECONDS = 10
REPORT_SECONDS = 300.0
BATCH = 500
NAMES_TOLD = 5
PASSING = (UnavailableError, TimedOutError, TooManyRequestsError, InternalError)


class Heartbeats:
    """Keeps the nodes of one fleet registered and their leases fresh, unless the profile silences them.

    ``version`` is that of the kubelets. ``seen`` returns a node's view and ``stored`` its bytes as the watch last
    showed them, None for a node that is not there; ``loads`` how often the watch has shown the whole state. ``news``
    hears what is to be told in Events, ``counted`` of the answers to each tick's leases, for metrics.
    """

    def __init__(
        self,
        api: Batches,
        nodes: Mapping[str, PlannedNode],
        version: str,
        seen: Callable[[Key], NodeView | None],
        stored: Callable[[Key], Encoded | None],
        loads: Callable[[], int],
        profile: Callable[[], Profile],
        news: NodeNews,
        *,
        clock: Clock,
        counted: Callable[[Sequence[WriteResult | RollplaneError]], None] = lambda _answers: None,
    ) -> None:
        self._api = api
        self._nodes = nodes
        self._version = version
        self._news = news
        self._seen = seen
        self._stored = stored
        self._loads = loads
        self._loads_known = 0
        self._deleted: set[str] = set()
        self._profile = profile
        self._clock = clock
        self._counted = counted
        self._tick = 0
        self._versions: dict[str, int] = {}
        self._without_lease: set[str] = set()
        self._changed: set[str] = set()
        self._to_register: dict[str, None] = dict.fromkeys(nodes)
        self._found: set[str] = set()
        """Nodes that were there when their kubelets started: what they lack is added once they have been seen."""

    def register_again(self, nodes: Iterable[str]) -> None:
        """Register these nodes at the next tick, as restarted kubelets do; those that exist get what they lack."""
        self._to_register.update(dict.fromkeys(nodes))

    def note_changed(self, node: str) -> None:
        """Look at a node's conditions at the next tick instead of within ten seconds."""
        self._changed.add(node)

    def note_gone(self, node: str) -> None:
        """Take note that the watch shows no such node any more: somebody deleted it, or the store lost it."""
        if self._loads() == self._loads_known:
            self._deleted.add(node)
        else:
            self._to_register[node] = None

    def note_there(self, node: str) -> None:
        """Take note that the watch shows the node."""
        self._deleted.discard(node)

    def look_for_lost(self) -> None:
        """Once the watch has shown the whole state anew, register the nodes it lacks that nobody deleted."""
        if self._loads() != self._loads_known:
            self._loads_known = self._loads()
            lost = (name for name in self._nodes if self._seen(_node_key(name)) is None)
            self.register_again(name for name in lost if name not in self._deleted)

    def unregistered(self) -> str:
        """Return which nodes are still to be registered, nothing when all are: a Check."""
        return _told(self._alive(self._to_register), "not registered yet")

    def deleted(self) -> str:
        """Return which nodes somebody deleted; they stay away until their kubelets restart."""
        return _told(sorted(self._deleted), "deleted, until their kubelets restart")

    async def register(self) -> None:
        """Create the nodes and their leases; blocks until the server has taken or refused each of them."""
        while True:
            try:
                await self._register()
            except PASSING as exc:
                log.warning("nodes not registered", extra={"reason": exc.reason, "detail": exc.message})
            if not self._alive(self._to_register):
                return
            await self._clock.sleep(1.0)

    async def run(self) -> None:
        """Tell once a second what is due, until cancelled."""
        while True:
            await self._clock.sleep(1.0)
            self._tick += 1
            try:
                await self._register()
                await self._beat(self._clock.now())
            except RollplaneError as exc:
                log.warning("heartbeat not sent", extra={"reason": exc.reason, "detail": exc.message})

    async def _register(self) -> None:
        names = self._alive(self._to_register)
        if not names:
            return
        now = self._clock.now()
        made = [node_object(self._nodes[name], self._version, now) for name in names]
        answers = await self._send([Create(Encoded.of(node), OPTIONS) for node in made])
        await self._write_leases({name: Create(Encoded.of(lease_object(name, now)), OPTIONS) for name in names})
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, WriteResult) or answer.outcome is None:
                self._started(name, registered=isinstance(answer, WriteResult))

    def _started(self, name: str, *, registered: bool) -> None:
        """The node's registration is answered: it is new, or was there and may lack something."""
        self._to_register.pop(name, None)
        self._news.add(name, start_notes(name, registered=registered))
        if not registered:
            self._found.add(name)

    async def _beat(self, now: float) -> None:
        """Renew a tenth of the leases, so that each is renewed every ten seconds, and look at those nodes."""
        turn = [name for name, plan in self._nodes.items() if (plan.number + self._tick) % RENEW_SECONDS == 0]
        changed, self._changed = self._changed, set()
        here = [name for name in self._alive(turn) if self._seen(_node_key(name)) is not None]
        asked = dict.fromkeys([*here, *self._alive(sorted(changed))])
        reports = {name: write for name in asked if (write := self._status(name, now)) is not None}
        before = {name: view.conditions for name in reports if (view := self._seen(_node_key(name))) is not None}
        others = [*reports.values(), *self._catching_up()]
        answers = await self._write_leases({name: self._renewal(name, now) for name in here}, others)
        for name, answer in zip(reports, answers, strict=False):
            if isinstance(answer, WriteResult):
                self._news.add(name, list(change_notes(name, before[name], self._wanted(name))))

    def _wanted(self, name: str) -> Mapping[str, str]:
        return condition_statuses(ready=not self._profile().is_unready(name))

    def _catching_up(self) -> Iterator[Write]:
        """Yield what gives nodes that were there before their kubelets what they lack, once for each start."""
        views = {name: self._seen(_node_key(name)) for name in self._alive(sorted(self._found))}
        known = {name: view for name, view in views.items() if view is not None}
        self._found.difference_update(known)
        for name, view in known.items():
            if view.lacking:
                patch = json.dumps({"metadata": view.lacking})
                yield Patch(_node_key(name), PatchType.MERGE, patch.encode(), options=OPTIONS)
            if not view.offers:
                plan = self._nodes[name]
                patch = json.dumps({"status": {"capacity": plan.capacity, "allocatable": plan.allocatable}})
                yield Patch(_node_key(name), PatchType.MERGE, patch.encode(), "status", options=OPTIONS)

    def _status(self, name: str, now: float) -> Write | None:
        """Return the report of a node's conditions if they are not as they should be, or were told long ago."""
        view, ready = self._seen(_node_key(name)), not self._profile().is_unready(name)
        if view is None or (view.shows(self._version, ready=ready) and now - view.heartbeat < REPORT_SECONDS):
            return None
        encoded = self._stored(_node_key(name))
        if encoded is None:
            return None
        node = Node.FromString(encoded.value)
        set_conditions(node, now, ready=ready)
        node.status.node_info.CopyFrom(node_info(self._nodes[name], self._version))
        return UpdateStatus(Encoded.of(node), OPTIONS)

    def _renewal(self, name: str, now: float) -> Write:
        """Return the write that renews a lease: on top of our last one, or whatever is stored when that is unknown."""
        lease = lease_object(name, now)
        if name in self._without_lease:
            return Create(Encoded.of(lease), OPTIONS)
        if name not in self._versions:
            patch = json.dumps({"spec": {"renewTime": to_json(lease)["spec"]["renewTime"]}})
            return Patch(Key(LEASE, LEASE_NAMESPACE, name), PatchType.MERGE, patch.encode(), options=OPTIONS)
        lease.metadata.resource_version = str(self._versions[name])
        return Update(Encoded.of(lease), OPTIONS)

    async def _write_leases(
        self, leases: Mapping[str, Write], others: Sequence[Write] = ()
    ) -> Sequence[WriteResult | RollplaneError]:
        """Write leases, and others with them, whose answers are returned; remember versions.

        A lease that was refused is patched the next time.
        """
        answers = await self._send([*leases.values(), *others])
        self._counted(answers[: len(leases)])
        for name, answer in zip(leases, answers, strict=False):
            self._versions.pop(name, None)
            self._without_lease.discard(name)
            if isinstance(answer, WriteResult):
                self._versions[name] = answer.revision
            elif isinstance(answer, NotFoundError) and answer.outcome is None:
                self._without_lease.add(name)
        return answers[len(leases) :]

    def _alive(self, names: Iterable[str]) -> list[str]:
        profile = self._profile()
        return [name for name in names if not profile.is_silent(name)]

    async def _send(self, writes: Sequence[Write]) -> list[WriteResult | RollplaneError]:
        answers: list[WriteResult | RollplaneError] = []
        for start in range(0, len(writes), BATCH):
            answers += await self._api.batch(writes[start : start + BATCH])
        for answer in answers:
            if isinstance(answer, RollplaneError) and not isinstance(answer, AlreadyExistsError | ConflictError):
                log.warning("node not written", extra={"reason": answer.reason, "detail": answer.message})
        return answers


def _node_key(name: str) -> Key:
    return Key(NODE, "", name)


def _told(names: Sequence[str], what: str) -> str:
    if not names:
        return ""
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return f"{', '.join(names[:NAMES_TOLD])}{more}: {what}"
