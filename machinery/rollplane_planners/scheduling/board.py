"""The nodes that may take pods of one demand, the best of each place first.

Nodes that rules and wishes cannot tell apart are a group, and a heap: rules are asked once for a group, and a choice
costs the logarithm of the fleet and the number of groups. A label that no two nodes share, as a host name, makes no
groups: what depends on it is asked of each node that surfaces. An entry that has gone stale is noticed then, too.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rollplane_machinery.frozen import frozen
from rollplane_machinery.selectors.requirement import Labels
from rollplane_planners.scheduling.demand import Demand
from rollplane_planners.scheduling.nodes import Room, fits
from rollplane_planners.scheduling.rules import Obstacle, Rule, Wish
from rollplane_planners.scheduling.suited import Suited

Rank = tuple[float, ...]
"""How good a node is, less is better: taints it should avoid, node affinity, pod affinity, spread, pods there."""
Entry = tuple[Rank, str]
Shared = Callable[[str], bool]
"""Whether several nodes have the same value of a label."""


@dataclass(slots=True)
class _Group:
    """Nodes that have ``labels`` in common, and an entry or more for each."""

    labels: Labels
    names: Sequence[str]
    entries: list[Entry] = field(default_factory=list)


@frozen
class Demands:
    """What a board is made for: the demand, its rules, and its wishes for pod affinity and for spread."""

    demand: Demand
    rules: Sequence[Rule]
    affinity: Sequence[Wish]
    spread: Sequence[Wish]
    keys: frozenset[object]
    """The tallies that rules and wishes look at."""

    def obstacle(self, labels: Labels) -> Obstacle | None:
        """Return the first rule's that refuses nodes with these labels, None when all allow them."""
        return next((found for rule in self.rules if (found := rule.obstacle(labels))), None)


@frozen
class Stuck:
    """Why no node takes a pod, by node and as a sentence, as long as there are no more ``moves`` than these.

    ``beyond_help`` is the sentence for pods that preemption does not help either, by how urgent they are.
    """

    moves: int
    obstacles: Mapping[str, Obstacle]
    sentence: str
    beyond_help: dict[int, str] = field(default_factory=dict)


class Board:
    """``rooms`` has one for each node that is suited.

    ``attracts`` tells whether a pod that comes may make its node better.
    ``stuck`` is what was found out when there was no node last.
    """

    def __init__(self, asked: Demands, suited: Suited, rooms: Mapping[str, Room], is_shared: Shared) -> None:
        self.asked = asked
        self.stuck: Stuck | None = None
        self._rooms = rooms
        self._nodes = suited.nodes
        keys = sorted({key for rule in asked.rules for key in rule.keys} | {one.key for one in self._wishes})
        shared = [key for key in keys if is_shared(key)]
        self._of_group = [rule for rule in asked.rules if {*rule.keys} <= {*shared}]
        self._of_node = [rule for rule in asked.rules if rule not in self._of_group]
        self._group_wishes = [[one for one in wishes if one.key in shared] for wishes in (asked.affinity, asked.spread)]
        self._node_wishes = [
            [one for one in wishes if one.key not in shared] for wishes in (asked.affinity, asked.spread)
        ]
        self._biases = suited.biases
        self.attracts = any(one.weight > 0 for one in self._node_wishes[0])
        self._is_plain = not self._biases and not self._wishes
        grouping = suited.grouped(tuple(shared))
        self._number_of = grouping.number_of
        self._groups = [_Group(labels, names) for labels, names in grouping.groups]
        for group in self._groups:
            self._fill(group)

    @property
    def _wishes(self) -> list[Wish]:
        return [*self.asked.affinity, *self.asked.spread]

    def _fill(self, group: _Group) -> None:
        group.entries = [(self._rank(name), name) for name in group.names]
        heapq.heapify(group.entries)

    def offer(self, name: str) -> None:
        """Take note that a node may have become better."""
        number = self._number_of.get(name)
        if number is None:
            return
        group = self._groups[number]
        heapq.heappush(group.entries, (self._rank(name), name))
        if len(group.entries) > 4 * len(group.names) + 64:
            self._fill(group)

    def best(self) -> str:
        """Return the best node that has room and that all rules allow, the first by name of equals; "" for none."""
        if len(self._groups) == 1 and not self._of_group:
            return self._top(self._groups[0])[1]
        tops = [self._placed(group) for group in self._groups if self._allows(self._of_group, group.labels)]
        return min(filter(None, tops), default=((), ""))[1]

    def _placed(self, group: _Group) -> Entry | None:
        """Return the best of a group, ranked among those of all groups; None when none has room."""
        rank, name = self._top(group)
        if not name or self._is_plain:
            return (rank, name) if name else None
        near, even = self._costs(self._group_wishes, group.labels)
        return (*rank[:2], rank[2] + near, rank[3] + even, rank[4]), name

    def _top(self, group: _Group) -> Entry:
        """Return the best entry of a group, and leave it there; an empty name when no node of it takes the pod."""
        entries, passed = group.entries, []
        found: Entry = ((), "")
        while entries:
            rank, name = entries[0]
            now = self._rank(name)
            if now > rank:
                heapq.heapreplace(entries, (now, name))
            elif self._takes(name):
                found = entries[0]
                break
            else:
                passed.append(heapq.heappop(entries))
        for entry in passed:
            heapq.heappush(entries, entry)
        return found

    def _takes(self, name: str) -> bool:
        node = self._nodes[name]
        return fits(node, self._rooms[name], self.asked.demand) and (
            not self._of_node or self._allows(self._of_node, node.labels)
        )

    def _allows(self, rules: Sequence[Rule], labels: Labels) -> bool:
        return all(rule.obstacle(labels) is None for rule in rules)

    def _rank(self, name: str) -> Rank:
        pods = self._rooms[name].pods
        if self._is_plain:
            return (pods,)
        near, even = self._costs(self._node_wishes, self._nodes[name].labels)
        return *self._biases.get(name, (0, 0)), near, even, pods

    def _costs(self, wishes: Sequence[Sequence[Wish]], labels: Labels) -> list[float]:
        return [sum([wish.cost(labels) for wish in some]) for some in wishes]
