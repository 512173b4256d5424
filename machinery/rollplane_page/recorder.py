"""Recording what a watch shows: workloads with their promises, pods with their states, Events.

Whose a pod is, its controllers say; which revision, its hash label. What becomes of a pod without a change of any
object, that it has been ready for long enough, is reckoned.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rollplane.apps.v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import Event, Pod, ReplicationController
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent
from rollplane_machinery.deployments import HASH_LABEL, REVISION
from rollplane_machinery.kinds import (
    DAEMON_SET,
    DEPLOYMENT,
    EVENT,
    POD,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
)
from rollplane_machinery.metadata import controller_uid, is_being_deleted
from rollplane_machinery.pods import available_after, is_pod_finished, ready_since
from rollplane_machinery.rolling_update import DEFAULT_LABEL_KEY
from rollplane_machinery.well_known import REVISION_LABEL
from rollplane_page.recording import EventLine, Mark, PodLine, PodState, Recording, Wait, Workload
from rollplane_planners.limits import (
    RECREATE,
    ROLLING_UPDATE,
    daemon_set_max_surge,
    daemon_set_max_unavailable,
    limits_of,
    stateful_set_max_unavailable,
)
from rollplane_planners.pod_trouble import trouble_of

KINDS = (DEPLOYMENT, REPLICA_SET, STATEFUL_SET, DAEMON_SET, REPLICATION_CONTROLLER, POD, EVENT)
"""What has to be watched, in the order in which lists are to be taken."""
HASH_LABELS = (HASH_LABEL, REVISION_LABEL, DEFAULT_LABEL_KEY)


@dataclass(slots=True)
class _Pod:
    """A pod as it was last seen; ``ripens`` is when its being ready for long enough is due."""

    place: int
    state: PodState
    ripens: float = 0.0


@dataclass(slots=True)
class _Waiting:
    """What is waited for since ``begin``: ``sentence`` says it since ``since``, others said it before for a while."""

    subject: str
    begin: float
    sentence: str
    since: float
    lasted: dict[str, float] = field(default_factory=dict)

    def say(self, sentence: str, at: float) -> None:
        if sentence != self.sentence:
            self.lasted[self.sentence] = self.lasted.get(self.sentence, 0.0) + at - self.since
            self.sentence, self.since = sentence, at

    def told(self, end: float, place: int) -> Wait:
        self.say("", end)
        return Wait(self.begin, end, place, told_together(self.lasted))


_COUNT = re.compile(r"(?<![\w-])\d+(?= )")
"""A number of things, not that of a pod's name."""
_THINGS = re.compile(r"\b(pod|node)s?\b")


def subject_of(sentence: str) -> str:
    """Return what is the same in sentences that differ only in how many they are about, and in words in brackets."""
    return _THINGS.sub(r"\1", _COUNT.sub("#", sentence.partition(" (")[0]))


def told_together(lasted: Mapping[str, float]) -> str:
    """Return one sentence for several about one subject, each with how long it lasted: counts become ranges.

    What is in brackets is that which lasted longest; so is the subject, where there are several.
    """
    subject = _longest((subject_of(sentence), seconds) for sentence, seconds in lasted.items())
    meant = {sentence: seconds for sentence, seconds in lasted.items() if subject_of(sentence) == subject}
    bracket = _longest((sentence.partition(" (")[2], seconds) for sentence, seconds in meant.items())
    heads = [sentence.partition(" (")[0] for sentence in meant]
    ranges = [sorted({*each}) for each in zip(*(map(int, _COUNT.findall(head)) for head in heads), strict=True)]
    return f"{_ranged(heads[0], ranges)} ({bracket}" if bracket else _ranged(heads[0], ranges)


def _longest(words: Iterable[tuple[str, float]]) -> str:
    """Return the words that lasted longest together, the first of equals."""
    lasted: dict[str, float] = {}
    for each, seconds in words:
        lasted[each] = lasted.get(each, 0.0) + seconds
    return max(lasted, key=lambda each: lasted[each])


