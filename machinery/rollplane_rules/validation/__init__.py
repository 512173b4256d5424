"""Validation: what is wrong with an object, field by field, in Kubernetes' words for fields and our own for the fix.

All checks take defaulted objects and change nothing. They never raise, whatever the message holds; who wants an error
calls ``raise_invalid``. ``PodSpecMemo`` does defaulting, admission and validation at once and
remembers them by the bytes of the pod spec.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollplane_machinery.errors import Cause, InvalidError
from rollplane_machinery.kinds import ApiObject, kind_of
from rollplane_machinery.pod_specs import Role, pod_spec_of
from rollplane_rules.validation.causes import under
from rollplane_rules.validation.memo import PodSpecMemo as PodSpecMemo
from rollplane_rules.validation.pod_spec import check_pod_spec
from rollplane_rules.validation.rules import (
    validate_outer,
    validate_outer_update,
)
from rollplane_rules.validation.rules import validate_status_update as validate_status_update


def validate_create(obj: ApiObject) -> list[Cause]:
    """Return what is wrong with a new object, prepared, defaulted and admitted; nothing when it can be stored."""
    found = validate_outer(obj)
    if located := pod_spec_of(obj):
        role = Role.NEW_POD if located.role is Role.POD else located.role
        found += under(located.path, check_pod_spec(located.spec, role))
    return found


def validate_update(new: ApiObject, old: ApiObject) -> list[Cause]:
    """Return what is wrong with ``new``, both in itself and as what ``old`` becomes; both are defaulted."""
    found = validate_outer(new, old.metadata)
    if located := pod_spec_of(new):
        found += under(located.path, check_pod_spec(located.spec, located.role))
    return found + validate_outer_update(new, old)


def check_update(new: ApiObject, old: ApiObject) -> None:
    """Raise InvalidError when ``validate_update`` finds anything."""
    raise_invalid(new, validate_update(new, old))


def check_status_update(new: ApiObject, old: ApiObject) -> None:
    """Raise InvalidError when ``validate_status_update`` finds anything."""
    raise_invalid(new, validate_status_update(new, old))


def raise_invalid(obj: ApiObject, causes: Sequence[Cause]) -> None:
    """Raise InvalidError in Kubernetes' form when there are any ``causes``.

    One cause: ``Deployment.apps "web" is invalid: spec.replicas: …``; several stand in brackets.
    """
    if not causes:
        return
    kind = kind_of(obj)
    title = f"{kind.name}.{kind.group}" if kind.group else kind.name
    sentences = ", ".join(dict.fromkeys(map(str, causes)))
    sentences = sentences if len(causes) == 1 else f"[{sentences}]"
    name = obj.metadata.name
    raise InvalidError(
        f'{title} "{name}" is invalid: {sentences}', resource=kind.resource, name=name, causes=tuple(causes)
    )
