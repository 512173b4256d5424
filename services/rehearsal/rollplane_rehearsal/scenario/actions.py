"""What a step of a scenario can do, with the shape of its value; ``acting`` carries it out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rollplane_kubelet_sim.stages.schema import ProfileReader
from rollplane_machinery.spans import DURATION, seconds_of
from rollplane_machinery.strict_reading import Json


@dataclass(frozen=True, slots=True)
class Action:
    """What a step can do: ``read`` reads its value, and raises ValueError or TypeError; ``shape`` is what it takes."""

    read: Callable[[object], Any]
    shape: Json
    about: str


def some_text(value: object) -> str:
    """Read a text that is not empty; raises ValueError."""
    if not isinstance(value, str) or not value:
        raise ValueError("must be text")
    return value


def _image(value: object) -> tuple[str, str, str]:
    """Read ``web=web:v2`` as workload, container (all of them), image; or a mapping that names the container, too."""
    if isinstance(value, Mapping) and set(value) == set(_ONE_IMAGE):
        workload, container, image = (some_text(value[name]) for name in _ONE_IMAGE)
        return workload, container, image
    if not (found := _IMAGE.fullmatch(some_text(value))):
        raise ValueError("must be WORKLOAD=IMAGE, or {workload: …, container: …, image: …}")
    return found[1], "*", found[2]


def _manifests(value: object) -> Any:
    """Read the name of a file, or a list of objects."""
    if not isinstance(value, list):
        return some_text(value)
    if not value or not all(isinstance(each, Mapping) and {"apiVersion", "kind"} <= set(each) for each in value):
        raise ValueError("must be a file, or a list of objects with apiVersion and kind")
    return value


def _patch(value: object) -> tuple[str, str]:
    if not isinstance(value, Mapping) or set(value) != {"workload", "patch"} or not isinstance(value["patch"], Mapping):
        raise ValueError("must be {workload: …, patch: {…}}")
    return some_text(value["workload"]), json.dumps(value["patch"])


def _scale(value: object) -> tuple[str, int]:
    if not (found := _SCALE.fullmatch(some_text(value))):
        raise ValueError("must be WORKLOAD=REPLICAS")
    return found[1], int(found[2])


def _slow(value: object) -> tuple[str, float]:
    """Read ``30s`` or ``{image: web:v2, by: 30s}``."""
    if not isinstance(value, Mapping):
        return "*", seconds_of(value)
    if not {"by"} <= set(value) <= {"by", "image"}:
        raise ValueError("must be a duration, or {image: …, by: DURATION}")
    return some_text(value.get("image", "*")), seconds_of(value["by"])


def _part(value: object) -> float:
    told = str(value)
    part = float(told.removesuffix("%")) / (100 if told.endswith("%") else 1) if _PART.fullmatch(told) else -1.0
    if not 0 <= part <= 1:
        raise ValueError("must be a part, such as 20%")
    return part


def _rule(value: object) -> str:
    reader = ProfileReader()
    reader.rule(value, "")
    if reader.causes:
        raise ValueError("; ".join(map(str, reader.causes)))
    return json.dumps(value)


def _nothing(value: object) -> None:
    if value not in (None, True):
        raise ValueError("takes no value")


_ONE_IMAGE = ("workload", "container", "image")
_IMAGE, _SCALE = re.compile("([^=]+)=(.+)"), re.compile("([^=]+)=([0-9]+)")
_PART = re.compile(r"[0-9]+(?:\.[0-9]+)?%?")
MANIFEST: Json = {"type": "object", "required": ["apiVersion", "kind"]}
SOME_TEXT: Json = {"type": "string", "minLength": 1}
_NO_VALUE: Json = {"enum": [None, True]}


def _matching(pattern: re.Pattern[str]) -> Json:
    return {"type": "string", "pattern": f"^{pattern.pattern}$"}


ACTIONS: Mapping[str, Action] = {
    "apply": Action(
        _manifests,
        {"anyOf": [SOME_TEXT, {"type": "array", "items": MANIFEST, "minItems": 1}]},
        "Apply a file beside the scenario, or a list of objects",
    ),
    "set image": Action(
        _image,
        {
            "anyOf": [
                _matching(_IMAGE),
                {
                    "type": "object",
                    "properties": dict.fromkeys(_ONE_IMAGE, SOME_TEXT),
                    "required": list(_ONE_IMAGE),
                    "additionalProperties": False,
                },
            ]
        },
        "WORKLOAD=IMAGE: give every container this image; or a mapping that names one container",
    ),
    "patch": Action(
        _patch,
        {
            "type": "object",
            "properties": {"workload": SOME_TEXT, "patch": {"type": "object"}},
            "required": ["workload", "patch"],
            "additionalProperties": False,
        },
        "A strategic merge patch of a workload",
    ),
    "scale": Action(_scale, _matching(_SCALE), "WORKLOAD=REPLICAS"),
    "pause": Action(some_text, SOME_TEXT, "Freeze a workload's rollout"),
    "resume": Action(some_text, SOME_TEXT, "Let a workload's rollout go on"),
    "restart": Action(some_text, SOME_TEXT, "Replace all pods of a workload"),
    "undo": Action(some_text, SOME_TEXT, "Bring a workload back to its revision before"),
    "delete pods": Action(some_text, SOME_TEXT, "Delete the pods of a workload that are not ready"),
    "drain": Action(some_text, SOME_TEXT, "Cordon a node and evict its pods; for: how long that is tried"),
    "uncordon": Action(some_text, SOME_TEXT, "Let pods back onto a node"),
    "silence": Action(some_text, SOME_TEXT, "No word from a node or pattern; for: so long, else for ever"),
    "unready": Action(some_text, SOME_TEXT, "The kubelets of a node or pattern report not ready"),
    "restart kubelet": Action(some_text, SOME_TEXT, "The kubelets of a node or pattern know only what is stored"),
    "break image": Action(some_text, SOME_TEXT, "An image or pattern cannot be pulled from now on"),
    "slow pulls": Action(
        _slow,
        {
            "anyOf": [
                *DURATION["anyOf"],
                {
                    "type": "object",
                    "properties": {"image": SOME_TEXT, "by": DURATION},
                    "required": ["by"],
                    "additionalProperties": False,
                },
            ]
        },
        "A duration, or {image: PATTERN, by: DURATION}: pulls take that long",
    ),
    "rule": Action(_rule, ProfileReader().rule_shape(), "A rule of a profile, before all others from now on"),
    "kill controller": Action(_nothing, _NO_VALUE, "The controller dies; its leases must run out first"),
    "restart controller": Action(_nothing, _NO_VALUE, "The controller ends well and another begins"),
    "add controller": Action(_nothing, _NO_VALUE, "One controller more"),
    "pause controller": Action(_nothing, _NO_VALUE, "The controller sleeps; for: so long"),
    "stall watches": Action(_nothing, _NO_VALUE, "The controller acts on what it knows; for: so long"),
    "lose answers": Action(
        _part,
        {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, _matching(_PART)]},
        "A part of what controllers write is done, and they never hear of it; for: so long",
    ),
    "fill store": Action(_nothing, _NO_VALUE, "The store takes deletions only; for: so long"),
}
"""What steps can do."""
LASTING = frozenset({"silence", "pause controller", "stall watches", "lose answers", "fill store", "drain"})
NEEDS_TIME = frozenset({"pause controller"})
