"""What the command line gets from this room: the commands that need whole planes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rollplane_cli.registry import Entry

_HERE = "rollplane_plane.commands"

COMMANDS: Mapping[str, Entry] = MappingProxyType(
    {
        "up": Entry("up:UP", "Start a whole control plane with simulated nodes", _HERE),
        "down": Entry("down:DOWN", "End a control plane that up started", _HERE),
        "kubeconfig": Entry("kubeconfig:KUBECONFIG", "Print how kubectl reaches a control plane", _HERE),
        "wait-ready": Entry("wait_ready:WAIT_READY", "Wait until a control plane can be used", _HERE),
        "kubectl": Entry("kubectl:KUBECTL", "Run the kubectl that is installed against a control plane", _HERE),
        "demo": Entry("demo:DEMO", "Roll two Deployments through everything that can happen to them", _HERE),
        "profile learn": Entry("profile_learn:LEARN", "Learn how long pods take from what a real cluster shows", _HERE),
        "load": Entry("load:SCENARIO", "Put a load on a plane or any Kubernetes, and measure", _HERE),
        "load compare": Entry("load:COMPARE", "Put two results of loads side by side", _HERE),
        "load rollover": Entry(
            "load:ROLLOVER", "Measure how fast Deployments are created, updated and rolled over", _HERE
        ),
    }
)
"""By the words they are called with; the entry point of the group ``rollplane.commands``."""
