"""What is varied: a field of workloads, any path in an object, or the cluster; with the values it takes in turn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import yaml

from rollplane_machinery.errors import InvalidError
from rollplane_machinery.releases import release_of
from rollplane_machinery.yaml_faults import yaml_fault

MOST = 100
"""How many combinations are compared at most."""

NODES, PROFILE, RELEASE = "nodes", "profile", "release"
CLUSTER = (NODES, PROFILE, RELEASE)
"""What is varied of the cluster."""

_STRATEGY, _UPDATE = "spec.strategy.rollingUpdate", "spec.updateStrategy.rollingUpdate"
_EVERY: Mapping[str, str] = {
    "minReadySeconds": "spec.minReadySeconds",
    "terminationGracePeriodSeconds": "spec.template.spec.terminationGracePeriodSeconds",
}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "deployment": {
        "maxSurge": f"{_STRATEGY}.maxSurge",
        "maxUnavailable": f"{_STRATEGY}.maxUnavailable",
        "replicas": "spec.replicas",
        "progressDeadlineSeconds": "spec.progressDeadlineSeconds",
        **_EVERY,
    },
    "statefulset": {
        "maxUnavailable": f"{_UPDATE}.maxUnavailable",
        "partition": f"{_UPDATE}.partition",
        "replicas": "spec.replicas",
        "podManagementPolicy": "spec.podManagementPolicy",
        **_EVERY,
    },
    "daemonset": {
        "maxSurge": f"{_UPDATE}.maxSurge",
        "maxUnavailable": f"{_UPDATE}.maxUnavailable",
        **_EVERY,
    },
}
"""Fields that have a short name, by kind, with where they are."""


@dataclass(frozen=True, slots=True)
class Axis:
    """``field`` takes each of ``values`` in turn, in all workloads that have it, or only in ``target`` (TYPE/NAME)."""

    field: str
    values: tuple[Any, ...]
    target: str = ""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return f"{self.target}:{self.field}" if self.target else self.field

    def paths(self, kind: str) -> Sequence[Step] | None:
        """Return where the field is in objects of a kind; None in those that have none of that name."""
        if is_path(self.field):
            return steps_of(self.field)
        path = FIELDS.get(kind, {}).get(self.field)
        return steps_of(path) if path else None


Step = str
"""A member of a mapping, or the place or name of an item of a list."""
_STEP = re.compile(r"([^.\[\]]+)|\[([^\[\]]+)\]")
_PATH = re.compile(r"(?:spec|metadata|data)(?:\.[^.\[\]]+|\[[^\[\]]+\])+")

_TARGET = re.compile(r"[a-z0-9][a-z0-9./-]*")


def is_path(field: str) -> bool:
    """Tell whether ``field`` is a path: ``spec.template.spec.containers[web].image``."""
    return _PATH.fullmatch(field) is not None


def steps_of(path: str) -> list[Step]:
    """Return the steps of a path; ``[…]`` is an item of a list by place or name, or a member whose name has dots."""
    return [plain or bracketed for plain, bracketed in _STEP.findall(path)]


def read_axis(written: str) -> Axis:
    """Read ``maxSurge=1,25%``, ``deploy/web:replicas=5,10``; values are YAML. Raises InvalidError."""
    left, equals, right = written.partition("=")
    target, colon, field = left.rpartition(":")
    if not equals or not field or not right or (colon and not _TARGET.fullmatch(target)):
        raise InvalidError(f'"{written}" varies nothing: want [TYPE/NAME:]FIELD=VALUE,VALUE,…')
    values = tuple(right.split(",")) if field in (PROFILE, RELEASE) else _values(written, right)
    _check_cluster(field, values)
    return Axis(field, tuple(_once(values)), target)


def _values(written: str, text: str) -> tuple[Any, ...]:
    try:
        return tuple(yaml.safe_load(f"[{text}]"))
    except (yaml.YAMLError, TypeError) as exc:
        told = yaml_fault(exc) if isinstance(exc, yaml.YAMLError) else str(exc)
        raise InvalidError(f'"{written}": values are not YAML: {told}') from exc


def _once(values: Iterable[Any]) -> Iterator[Any]:
    seen: list[tuple[type, Any]] = []
    for value in values:
        if (type(value), value) not in seen:
            seen.append((type(value), value))
            yield value


def _check_cluster(field: str, values: Iterable[Any]) -> None:
    for value in values:
        if field == NODES and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise InvalidError(f"nodes: {value!r} is no number above 0")
        if field == RELEASE:
            release_of(value)


def combinations(axes: Sequence[Axis]) -> list[tuple[Any, ...]]:
    """Return all combinations of values, the last axis fastest; raises InvalidError for more than MOST."""
    names = [axis.name for axis in axes]
    for name in names:
        if names.count(name) > 1:
            raise InvalidError(f"{name} is varied twice; give all its values together")
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > MOST:
        raise InvalidError(f"{count} combinations are too many, at most {MOST} are compared; give fewer values")
    return list(product(*(axis.values for axis in axes)))
