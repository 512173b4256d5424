"""A pool as ``--node-pool`` takes it: ``name=gpu,count=20,zone=a,zone=b,label.team=ml,taint=gpu=yes:NoSchedule``.

Fields are those of a file (``reading``); what may be there several times is repeated, what is a mapping has its key
behind a dot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_kubelet_sim.node_pools.reading import PoolReader

_REPEATED = ("zone", "role", "taint")
_MAPPINGS = ("label", "resource", "allocatable")


def parse_pool(written: str) -> NodePool:
    """Return the pool; raises InvalidError naming every field that is wrong."""
    reader = PoolReader()
    pool = reader.pool(_read(written, reader), "")
    reader.raise_for(f"node pool {written!r}")
    return pool


def _read(written: str, reader: PoolReader) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in _pairs(written, reader):
        field, dot, key = name.partition(".")
        if field in _MAPPINGS and dot:
            _put(fields.setdefault(field, {}), key, value, f"{field}.{key}", reader)
        elif field in _REPEATED:
            fields.setdefault(name, []).append(value)
        else:
            _put(fields, name, _plain(name, value), name, reader)
    return fields


def _put(fields: dict[str, Any], name: str, value: object, path: str, reader: PoolReader) -> None:
    if name in fields:
        reader.refuse(path, "is there twice")
    fields[name] = value


def _pairs(written: str, reader: PoolReader) -> Iterator[tuple[str, str]]:
    for part in written.split(","):
        name, equals, value = part.strip().partition("=")
        if equals:
            yield name, value
        else:
            reader.refuse(name, "has no value, want FIELD=VALUE, such as count=20; several are joined by commas")


def _plain(name: str, value: str) -> object:
    """Numbers and truths as a file would have them."""
    if name == "count" and value.isascii() and value.isdigit():
        return int(value)
    return {"true": True, "false": False}.get(value, value) if name == "unschedulable" else value
