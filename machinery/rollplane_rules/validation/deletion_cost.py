"""The annotation that says which pods of a ReplicaSet should go first."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import invalid

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"

_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,9}", re.ASCII).fullmatch


def check_deletion_cost(field: str, annotations: Mapping[str, str]) -> list[Cause]:
    """Return what is wrong with the cost among ``annotations``: a decimal int32 without ``+`` or leading zeros."""
    cost = annotations.get(DELETION_COST)
    if cost is None or (_DECIMAL(cost) and -(2**31) <= int(cost) < 2**31):
        return []
    return [invalid(f"{field}[{DELETION_COST}]", cost, "give a whole number from -2147483648 to 2147483647")]