def _ranged(head: str, ranges: Sequence[Sequence[int]]) -> str:
    if all(len(each) == 1 for each in ranges):
        return head
    counts = iter(f"{each[0]}" if len(each) == 1 else f"{each[0]} to {each[-1]}" for each in ranges)
    return re.sub(r"( to \d+ (?:\w+ )?(?:pod|node))\b", r"\1s", _COUNT.sub(lambda _: next(counts), head))


@dataclass(slots=True)
class Recorder:
    """Fills ``recording`` from batches of a watch; ``began`` is when it began, in seconds since the epoch."""

    recording: Recording
    began: float
    _workloads: dict[str, int] = field(default_factory=dict)
    _min_ready: dict[int, int] = field(default_factory=dict)
    _owners: dict[str, str] = field(default_factory=dict)
    _pods: dict[str, _Pod] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)
    _ripening: list[tuple[float, str]] = field(default_factory=list)
    _waiting: dict[int, _Waiting] = field(default_factory=dict)
    _waited: dict[int, _Waiting] = field(default_factory=dict)
    _seen: dict[int, bool] = field(default_factory=dict)
    _newest: dict[int, str] = field(default_factory=dict)
    _numbers: dict[int, int] = field(default_factory=dict)

    def take(self, batch: WatchBatch, now: float) -> None:
        """Note what ``batch`` brought at ``now``, in seconds since the epoch."""
        self._ripen(now)
        at = now - self.began
        for event in batch.events:
            if (note := _TAKERS.get(event.object.kind.resource)) is not None:
                note(self, event, at)
        self.recording.end = max(self.recording.end, at)

    def places(self) -> Iterable[tuple[str, int]]:
        """Return uid and place of every pod that ever was."""
        return self._places.items()

    def states(self) -> Sequence[PodState]:
        """Return the state of every pod that ever was, by its place."""
        states = [PodState.GONE] * len(self.recording.pods)
        for known in self._pods.values():
            states[known.place] = known.state
        return states

    def mark(self, label: str, now: float) -> None:
        """Give a moment its name; what is waited for from then on is another wait."""
        at = now - self.began
        self.recording.marks.append(Mark(at, label))
        for place, waiting in self._waiting.items():
            if at > waiting.begin:
                self.recording.waits.append(waiting.told(at, place))
        self._waiting.clear()
        self._waited.clear()

    def waits(self, uid: str, sentence: str, now: float, subject: str = "") -> None:
        """Note that the workload waits for what ``sentence`` says from now on; "" when it waits no more.

        Sentences about one ``subject`` (by default each is about itself) differ only in their counts: they are told
        as one, with ranges.
        """
        place, at = self._workloads.get(uid), now - self.began
        if place is None:
            return
        waiting, about = self._waiting.get(place), subject or sentence
        if waiting is not None and waiting.subject == about:
            waiting.say(sentence, at)
            return
        if waiting is not None and at > waiting.begin:  # what lasted no time is not worth telling
            self._end_wait(waiting, at, place)
        self._waiting.pop(place, None)
        if sentence:
            self._waiting[place] = self._begin_wait(about, at, sentence, place)

    def _end_wait(self, waiting: _Waiting, at: float, place: int) -> None:
        self._waited[place] = waiting
        self.recording.waits.append(waiting.told(at, place))

    def _begin_wait(self, about: str, at: float, sentence: str, place: int) -> _Waiting:
        """Begin a wait; one that was left for no time is gone on with."""
        before = self._waited.get(place)
        if before is None or before.subject != about or before.since != at:
            return _Waiting(about, at, sentence, at)
        del self._waited[place]
        self.recording.waits.remove(before.told(at, place))
        before.say(sentence, at)
        return before

    def finish(self, now: float) -> Recording:
        """Return the recording, with everything that is still waited for waiting until ``now``."""
        self._ripen(now)
        self.recording.end = max(self.recording.end, now - self.began)
        for place, waiting in sorted(self._waiting.items()):
            self.recording.waits.append(replace(waiting.told(self.recording.end, place), lasting=True))
        self._waiting.clear()
        self.recording.waits.sort(key=lambda wait: (wait.begin, wait.workload))
        return self.recording

    # Workloads.

    def _take_workload(self, event: WatchEvent, _at: float) -> None:
        message = event.object.parse()
        if (uid := message.metadata.uid) not in self._workloads:
            if controller_uid(message.metadata):
                return  # a ReplicaSet of a Deployment, which is known as its owner
            self._workloads[uid] = len(self.recording.workloads)
            name = message.metadata.name
            self.recording.workloads.append(Workload(event.object.kind.name, message.metadata.namespace, name, 0))
        place = self._workloads[uid]
        workload = self.recording.workloads[place]
        workload.desired, workload.least_available, workload.most_pods = _promised(message)
        self._min_ready[place] = _min_ready_seconds(message)
        self._note_newest(place, message)

    def _take_replica_set(self, event: WatchEvent, at: float) -> None:
        metadata = event.object.parse().metadata
        if owner := controller_uid(metadata):
            self._owners[metadata.uid] = owner
            self._note_revision(owner, metadata)
        else:
            self._take_workload(event, at)

    def _note_newest(self, place: int, message: object) -> None:
        """Note which revision is wanted; nothing is known of it before the controller has seen the change."""
        if isinstance(message, Deployment | StatefulSet | DaemonSet):
            self._seen[place] = message.status.observed_generation >= message.metadata.generation
        if isinstance(message, StatefulSet):
            self._newest[place] = message.status.update_revision.rpartition("-")[2]
        elif isinstance(message, DaemonSet | ReplicationController | ReplicaSet):
            containers = message.spec.template.spec.containers
            self._newest[place] = containers[0].image if containers else ""

    def _note_revision(self, owner: str, metadata: ObjectMeta) -> None:
        """Of a Deployment's ReplicaSets the one of the highest revision is wanted."""
        place, number = self._workloads.get(owner), metadata.annotations.get(REVISION, "")
        if place is not None and number.isdigit() and int(number) >= self._numbers.get(place, 0):
            self._numbers[place] = int(number)
            self._newest[place] = metadata.labels.get(HASH_LABEL, "")

    def is_newest(self, place: int, revision: int) -> bool:
        """Tell whether the workload at ``place`` wants its ``revision``, as far as its controller has said."""
        newest = self._newest.get(place, "")
        words = self.recording.workloads[place].revisions[revision].split(" ")
        return self._seen.get(place, True) and bool(newest) and newest in words

    # Pods.

    def _take_pod(self, event: WatchEvent, at: float) -> None:
        pod = Pod.FromString(event.object.value)
        known = self._pods.get(pod.metadata.uid)
        if event.type is EventType.DELETED:
            if known is not None:
                self._change(known, PodState.GONE, at)
                del self._pods[pod.metadata.uid]
            return
        if known is None:
            known = self._enter(pod)
        if known is not None:
            self._place_on(known, pod.spec.node_name)
            self._change(known, self._state(known, pod, at), at)

    def _enter(self, pod: Pod) -> _Pod | None:
        """Give a pod of a workload its place; None for one that belongs to nobody who is known."""
        owner = controller_uid(pod.metadata)
        workload = self._workloads.get(self._owners.get(owner, owner))
        if workload is None:
            return None
        known = self._pods[pod.metadata.uid] = _Pod(len(self.recording.pods), PodState.GONE)
        self._places[pod.metadata.uid] = known.place
        revisions, revision = self.recording.workloads[workload].revisions, revision_of(pod)
        if revision not in revisions:
            revisions.append(revision)
        line = PodLine(pod.metadata.name, workload, revisions.index(revision), pod.spec.node_name)
        self.recording.pods.append(line)
        return known

    def _place_on(self, known: _Pod, node: str) -> None:
        line = self.recording.pods[known.place]
        if node and not line.node:
            self.recording.pods[known.place] = PodLine(line.name, line.workload, line.revision, node)

    def _state(self, known: _Pod, pod: Pod, at: float) -> PodState:
        if is_being_deleted(pod.metadata):
            return PodState.TERMINATING
        if is_pod_finished(pod) or trouble_of(pod) is not None:
            return PodState.FAILING
        seconds = self._min_ready.get(self.recording.pods[known.place].workload, 0)
        after = available_after(ready_since(pod), seconds)
        if ready_since(pod) is None:
            return PodState.STARTING if pod.spec.node_name else PodState.PENDING
        if after is not None and after < at + self.began:
            return PodState.AVAILABLE
        if after is not None:
            known.ripens = after
            heapq.heappush(self._ripening, (after, pod.metadata.uid))
        return PodState.READY

    def _ripen(self, now: float) -> None:
        while self._ripening and self._ripening[0][0] < now:
            when, uid = heapq.heappop(self._ripening)
            known = self._pods.get(uid)
            if known is not None and known.state is PodState.READY and known.ripens == when:
                self._change(known, PodState.AVAILABLE, when - self.began)

    def _change(self, known: _Pod, state: PodState, at: float) -> None:
        if state is not known.state:
            known.state = state
            self.recording.changes.append((at, known.place, state))

    # Events.

    def _take_event(self, event: WatchEvent, at: float) -> None:
        if event.type is EventType.DELETED:
            return
        told = Event.FromString(event.object.value)
        about = f"{told.involved_object.kind.lower()}/{told.involved_object.name}"
        self.recording.events.append(EventLine(at, told.type == "Warning", told.reason, about, told.message))


