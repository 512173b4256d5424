"""Generated messages of rollplane.events.v1; see the .proto files beside this one."""

from rollplane.events.v1.event_pb2 import (
    Event as Event,
    EventList as EventList,
)
