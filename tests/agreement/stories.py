"""Ten stories that a plane of processes tells in real time and a rehearsal in virtual time.

What pods take is drawn for their names, which are random but for those of StatefulSets; so Deployments and DaemonSets
run images whose pods take the same time everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROFILE = Path(__file__).parent / "profile.yaml"
NODES = 6


@dataclass(frozen=True, slots=True)
class Told:
    """A story: the workload ``kind`` called ``app`` in a namespace of the story's name, and steps as in scenarios."""

    name: str
    kind: str
    steps: Sequence[Mapping[str, Any]]
    spec: Mapping[str, Any] = field(default_factory=dict)
    image: str = "steady/app"

    @property
    def workload(self) -> str:
        """``deployment/surge/app``."""
        return f"{self.kind.lower()}/{self.name}/app"

    @property
    def script(self) -> list[dict[str, Any]]:
        """The steps, with the workload's name for ``app``, and its image for ``:``."""
        return [{key: self._filled(key, value) for key, value in step.items()} for step in self.steps]

    def _filled(self, key: str, value: Any) -> Any:
        if key == "set image":
            return f"{self.workload}={self.image}:{value}"
        if key == "scale":
            return f"{self.workload}={value}"
        return value if key == "at" else self.workload

    @property
    def manifests(self) -> list[dict[str, Any]]:
        labels = {"app": "app"}
        container = {"name": "app", "image": f"{self.image}:v1"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        return [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}},
            {
                "apiVersion": "apps/v1",
                "kind": self.kind,
                "metadata": {"name": "app", "namespace": self.name},
                "spec": {"selector": {"matchLabels": labels}, "template": template, **self.spec},
            },
        ]


def _rolling(surge: int | str, unavailable: int | str) -> Mapping[str, Any]:
    return {"strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}


STORIES = (
    Told("surge", "Deployment", [{"set image": "v2"}], {"replicas": 10}),
    Told("careful", "Deployment", [{"set image": "v2"}], {"replicas": 4, **_rolling(1, 0)}),
    Told("recreate", "Deployment", [{"set image": "v2"}], {"replicas": 6, "strategy": {"type": "Recreate"}}),
    Told("rollover", "Deployment", [{"set image": "v2"}, {"set image": "v3", "at": "5s"}], {"replicas": 12}),
    Told("undone", "Deployment", [{"set image": "v2"}, {"undo": "", "at": "5s"}], {"replicas": 10}),
    Told("scaled", "Deployment", [{"set image": "v2"}, {"scale": 14, "at": "6s"}], {"replicas": 10}),
    Told(
        "paused",
        "Deployment",
        [{"set image": "v2"}, {"pause": "", "at": "2s"}, {"resume": "", "at": "6s"}],
        {"replicas": 10},
    ),
    Told("corrected", "Deployment", [{"set image": "404"}, {"set image": "v2", "at": "5s"}], {"replicas": 10}),
    Told("ordered", "StatefulSet", [{"set image": "v2"}], {"replicas": 3, "serviceName": "app"}, image="db"),
    Told(
        "everywhere",
        "DaemonSet",
        [{"set image": "v2"}],
        {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}},
    ),
)
