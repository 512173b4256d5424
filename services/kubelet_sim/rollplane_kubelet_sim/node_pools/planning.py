"""From pools to nodes: how many each has, what they are called, and that no two are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollplane_kubelet_sim.limits import MAX_NODES, check_node_name, check_prefix
from rollplane_kubelet_sim.node_pools.pools import NodePool, NodeShape, PlannedNode, of_count
from rollplane_machinery.errors import InvalidError

DEFAULT_NODES = 10
_SHAPE = NodeShape()


def plan_nodes(
    pools: Sequence[NodePool],
    nodes: int | None = None,
    *,
    prefix: str = "node",
    first: int = 0,
    shape: NodeShape = _SHAPE,
) -> tuple[PlannedNode, ...]:
    """Return the nodes of a fleet: ``nodes`` of them, or as many as ``pools`` have, 10 where nobody says.

    Pools without a count share evenly what the others leave of ``nodes`` (10 when that is not given); without such
    pools the rest are plain nodes. ``prefix`` names these and the nodes of pools without a name; numbers in names begin
    with ``first``, in each pool. Raises InvalidError for numbers that do not go together and for names that are none.
    """
    counted = count_pools(pools, nodes)
    total = sum(pool.count or 0 for pool in counted)
    if total > MAX_NODES:
        raise InvalidError(f"the nodes are {total}, want at most {MAX_NODES}")
    planned = tuple(_planned(counted, prefix, first, shape))
    seen: set[str] = set()
    for node in planned:
        if node.name in seen:
            raise InvalidError(f"two nodes are called {node.name}: give the pools names of their own (name=…)")
        seen.add(node.name)
    return planned


def count_pools(pools: Sequence[NodePool], nodes: int | None = None) -> list[NodePool]:
    """Return pools that all have a count, as ``plan_nodes`` says; raises InvalidError."""
    fixed = sum(pool.count for pool in pools if pool.count is not None)
    sharing = [pool for pool in pools if pool.count is None]
    if nodes is None:
        nodes = fixed + (DEFAULT_NODES if sharing or not pools else 0)
    rest = nodes - fixed
    if rest < 0:
        raise InvalidError(f"nodes is {nodes}, but the node pools have {fixed}: leave out --nodes, or give them less")
    if not sharing:
        return [*pools, *([NodePool(count=rest)] if rest else [])]
    share, more = divmod(rest, len(sharing))
    counts = iter([share + (place < more) for place in range(len(sharing))])
    return [pool if pool.count is not None else of_count(pool, next(counts)) for pool in pools]


def _planned(pools: Sequence[NodePool], prefix: str, first: int, shape: NodeShape) -> Iterator[PlannedNode]:
    number = first
    reached: dict[str, int] = {}
    for pool in pools:
        stem, count = pool.name or prefix, pool.count or 0
        begin = reached.get(stem, first)
        _check_names(pool, stem, begin + count - 1)
        for index in range(count):
            name = pool.exact or f"{stem}-{begin + index}"
            yield pool.node(name, number, index, shape, prefix)
            number += 1
        if not pool.exact:
            reached[stem] = begin + count


def _check_names(pool: NodePool, stem: str, last: int) -> None:
    try:
        if pool.exact:
            check_node_name(pool.exact)
        elif pool.count:
            check_prefix(stem, last)
    except ValueError as exc:
        raise InvalidError(str(exc)) from exc
