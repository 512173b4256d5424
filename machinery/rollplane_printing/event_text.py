"""When an event happened last, and how often: what ``events`` and ``describe`` say of it.

Source: kubernetes/kubectl pkg/util/event/sorted_event_list.go and pkg/cmd/events/event_printer.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from rollplane.core.v1 import Event
from rollplane_machinery.times import to_seconds
from rollplane_printing.durations import age

EVENT_TITLES = ("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE")


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return ``events`` by the time they last happened, the latest one last."""
    return sorted(events, key=last_seen)


def last_seen(event: Event) -> float:
    """Return when it happened last, in seconds since the epoch; 0.0 for an event that does not say."""
    if event.HasField("series"):
        return to_seconds(event.series.last_observed_time)
    return to_seconds(event.last_timestamp) or to_seconds(event.event_time)


def event_age(event: Event, now: float) -> str:
    """Return ``2s``, or ``2s (x3 over 5m)`` for one that happened again and again."""
    first = age(event.event_time if to_seconds(event.event_time) else event.first_timestamp, now)
    if event.HasField("series"):
        return f"{age(event.series.last_observed_time, now)} (x{event.series.count} over {first})"
    if event.count > 1:
        return f"{age(event.last_timestamp, now)} (x{event.count} over {first})"
    return first


def message_line(event: Event) -> str:
    """Return the message on one line."""
    return " ".join(event.message.split())


def event_cells(event: Event, now: float) -> list[str]:
    """Return the cells below EVENT_TITLES."""
    involved = event.involved_object
    return [event_age(event, now), event.type, event.reason, f"{involved.kind}/{involved.name}", message_line(event)]
