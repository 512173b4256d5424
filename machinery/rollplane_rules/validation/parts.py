"""Tables of checks by field, for messages most of whose fields are absent: only what is there is looked at.

``ListFields`` gives the fields that are set in one call. Descriptors are unique objects, so a table is keyed by them,
which spares the making of a name for each field looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import under

Field: TypeAlias = FieldDescriptor | Any  # the C implementation's class is not a subclass of the documented one
Check = Callable[[Any], list[Cause]]
Checks = Mapping[Field, Check]


def checks_of(*kinds: type[Message], **checks: Check) -> Checks:
    """Return the table for messages of ``kinds``, given a check for each of their fields that has one."""
    table = {kind.DESCRIPTOR.fields_by_name[name]: check for kind in kinds for name, check in checks.items()}
    return MappingProxyType(table)


def check_parts(message: Message, checks: Checks) -> list[Cause]:
    """Return what the checks of the fields that are set find, under the fields' JSON names."""
    found: list[Cause] = []
    for field, value in message.ListFields():
        check = checks.get(field)
        if check is not None and (causes := check(value)):
            found += under(field.json_name, causes)
    return found


def of_each(check: Check) -> Check:
    """Return the check of a list by that of an item, paths from the index on."""

    def check_each(messages: Any) -> list[Cause]:
        found: list[Cause] = []
        for index, message in enumerate(messages):
            if causes := check(message):
                found += under(f"[{index}]", causes)
        return found

    return check_each
