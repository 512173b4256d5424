"""A whole control plane as child processes: for `rollplane up`, the demo, load tests, and anybody's own tests."""

from rollplane_client.embedded.plane import EmbeddedPlane as EmbeddedPlane
from rollplane_client.embedded.plane import PlaneSettings as PlaneSettings
