"""Other API versions of the kinds: accepted on input, turned into the storage version.

Their fields are those of the storage version, but for what ``upgrade`` moves and for what is a dress (``dresses``);
their defaults differ, which ``legacy_defaults`` looks after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rollplane_machinery import kinds
from rollplane_machinery.codec.problems import Json, Path, Report
from rollplane_machinery.kinds import Kind
from rollplane_machinery.older.versions import OLDER_VERSIONS
from rollplane_machinery.well_known import TEMPLATE_GENERATION

ROLLBACK_TO = "deprecated.deployment.rollback.rollbackTo"

_SERVED: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "extensions/v1beta1": (kinds.DEPLOYMENT, kinds.DAEMON_SET, kinds.REPLICA_SET),
        "apps/v1beta1": (kinds.DEPLOYMENT, kinds.STATEFUL_SET, kinds.CONTROLLER_REVISION),
        "apps/v1beta2": (
            kinds.DEPLOYMENT,
            kinds.REPLICA_SET,
            kinds.STATEFUL_SET,
            kinds.DAEMON_SET,
            kinds.CONTROLLER_REVISION,
        ),
        "policy/v1beta1": (kinds.POD_DISRUPTION_BUDGET,),
        "events.k8s.io/v1": (kinds.EVENT,),
        "events.k8s.io/v1beta1": (kinds.EVENT,),
    }
)

LEGACY_KINDS: Mapping[tuple[str, str], Kind] = MappingProxyType(
    {(api_version, kind.name): kind for api_version, served in _SERVED.items() for kind in served}
    | {(each.api_version, each.kind.name): each.kind for each in OLDER_VERSIONS}
)
"""The kind by (apiVersion, kind) of every other version."""


def upgrade(data: dict[str, Json], api_version: str, kind: Kind, report: Report) -> dict[str, Json]:
    """Return ``data`` with the fields that only ``api_version`` has moved to where the storage version keeps them.

    ``data`` is left as it is. Fields of the wrong type are left for the reader of the storage version to report.
    """
    change = _UPGRADES.get((api_version, kind.name))
    spec = data.get("spec")
    if change is None or not isinstance(spec, dict):
        return data
    return change(data, spec, report)


def _move_rollback_to(data: dict[str, Json], spec: dict[str, Json], report: Report) -> dict[str, Json]:
    """``spec.rollbackTo.revision`` is kept in an annotation, from which the controller takes its order."""
    rollback = spec.get("rollbackTo")
    if "rollbackTo" not in spec:
        return data
    here: Path = ((None, "spec"), "rollbackTo")
    rest = {**data, "spec": _without(spec, "rollbackTo")}
    if rollback is None:
        return rest
    if not isinstance(rollback, dict):
        report.mismatch(here, "object", rollback)
        return rest
    for name in rollback.keys() - {"revision"}:
        report.unknown(here, name)
    return _annotated(rest, ROLLBACK_TO, _integer(rollback.get("revision"), (here, "revision"), report))


def _move_template_generation(data: dict[str, Json], spec: dict[str, Json], report: Report) -> dict[str, Json]:
    if "templateGeneration" not in spec:
        return data
    generation = _integer(spec["templateGeneration"], ((None, "spec"), "templateGeneration"), report)
    rest = {**data, "spec": _without(spec, "templateGeneration")}
    return _annotated(rest, TEMPLATE_GENERATION, generation) if generation else rest


_Upgrade = Callable[[dict[str, Json], dict[str, Json], Report], dict[str, Json]]
_UPGRADES: Mapping[tuple[str, str], _Upgrade] = MappingProxyType(
    {
        ("extensions/v1beta1", "Deployment"): _move_rollback_to,
        ("apps/v1beta1", "Deployment"): _move_rollback_to,
        ("extensions/v1beta1", "DaemonSet"): _move_template_generation,
    }
)


def _without(members: dict[str, Json], name: str) -> dict[str, Json]:
    return {key: value for key, value in members.items() if key != name}


def _integer(value: Json, path: Path, report: Report) -> int:
    if value is None:
        return 0
    if value.__class__ is not int or not -(2**63) <= value < 2**63:
        report.mismatch(path, "64-bit integer", value)
        return 0
    number: int = value
    return number


def _annotated(data: dict[str, Json], name: str, value: int) -> dict[str, Json]:
    """Return ``data`` with an annotation more, unless its metadata are malformed, which the reader will report."""
    metadata = data.get("metadata") or {}
    annotations = metadata.get("annotations") or {} if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict):
        return data
    return {**data, "metadata": {**metadata, "annotations": {**annotations, name: str(value)}}}
