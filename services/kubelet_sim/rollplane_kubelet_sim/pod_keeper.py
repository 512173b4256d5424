"""The pods of a fleet: each one's life, what is due when, and reports that leave in batches.

The keeper decides when a pod is looked at and what becomes of a report; what a pod does is its PodLife's business. A
life may be thrown away at any moment: the stored status is enough to take it up again. That is what happens when a
report was refused, when a kubelet restarts, and to pods that nothing more is going to happen to.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from rollplane.core.v1 import ObjectReference, Pod
from rollplane_client.batch_writer import Answer
from rollplane_client.events import EventRecorder
from rollplane_kubelet_sim.addresses import PodAddresses, node_address
from rollplane_kubelet_sim.admission import Admissions, has_started
from rollplane_kubelet_sim.due import DueTimes
from rollplane_kubelet_sim.reports import log_refusal, status_write
from rollplane_kubelet_sim.stages.containers import Note
from rollplane_kubelet_sim.stages.life import PodLife, Progress
from rollplane_kubelet_sim.stages.pods import Place
from rollplane_kubelet_sim.stages.references import NOTHING_MISSING, Missing
from rollplane_kubelet_sim.stages.rejection import Asked, Rejection, rejected_status
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.writing import COMPONENT, OPTIONS
from rollplane_machinery.api import Delete, Key, Preconditions, Write, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import POD, Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import is_pod_finished
from rollplane_machinery.references import reference_to
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.remembering import same

RETRY_SECONDS = 1.0
REJECTION_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
SLICE = 200
"""How many pods are looked at before others get the loop."""


class Writer(Protocol):
    """What the keeper needs of a BatchWriter."""

    def submit(self, write: Write) -> asyncio.Future[Answer]: ...

    def record(self, write: Write) -> bool: ...


class Needs(Protocol):
    """What the keeper asks about the ConfigMaps and Secrets of pods: References answers."""

    def concern(self, key: Key, pod: Pod) -> bool: ...

    def forget(self, key: Key) -> None: ...

    def missing(self, pod: Pod) -> Missing | None: ...


@dataclass(slots=True)
class _Tenant:
    """A pod that lives here.

    ``revision`` is what the watch has shown, ``awaited`` that of our last report. ``missed`` means it was to be looked
    at while a report was under way; ``leaving`` that its removal has been asked for. ``refers`` says whether it needs
    any ConfigMap or Secret. ``asked`` is what it takes of its node, from when that took it on until it is done;
    ``doubted_since`` when its node was first found not to.
    """

    uid: str
    node: str
    address: str
    revision: int
    phase: str
    refers: bool = False
    life: PodLife | None = None
    reporting: bool = False
    awaited: int = 0
    missed: bool = False
    leaving: bool = False
    failures: int = 0
    asked: Asked | None = None
    doubted_since: float | None = None

    @property
    def is_unsure(self) -> bool:
        """Whether the watch has yet to show our last report."""
        return self.reporting or self.awaited > self.revision


class PodKeeper:
    """Lives the pods bound to the nodes of one fleet.

    ``nodes`` numbers the fleet's nodes by name, ``stored`` returns a pod as last seen. ``profile`` is asked at every
    step, so that it may change at run time. ``release`` is that of the kubelets. ``reported`` hears of the answer to
    each status report, for metrics.
    """

    def __init__(
        self,
        writer: Writer,
        nodes: Mapping[str, int],
        stored: Callable[[Key], Encoded | None],
        profile: Callable[[], Profile],
        needs: Needs,
        admissions: Admissions,
        *,
        clock: Clock,
        release: Release = LATEST,
        reported: Callable[[Answer], None] = lambda _answer: None,
    ) -> None:
        self._writer = writer
        self._nodes = nodes
        self._stored = stored
        self._profile = profile
        self._needs = needs
        self._admissions = admissions
        self._lacking: dict[Key, None] = {}
        self._clock = clock
        self._release = release
        self._note_report = reported
        self.phases: Counter[str] = Counter()
        """How many pods live here, by their phase as last seen; empty for one that has none yet."""
        self._events = EventRecorder(writer.record, COMPONENT, clock)
        self._tenants: dict[Key, _Tenant] = {}
        self._addresses: dict[str, PodAddresses] = {}
        self._due: DueTimes[Key] = DueTimes()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        """Return how many pods live here."""
        return len(self._tenants)

    @property
    def next_step(self) -> float | None:
        """When, in seconds since the epoch, the next pod is due; None while none is."""
        return self._due.earliest

    # What the watch tells.

    def observe(self, key: Key, pod: Pod) -> None:
        """Take note of a pod as now stored; a namesake of one that lived here begins a life of its own."""
        tenant = self._tenants.get(key)
        if tenant is not None and tenant.uid != pod.metadata.uid:
            self.forget(key)
            tenant = None
        if tenant is None:
            self._tenants[key] = self._take_in(key, pod)
            self._schedule(key, self._clock.now())
            return
        self._note_phase(tenant, same(pod.status.phase))
        if is_pod_finished(pod):
            self._release_room(tenant)
        tenant.revision = int(pod.metadata.resource_version or 0)
        if tenant.life is not None:
            tenant.life.observe(pod)
        if tenant.reporting:
            return  # the answer will tell whether this is our own report
        if tenant.missed or tenant.revision != tenant.awaited:
            self._schedule(key, self._clock.now())

    def forget(self, key: Key) -> None:
        """The pod is gone: nothing of it is left."""
        tenant = self._tenants.pop(key, None)
        self._due.discard(key)
        self._lacking.pop(key, None)
        if tenant is not None:
            self._needs.forget(key)
            self._release_room(tenant)
            self.phases[tenant.phase] -= 1
            self._addresses_of(tenant.node).free(tenant.address)

    def _release_room(self, tenant: _Tenant) -> None:
        if tenant.asked is not None:
            self._admissions.release(tenant.node, tenant.asked)
            tenant.asked = None

    def _note_phase(self, tenant: _Tenant, phase: str) -> None:
        self.phases[tenant.phase] -= 1
        self.phases[phase] += 1
        tenant.phase = phase

    def look_again(self) -> None:
        """Look at every pod, as after the profile has changed."""
        now = self._clock.now()
        for key in self._tenants:
            self._schedule(key, now)

    def look_for_missing(self) -> None:
        """Look at the pods that lack something, as after ConfigMaps or Secrets have come or gone."""
        now = self._clock.now()
        for key in self._lacking:
            self._schedule(key, now)

    def restart(self, nodes: Iterable[str]) -> None:
        """Restart the kubelets of these nodes: all they know of their pods is what is stored."""
        restarted = frozenset(nodes)
        for tenant in self._tenants.values():
            if tenant.node in restarted:
                tenant.life = None
                tenant.leaving = False
        self.look_again()

    # Looking.

    async def run(self) -> None:
        """Take the steps that are due until cancelled."""
        while True:
            self._wake.clear()
            now = self._clock.now()
            due = self._due.take(now, SLICE)
            for key in due:
                self._look(key, now)
            await (asyncio.sleep(0) if due else self._wait())

    async def _wait(self) -> None:
        """Block until something new is told, or the next step is due."""
        earliest = self._due.earliest
        if earliest is None:
            await self._wake.wait()
            return
        try:
            async with asyncio.timeout(max(0.0, earliest - self._clock.now())):
                await self._wake.wait()
        except TimeoutError:
            return

    def _schedule(self, key: Key, due: float) -> None:
        if self._due.schedule(key, due):
            self._wake.set()

    def _look(self, key: Key, now: float) -> None:
        tenant, profile = self._tenants[key], self._profile()
        if tenant.is_unsure:
            tenant.missed = True
            return
        tenant.missed = False
        if tenant.leaving or profile.is_silent(tenant.node):
            return
        life = tenant.life = tenant.life or self._take_up(key, tenant, now)
        missing = self._missing(key, tenant, life) if life is not None else None
        if life is None or missing is None:
            return
        progress = life.advance(profile, now, missing)
        if progress.due is not None:
            self._schedule(key, progress.due)
        self._carry_out(key, tenant, life, progress)

    def _admits(self, key: Key, tenant: _Tenant, pod: Pod, now: float) -> bool:
        """Take a pod on that has not begun; the node that does not take it still does not a moment later.

        So whoever makes another pod for it does so at some pace, as behind a kubelet's own.
        """
        if tenant.asked is not None or is_being_deleted(pod.metadata) or is_pod_finished(pod):
            return True
        found = self._admissions.admit(pod)
        if isinstance(found, Asked):
            tenant.asked = found
            return True
        tenant.doubted_since = now if tenant.doubted_since is None else tenant.doubted_since
        if now < tenant.doubted_since + REJECTION_SECONDS:
            self._schedule(key, tenant.doubted_since + REJECTION_SECONDS)
        else:
            self._reject(key, tenant, pod, found, now)
        return False

    def _reject(self, key: Key, tenant: _Tenant, pod: Pod, rejection: Rejection, now: float) -> None:
        status = rejected_status(pod, rejection, now, self._release)
        progress = Progress(status, None, (Note(rejection.reason, rejection.message, warning=True),))
        tenant.reporting = True
        self._submit(status_write(pod, status, None), partial(self._reported, key, tenant, pod, progress))

    def _missing(self, key: Key, tenant: _Tenant, life: PodLife) -> Missing | None:
        """Return what the pod lacks, None when that cannot be told yet: it is looked at again when it can."""
        if not tenant.refers or is_being_deleted(life.pod.metadata):
            return NOTHING_MISSING
        missing = self._needs.missing(life.pod)
        if missing is None or missing:
            self._lacking[key] = None
        else:
            self._lacking.pop(key, None)
        return missing

    def _take_up(self, key: Key, tenant: _Tenant, now: float) -> PodLife | None:
        """Take up the life of a pod from what is stored; None where its node does not take it."""
        encoded = self._stored(key)
        pod = None if encoded is None else Pod.FromString(encoded.value)
        if pod is None or not self._admits(key, tenant, pod, now):
            return None
        host = node_address(self._nodes[tenant.node])
        if pod.spec.host_network:
            tenant.address = host
        elif not tenant.address:
            tenant.address = self._addresses_of(tenant.node).take()
        return PodLife(pod, Place(host, tenant.address, now), self._release)

    def _carry_out(self, key: Key, tenant: _Tenant, life: PodLife, progress: Progress) -> None:
        if progress.status is not None:
            tenant.reporting = not progress.ended
            write = status_write(life.pod, progress.status, progress.annotations)
            self._submit(write, partial(self._reported, key, tenant, life.pod, progress))
        else:
            self._tell(life.pod, progress.notes)
        if progress.ended:
            tenant.leaving = True
            delete = Delete(key, 0, preconditions=Preconditions(uid=tenant.uid), options=OPTIONS)
            self._submit(delete, partial(self._removed, key, tenant))
        elif progress.due is None and not life.remembers and not tenant.reporting:
            tenant.life = None

    # Reports and their answers.

    def _submit(self, write: Write, answered: Callable[[Answer], None]) -> None:
        try:
            future = self._writer.submit(write)
        except RollplaneError as exc:
            answered(exc)
            return
        future.add_done_callback(lambda done: None if done.cancelled() else answered(done.result()))

    def _reported(self, key: Key, tenant: _Tenant, pod: Pod, progress: Progress, answer: Answer) -> None:
        """Wait for the watch to show the report; if it has already, the look that was missed then is due now."""
        tenant.reporting = False
        self._note_report(answer)
        if not isinstance(answer, WriteResult):
            has_changed = tenant.revision > int(pod.metadata.resource_version or 0)
            self._refused(key, tenant, answer, at_once=has_changed and isinstance(answer, ConflictError))
            return
        tenant.failures = 0
        tenant.awaited = answer.revision
        self._tell(pod, progress.notes)
        if not self._is_current(key, tenant):
            return
        if tenant.revision > tenant.awaited or (tenant.missed and not tenant.is_unsure):
            self._schedule(key, self._clock.now())
        if progress.due is None and tenant.life is not None and not tenant.life.remembers:
            tenant.life = None

    def _removed(self, key: Key, tenant: _Tenant, answer: Answer) -> None:
        if not isinstance(answer, WriteResult | NotFoundError):
            tenant.leaving = False
            self._refused(key, tenant, answer)

    def _refused(self, key: Key, tenant: _Tenant, refusal: RollplaneError, *, at_once: bool = False) -> None:
        """Begin anew from what is stored, a little later: nothing that was not reported has happened.

        ``at_once`` when the change that a conflict was about has been seen already.
        """
        tenant.life = None
        tenant.failures += 1
        log_refusal(key, refusal)
        if not self._is_current(key, tenant) or isinstance(refusal, NotFoundError):
            return
        wait = min(RETRY_SECONDS * 2.0 ** (tenant.failures - 1), LONGEST_RETRY_SECONDS)
        self._schedule(key, self._clock.now() + (0.0 if at_once else wait))

    def _is_current(self, key: Key, tenant: _Tenant) -> bool:
        return self._tenants.get(key) is tenant

    def _tell(self, pod: Pod, notes: Iterable[Note]) -> None:
        quiet = self._profile().quiet
        for note in notes:
            if note.warning or not quiet:
                host = pod.spec.node_name
                subject = _reference(pod, note.field)
                self._events.emit(subject, note.reason, note.message, type_=note.type, host=host, at=note.at)

    # Addresses.

    def _take_in(self, key: Key, pod: Pod) -> _Tenant:
        """Return a new tenant; the address its status shows is its own from now on."""
        node, address, phase = same(pod.spec.node_name), pod.status.pod_ip, same(pod.status.phase)
        if address and not pod.spec.host_network:
            self._addresses_of(node).hold(address)
        self.phases[phase] += 1
        tenant = _Tenant(pod.metadata.uid, node, address, int(pod.metadata.resource_version or 0), phase)
        tenant.refers = self._needs.concern(key, pod)
        if has_started(pod):
            self._admits(key, tenant, pod, self._clock.now())
        return tenant

    def _addresses_of(self, node: str) -> PodAddresses:
        if node not in self._addresses:
            self._addresses[node] = PodAddresses(self._nodes[node])
        return self._addresses[node]


def _reference(pod: Pod, field: str) -> ObjectReference:
    subject = reference_to(Key(POD, pod.metadata.namespace, pod.metadata.name), pod.metadata.uid)
    if field:
        subject.field_path = field
    return subject
