"""What a PriorityClass may say: its value, and who may take the names and values of the system's.

Source: kubernetes/kubernetes pkg/apis/scheduling/validation/validation.go.
"""

from __future__ import annotations

from typing import Any

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.errors import Cause
from rollplane_rules.admission.priority import (
    HIGHEST_OF_USERS,
    POLICIES,
    SYSTEM_CLASSES,
    SYSTEM_PREFIX,
    PriorityClass,
    member,
    priority_class_of,
)
from rollplane_rules.validation.causes import MAX_INT32, forbidden, immutable, invalid, not_supported


def check_priority_class(stored: StoredObject) -> list[Cause]:
    """Return what is wrong with a PriorityClass, metadata aside."""
    return _check_types(stored) or _check_class(priority_class_of(stored))


def _check_types(stored: StoredObject) -> list[Cause]:
    value, policy = member(stored, "value"), member(stored, "preemptionPolicy")
    found = []
    if value is not None and not _is_int32(value):
        found.append(invalid("value", value, "give a whole number of 32 bits"))
    if not isinstance(member(stored, "globalDefault"), bool | None):
        found.append(invalid("globalDefault", None, "give true or false"))
    if not isinstance(member(stored, "description"), str | None):
        found.append(invalid("description", None, "give a text"))
    if policy is not None and policy not in POLICIES:
        found.append(not_supported("preemptionPolicy", policy, POLICIES))
    return found


def _is_int32(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -MAX_INT32 - 1 <= value <= MAX_INT32


def _check_class(one: PriorityClass) -> list[Cause]:
    if one.name.startswith(SYSTEM_PREFIX):
        return _check_system(one)
    if one.value > HIGHEST_OF_USERS:
        return [forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}")]
    return []


def _check_system(one: PriorityClass) -> list[Cause]:
    known = SYSTEM_CLASSES.get(one.name)
    if known is None:
        why = f"{one.name} is not a known system priority class"
    elif one.value != known.value:
        why = f"value of {one.name} PriorityClass must be {known.value}"
    elif one.is_default:
        why = f"globalDefault of {one.name} PriorityClass must be false"
    else:
        return []
    reserved = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: {why}"
    return [forbidden("metadata.name", reserved)]


def check_priority_class_update(new: StoredObject, old: StoredObject) -> list[Cause]:
    """Return what an update may not change: value and policy."""
    after, before = priority_class_of(new), priority_class_of(old)
    found = [] if after.value == before.value else [forbidden("value", "may not be changed in an update.")]
    return found + immutable("preemptionPolicy", after.policy, after.policy == before.policy)
