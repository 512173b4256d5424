"""Random walks of a Deployment: the same seed, the same manifest and steps, in the words of tests/golden/traces."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.planners.traces import Json

IMAGES = 4
MOST_REPLICAS = 6
LIMITS = [("25%", "25%"), (1, 0), (0, 1), (2, 1), ("100%", 0), (0, "50%")]


def manifest_of(random: Random) -> Json:
    """Return a Deployment of a few pods; one in five is recreated, the rest rolls."""
    surge, unavailable = random.choice(LIMITS)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "w", "namespace": "walk"},
        "spec": {
            "replicas": random.randint(1, MOST_REPLICAS),
            "revisionHistoryLimit": random.choice([1, 2, 10]),
            "strategy": random.choice([rolling] * 4 + [{"type": "Recreate"}]),
            "selector": {"matchLabels": {"app": "w"}},
            "template": {
                "metadata": {"labels": {"app": "w"}},
                "spec": {"containers": [{"name": "c", "image": "app:1"}]},
            },
        },
    }


class Walk:
    """What happens next, drawn from the seed and from what is seen at rest; the first step is ``create``."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.manifest = manifest_of(self._random)
        self._paused = False

    def next(self, seen: Json) -> Any:
        """Return the next action. Pods become ready more often than users act, else no rollout gets anywhere."""
        users: list[Callable[[Json], Any]] = [self._image, self._image, self._scale, self._pause, self._undo]
        kubelets: list[Callable[[Json], Any]] = [self._ready] * 5 + [self._unready, self._delete, self._finish]
        return self._random.choice(users + kubelets)(seen)

    def _image(self, _seen: Json) -> Any:
        return {"image": f"app:{self._random.randint(1, IMAGES)}"}

    def _scale(self, _seen: Json) -> Any:
        return {"patch": {"spec": {"replicas": self._random.randint(0, MOST_REPLICAS)}}}

    def _pause(self, _seen: Json) -> Any:
        self._paused = not self._paused
        return {"patch": {"spec": {"paused": self._paused}}}

    def _undo(self, seen: Json) -> Any:
        """Go back; a paused Deployment is resumed instead, for undo refuses it, and so it does without a past."""
        if self._paused:
            return self._pause(seen)
        revisions = [int(one["revision"]) for one in seen["replica_sets"]]
        return {"undo": self._random.choice([0, *revisions])} if len(revisions) > 1 else self._image(seen)

    def _ready(self, _seen: Json) -> Any:
        return {"ready": self._random.randint(1, 3)}

    def _unready(self, _seen: Json) -> Any:
        return {"unready": self._random.randint(1, 2)}

    def _delete(self, _seen: Json) -> Any:
        return {"delete_pod": 1}

    def _finish(self, _seen: Json) -> Any:
        return {"finish": True}
