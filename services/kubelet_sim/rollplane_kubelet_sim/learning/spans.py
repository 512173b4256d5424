"""How long the steps of containers took, read from pods and their Events.

Pulls from what kubelets say of them; starts from the Event of the image to the container's start; readiness from the
start to the pod's condition; terminations from containers that ended while their pod was being deleted, and from pods
of one name that followed each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollplane_kubelet_sim.learning.documents import Document, Records
from rollplane_kubelet_sim.stages.rules import Stage
from rollplane_machinery.codec.time_text import parse_duration, parse_time

_CONTAINER = re.compile(r"\{(.+)\}")
_PULLED = re.compile(
    r'Successfully pulled image "(?P<image>[^"]+)" in (?P<alone>\S+)(?: \((?P<waiting>\S+) including)?'
)
_NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Span:
    """``seconds`` that ``stage`` took for a container of ``image`` on ``node`` ("" where that is not told)."""

    stage: Stage
    image: str
    node: str
    seconds: float


def spans(records: Records) -> list[Span]:
    """Return every span the records tell of, each once, however often a watch showed its pod."""
    found: dict[tuple[object, ...], Span] = {}
    for pod in records.pods:
        for container, span in _of_pod(pod):
            found.setdefault((_identity(pod), span.stage, container), span)  # later states may tell of later lives
    stories = _stories(records.events)
    named = {_place(pod): pod for pod in records.pods}
    for (place, uid), story in stories.items():
        told = _of_story(story, named.get(place))
        found |= {(uid, stage, name): span for stage, name, span in told}
    found |= {("followed", place, at): span for place, at, span in _of_followers(stories, named)}
    return [span for span in found.values() if span.seconds >= 0.0]


def _place(thing: Document) -> tuple[str, str]:
    metadata = _mapping(thing.get("metadata"))
    return str(metadata.get("namespace", "")), str(metadata.get("name", ""))


def _identity(pod: Document) -> tuple[str, ...]:
    return (*_place(pod), str(_mapping(pod.get("metadata")).get("uid", "")))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _moment(value: object) -> float | None:
    """Seconds since the epoch of an RFC 3339 time; None for anything else."""
    try:
        seconds, nanos = parse_time(str(value))
    except ValueError:
        return None
    return seconds + nanos / _NANOSECONDS


# What a pod's own status tells


def _of_pod(pod: Document) -> Iterator[tuple[str, Span]]:
    """Yield the container's name and the span of each step that the status shows."""
    metadata, spec, status = (_mapping(pod.get(part)) for part in ("metadata", "spec", "status"))
    node = str(spec.get("nodeName", ""))
    images = _images(pod)
    for each in _mappings(status.get("initContainerStatuses")):
        ended = _mapping(_mapping(each.get("state")).get("terminated"))
        if ended.get("exitCode") == 0:
            yield from _between(Stage.READY, each, images, node, ended.get("startedAt"), ended.get("finishedAt"))
    for each in _ready_containers(pod):
        running = _mapping(_mapping(each.get("state")).get("running"))
        yield from _between(Stage.READY, each, images, node, running.get("startedAt"), _ready_since(status))
    marked = _marked_at(metadata)
    for each in _mappings(status.get("containerStatuses")) if marked is not None else []:
        ended = _mapping(_mapping(each.get("state")).get("terminated"))
        finished = _moment(ended.get("finishedAt"))
        name = str(each.get("name"))
        if finished is not None and marked is not None and finished >= marked and name in images:
            yield name, Span(Stage.TERMINATE, images[name], node, finished - marked)


def _images(pod: Document) -> dict[str, str]:
    spec = _mapping(pod.get("spec"))
    containers = [*_mappings(spec.get("initContainers")), *_mappings(spec.get("containers"))]
    return {str(each.get("name")): str(each.get("image", "")) for each in containers if each.get("image")}


def _between(
    stage: Stage, container: Mapping[str, Any], images: Mapping[str, str], node: str, start: object, end: object
) -> Iterator[tuple[str, Span]]:
    began, ended, name = _moment(start), _moment(end), str(container.get("name"))
    if began is not None and ended is not None and name in images:
        yield name, Span(stage, images[name], node, ended - began)


def _ready_containers(pod: Document) -> list[Mapping[str, Any]]:
    """The containers that the pod's readiness is laid to: those with a readiness probe, else the last one started.

    What restarted since is left out: the condition may be older, or tell of another life.
    """
    spec, status = _mapping(pod.get("spec")), _mapping(pod.get("status"))
    running = [
        each for each in _mappings(status.get("containerStatuses")) if _mapping(each.get("state")).get("running")
    ]
    probed = {str(each.get("name")) for each in _mappings(spec.get("containers")) if each.get("readinessProbe")}
    asked = [each for each in running if each.get("name") in probed]
    if not asked and running:
        asked = [max(running, key=lambda each: str(_mapping(each["state"]["running"]).get("startedAt", "")))]
    return [each for each in asked if not each.get("restartCount")]


