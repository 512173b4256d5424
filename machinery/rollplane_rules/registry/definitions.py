"""What the server itself writes into a CustomResourceDefinition: names that are free, versions that were stored.

A cluster does this a moment after the definition was created. Here it is part of the write, so that the kind is served
from then on.

Source: kubernetes/apiextensions-apiserver pkg/controller/status/naming_controller.go, pkg/controller/establish,
pkg/registry/customresourcedefinition (strategy.go, etcd.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.codec.time_text import format_time
from rollplane_machinery.conditions import FALSE, TRUE
from rollplane_machinery.definitions import CLEANUP_FINALIZER, ESTABLISHED, NAMES_ACCEPTED, TERMINATING, Custom
from rollplane_machinery.stored import any_value, document_of
from rollplane_machinery.times import time_of

Json = Any


def note_stored_versions(definition: StoredObject) -> None:
    """Have the status of ``definition``, which nobody has judged yet, name its storage version, too; in place."""
    document = document_of(definition)
    spec, status = document.get("spec") or {}, document.get("status") or {}
    known = status.get("storedVersions") or []
    versions = spec.get("versions") if isinstance(spec, dict) else None
    if not isinstance(versions, list):
        return  # for validation to refuse
    stored = [version.get("name") for version in versions if isinstance(version, dict) and version.get("storage")]
    if missing := [name for name in stored if name not in known]:
        definition.status.CopyFrom(any_value({**status, "storedVersions": [*known, *missing]}))


def settle_names(definition: StoredObject, others: Iterable[Custom], now: float) -> None:
    """Have the status of ``definition``, which was validated, say which names it has; in place.

    ``others`` are the definitions that there are; itself may be among them. What is another's already stays so.
    """
    document = document_of(definition)
    spec, status = document["spec"], dict(document.get("status") or {})
    own = definition.metadata.name
    rivals = [each for each in others if each.resource != own and each.stored.group == spec["group"]]
    accepted, refusals = _accepted(spec["names"], status.get("acceptedNames") or {}, rivals)
    status["acceptedNames"] = accepted
    for condition in _conditions(status, refusals):
        put_condition(status, condition, now)
    definition.status.CopyFrom(any_value(status))


def _accepted(
    wanted: Mapping[str, Json], held: Mapping[str, Json], rivals: Iterable[Custom]
) -> tuple[dict[str, Json], list[tuple[str, str]]]:
    """Return the names that are the definition's, and for each that is not a reason and a sentence."""
    taken = [each.accepted for each in rivals]
    words = {word for each in taken for word in (each.get("plural"), each.get("singular"), *each.get("shortNames", ()))}
    kinds = {kind for each in taken for kind in (each.get("kind"), each.get("listKind"))}
    accepted, refusals = dict(held), list[tuple[str, str]]()
    for name, reason, others in (
        ("plural", "PluralConflict", words),
        ("singular", "SingularConflict", words),
        ("shortNames", "ShortNamesConflict", words),
        ("kind", "KindConflict", kinds),
        ("listKind", "ListKindConflict", kinds),
    ):
        if found := list(_taken(wanted.get(name), others)):
            refusals.append((reason, found[0] if len(found) == 1 else f"[{', '.join(found)}]"))
        elif wanted.get(name):
            accepted[name] = wanted[name]
        else:
            accepted.pop(name, None)
    if wanted.get("categories"):
        accepted["categories"] = wanted["categories"]
    else:
        accepted.pop("categories", None)
    return accepted, refusals


def _taken(wanted: Json, others: set[Json]) -> Iterator[str]:
    for name in wanted if isinstance(wanted, list) else [wanted]:
        if name is not None and name in others:
            yield f'"{name}" is already in use'


def _conditions(status: Mapping[str, Json], refusals: list[tuple[str, str]]) -> Iterator[dict[str, str]]:
    if refusals:
        yield _condition(NAMES_ACCEPTED, FALSE, *refusals[-1])
    else:
        yield _condition(NAMES_ACCEPTED, TRUE, "NoConflicts", "no conflicts found")
    if has_condition(status, ESTABLISHED):
        return  # for good
    if refusals:
        yield _condition(ESTABLISHED, FALSE, "NotAccepted", "not all names are accepted")
    else:
        yield _condition(ESTABLISHED, TRUE, "InitialNamesAccepted", "the initial names have been accepted")


def has_condition(status: Mapping[str, Json], name: str) -> bool:
    """Return whether the condition is true."""
    return any(each.get("type") == name and each.get("status") == TRUE for each in status.get("conditions") or ())


def _condition(name: str, status: str, reason: str, message: str) -> dict[str, str]:
    return {"type": name, "status": status, "reason": reason, "message": message}


def put_condition(status: dict[str, Json], condition: dict[str, str], now: float) -> None:
    """Put ``condition`` into ``status``, in place; its time is that of its last change of status."""
    conditions: list[dict[str, str]] = list(status.get("conditions") or ())
    known = next((each for each in conditions if each.get("type") == condition["type"]), None)
    told = {"lastTransitionTime": format_time(time_of(now)) or "", **condition}
    if known is None:
        conditions.append(told)
    else:
        if known.get("status") == told["status"]:
            told["lastTransitionTime"] = known.get("lastTransitionTime", "")
        conditions[conditions.index(known)] = told
    status["conditions"] = conditions


def begin_deletion(definition: StoredObject, now: float) -> None:
    """Have a definition that is about to be deleted wait until its objects are gone; in place."""
    if CLEANUP_FINALIZER not in definition.metadata.finalizers:
        definition.metadata.finalizers.append(CLEANUP_FINALIZER)
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will be in progress soon"
    _put_terminating(definition, _condition(TERMINATING, TRUE, "InstanceDeletionPending", message), now)


def end_deletion(definition: StoredObject, now: float) -> None:
    """Say of a definition that its objects are gone; in place."""
    message = "removed all instances"
    _put_terminating(definition, _condition(TERMINATING, FALSE, "InstanceDeletionCompleted", message), now)


def _put_terminating(definition: StoredObject, condition: dict[str, str], now: float) -> None:
    status = dict(document_of(definition).get("status") or {})
    put_condition(status, condition, now)
    definition.status.CopyFrom(any_value(status))