_Taker = Callable[[Recorder, WatchEvent, float], None]
_TAKERS: Mapping[str, _Taker] = {
    **dict.fromkeys(
        (DEPLOYMENT.resource, STATEFUL_SET.resource, DAEMON_SET.resource, REPLICATION_CONTROLLER.resource),
        Recorder._take_workload,
    ),
    REPLICA_SET.resource: Recorder._take_replica_set,
    POD.resource: Recorder._take_pod,
    EVENT.resource: Recorder._take_event,
}


def revision_of(pod: Pod) -> str:
    """Return what a pod's revision is called: its first image, and the hash that tells it from others of that image."""
    digest = next((pod.metadata.labels[name] for name in HASH_LABELS if name in pod.metadata.labels), "")
    image = pod.spec.containers[0].image if pod.spec.containers else ""
    return f"{image} {digest.rpartition('-')[2]}".strip()


def _promised(message: object) -> tuple[int, int | None, int | None]:
    """Return the wanted number of pods, the least available and the most that its manifest promises."""
    match message:
        case Deployment(spec=spec):
            limits = limits_of(spec)
            return spec.replicas, None if spec.strategy.type == RECREATE else limits.min_available, limits.max_total
        case StatefulSet(spec=spec):
            kept = spec.update_strategy.type == ROLLING_UPDATE
            least = max(0, spec.replicas - stateful_set_max_unavailable(message)) if kept else None
            return spec.replicas, least, spec.replicas
        case DaemonSet(spec=spec, status=status):
            desired = status.desired_number_scheduled
            if spec.update_strategy.type != ROLLING_UPDATE:
                return desired, None, None
            missing, surge = daemon_set_max_unavailable(message, desired), daemon_set_max_surge(message, desired)
            return desired, max(0, desired - missing), desired + surge
        case ReplicationController(spec=spec) | ReplicaSet(spec=spec):
            return spec.replicas, None, None
    raise TypeError(f"{type(message).__name__} is no workload")


def _min_ready_seconds(message: object) -> int:
    if isinstance(message, Deployment | StatefulSet | DaemonSet | ReplicationController | ReplicaSet):
        return message.spec.min_ready_seconds
    return 0