def _ready_since(status: Mapping[str, Any]) -> object:
    for condition in _mappings(status.get("conditions")):
        if condition.get("type") == "Ready" and condition.get("status") == "True":
            return condition.get("lastTransitionTime")
    return None


def _marked_at(metadata: Mapping[str, Any]) -> float | None:
    """When the pod was marked for deletion: the time stored is the one at which it has to be gone."""
    gone_by, grace = _moment(metadata.get("deletionTimestamp")), metadata.get("deletionGracePeriodSeconds", 0)
    return gone_by - grace if gone_by is not None and isinstance(grace, int | float) else None


# What Events tell

Stories = Mapping[tuple[tuple[str, str], str], list[Document]]


def _stories(events: Iterable[Document]) -> Stories:
    """Return the Events about pods by (namespace and name, uid), in the order of their times."""
    stories: dict[tuple[tuple[str, str], str], list[Document]] = {}
    for event in sorted(events, key=_when):
        about = _mapping(event.get("involvedObject") or event.get("regarding"))
        if about.get("kind") == "Pod":
            place = str(about.get("namespace", "")), str(about.get("name", ""))
            stories.setdefault((place, str(about.get("uid", ""))), []).append(event)
    return stories


def _when(event: Document) -> float:
    return next((at for name in _TIMES if (at := _moment(event.get(name))) is not None), 0.0)


_TIMES = ("eventTime", "firstTimestamp", "deprecatedFirstTimestamp")


def _container(event: Document) -> str:
    about = _mapping(event.get("involvedObject") or event.get("regarding"))
    found = _CONTAINER.search(str(about.get("fieldPath", "")))
    return found[1] if found else ""


def _node(event: Document, pod: Document | None) -> str:
    source = _mapping(event.get("source") or event.get("deprecatedSource"))
    told = source.get("host") or event.get("reportingInstance")
    return str(told or _mapping(_mapping(pod).get("spec")).get("nodeName", ""))


def _of_story(story: Iterable[Document], pod: Document | None) -> Iterator[tuple[Stage, str, Span]]:
    """Yield stage, container and span of the first pull and the first start of each container.

    Where something failed on the way, times of Events hold back-offs too: only what a pull says of itself counts.
    """
    images = _images(pod or {})
    first: dict[tuple[object, str], float] = {}
    for event in story:
        container, reason, at = _container(event), event.get("reason"), _when(event)
        if (reason, container) in first:
            continue
        first[reason, container] = at
        image, node = images.get(container, ""), _node(event, pod)
        smooth = ("Failed", container) not in first
        if reason == "Pulled":
            yield from _pull(event, container, image, first.get(("Pulling", container)) if smooth else None, node)
        elif reason == "Started" and smooth and ("Pulled", container) in first and image:
            yield Stage.START, container, Span(Stage.START, image, node, at - first["Pulled", container])


def _pull(
    event: Document, container: str, image: str, began: float | None, node: str
) -> Iterator[tuple[Stage, str, Span]]:
    """The pull's time as the kubelet tells it, waiting included, or between its Events; nothing if none was needed."""
    message = str(event.get("note") or event.get("message"))
    if said := _PULLED.search(message):
        try:
            seconds = parse_duration(said["waiting"] or said["alone"]) / _NANOSECONDS
        except ValueError:
            return
        yield Stage.PULL, container, Span(Stage.PULL, said["image"], node, seconds)
    elif began is not None and image:
        yield Stage.PULL, container, Span(Stage.PULL, image, node, _when(event) - began)


def _of_followers(
    stories: Stories, named: Mapping[tuple[str, str], Document]
) -> Iterator[tuple[tuple[str, str], float, Span]]:
    """Yield a termination for each pod of a StatefulSet that was stopped, and whose follower was then scheduled."""
    told: dict[tuple[str, str], list[Document]] = {}
    for (place, _), story in stories.items():
        told.setdefault(place, []).extend(each for each in story if each.get("reason") in ("Killing", "Scheduled"))
    for place, events in told.items():
        stopped: tuple[float, str, str] | None = None
        for event in sorted(events, key=_when):
            if event.get("reason") == "Killing":
                image = _images(named.get(place, {})).get(_container(event), "")
                stopped = stopped or (_when(event), image, _node(event, None))
            elif stopped is not None:
                at, image, node = stopped
                stopped = None
                if image:
                    yield place, at, Span(Stage.TERMINATE, image, node, _when(event) - at)
