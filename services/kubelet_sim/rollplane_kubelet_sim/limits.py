"""What one fleet can be, told before anything of it is loaded."""

from __future__ import annotations

from rollplane_machinery.names import check_dns1123_subdomain, check_label_value

MAX_NODES = 16_384
"""What one fleet can hold."""


def check_node_name(name: str) -> None:
    """Raise ValueError unless a node can be called so: its name is also the value of its hostname label."""
    if problems := [*check_dns1123_subdomain(name), *check_label_value(name)]:
        raise ValueError(f"no node can be called {name!r}: {problems[0]}")


def check_prefix(prefix: str, last: int) -> None:
    """Raise ValueError unless ``<prefix>-<number>`` names a node up to the number ``last``."""
    name = f"{prefix}-{last}"
    if problems := [*check_dns1123_subdomain(name), *check_label_value(name)]:
        raise ValueError(f"node prefix is {prefix!r}, of which no names of nodes can be made: {problems[0]}")
