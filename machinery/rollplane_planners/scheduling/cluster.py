"""The nodes and pods as the scheduler reckons with them, and the choice of a node for each pod.

For each demand there is a board of the nodes that may take it, so that pods of one template share what is found out
about nodes. Pods of one template spread by themselves: the emptiest node is taken where no wish says otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rollplane_machinery.frozen import frozen
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.selectors.requirement import Labels
from rollplane_planners.scheduling.board import Board, Demands
from rollplane_planners.scheduling.constraints import Spread, Term
from rollplane_planners.scheduling.demand import Demand
from rollplane_planners.scheduling.explanation import unavailable, without_claim
from rollplane_planners.scheduling.nodes import NodeView, Room, full, unsuited
from rollplane_planners.scheduling.rules import OTHERS, OWN, Away, Beside, Even, Obstacle, Rule, Wish, even_wish
from rollplane_planners.scheduling.suited import Suited, is_tolerated, selection_of, suited_of
from rollplane_planners.scheduling.tallies import Neighbours, Placed, Places, Pods, Tally

REMEMBERED_DEMANDS = 256
"""Demands whose boards are kept; the oldest is dropped beyond that and made anew when it is asked for."""


@frozen
class Choice:
    """A node for the pod, or, when ``node`` is empty, why there is none."""

    node: str
    why: str = ""


class Cluster:
    """All nodes and what runs on them. Deterministic: equal nodes are taken in the order of their names.

    ``pods`` yields the pods that were added and not removed; they are asked for when a constraint first counts them.
    """

    def __init__(self, pods: Pods, release: Release = LATEST) -> None:
        self._release = release
        self._neighbours = Neighbours(pods)
        self._nodes: dict[str, NodeView] = {}
        self._rooms: dict[str, Room] = defaultdict(Room)
        self._moves = 0
        self._boards: dict[tuple[bytes, tuple[Term, ...]], Board] = {}
        self._selections: dict[bytes, Suited] = {}
        self._places: dict[str, Places] = {}
        self._shared: dict[str, bool] = {}

    # What there is.

    def put_node(self, node: NodeView) -> bool:
        """Add or replace a node; tells whether that may let a pod fit that did not before."""
        if self._nodes.get(node.name) == node:
            return False
        self._nodes[node.name] = node
        self._forget()
        return True

    def remove_node(self, name: str) -> bool:
        """Forget a node; what runs on it still counts until its pods are gone. Tells as ``put_node`` does."""
        if self._nodes.pop(name, None) is None:
            return False
        self._forget()
        return True

    def put_namespace(self, name: str, labels: Labels | None) -> bool:
        """Take note of a namespace's labels, None when it is gone; tells as ``put_node`` does."""
        namespaces = self._neighbours.namespaces
        if namespaces.get(name) == labels:
            return False
        if labels is None:
            del namespaces[name]
        else:
            namespaces[name] = labels
        if not self._neighbours.goes_by_namespaces:
            return False
        self._forget()
        return True

    def add(self, node: str, pod: Placed) -> bool:
        """Count a pod that runs, or will run, on ``node``; tells whether that may help one that wants neighbours."""
        room = self._rooms[node]
        room.used += pod.requests
        room.pods += 1
        room.ports.update(pod.host_ports)
        self._moves += 1
        counted = self._neighbours.add(node, pod, 1)
        if counted:
            self._offer(node, [board for board in self._boards.values() if board.attracts])
        return counted

    def remove(self, node: str, pod: Placed) -> None:
        """Count a pod no more, and offer the room it leaves."""
        room = self._rooms[node]
        room.used -= pod.requests
        room.pods -= 1
        room.ports.subtract(pod.host_ports)
        self._moves += 1
        self._neighbours.add(node, pod, -1)
        self._offer(node, self._boards.values())

    def change(self, node: str, before: Placed, after: Placed) -> bool:
        """Take note that a pod has other labels, or is going, but still holds its room; tells as ``put_node`` does."""
        gone = self._neighbours.add(node, before, -1)
        come = self._neighbours.add(node, after, 1)
        if gone or come:
            self._moves += 1
            self._offer(node, self._boards.values())
        return gone or come

    def _offer(self, node: str, boards: Iterable[Board]) -> None:
        for board in boards:
            board.offer(node)

    def _forget(self) -> None:
        self._boards.clear()
        self._selections.clear()
        self._places.clear()
        self._shared.clear()
        self._neighbours.forget()

    # What is chosen.

    @property
    def namespaces(self) -> dict[str, Labels]:
        """The labels of all namespaces."""
        return self._neighbours.namespaces

    def choose(self, demand: Demand) -> Choice:
        """Return the best node that may take the pod and has room; it is not counted there yet."""
        board = self._board(demand)
        if board.stuck_at == self._moves:
            return Choice("", board.why)
        chosen = board.best()
        if not chosen:
            board.stuck_at, board.why = self._moves, self._explain(demand, board.asked.rules)
        return Choice(chosen, board.why if not chosen else "")

    def without_claim(self, name: str) -> Choice:
        """Return that no node takes a pod whose claim is not there, in the scheduler's words."""
        return Choice("", without_claim(len(self._nodes), name, self._release))

    def _explain(self, demand: Demand, rules: Iterable[Rule]) -> str:
        obstacles = [self._obstacle(node, demand, rules) for node in self._nodes.values()]
        return unavailable([one for one in obstacles if one is not None], self._release)

    def _obstacle(self, node: NodeView, demand: Demand, rules: Iterable[Rule]) -> Obstacle | None:
        """Return the first that is in the way, in the order of kube-scheduler's plugins."""
        final = self._release.capacity_is_final
        own = unsuited(node, demand, self._release.taint_sentence) or full(
            node, self._rooms[node.name], demand, capacity_is_final=final
        )
        return own or next((found for rule in rules if (found := rule.obstacle(node.labels))), None)

    # Boards, and what they are made of.

    def _board(self, demand: Demand) -> Board:
        away = self._neighbours.keeping_away(demand.namespace, demand.labels)
        board = self._boards.get((demand.key, away))
        if board is None:
            if len(self._boards) >= REMEMBERED_DEMANDS:
                self._drop_oldest()
            suited = self._suited(demand)
            for node in suited.nodes:
                self._rooms[node.name]  # made, where nothing has run yet
            asked = self._demands(demand, away)
            board = self._boards[demand.key, away] = Board(asked, suited, self._rooms, self._is_shared)
        return board

    def _drop_oldest(self) -> None:
        del self._boards[next(iter(self._boards))]
        keys = {key for board in self._boards.values() for key in board.asked.keys}
        self._neighbours.retain(keys, {term for _, away in self._boards for term in away})

    def _suited(self, demand: Demand) -> Suited:
        key = selection_of(demand.spec)
        suited = self._selections.get(key)
        if suited is None:
            if len(self._selections) >= REMEMBERED_DEMANDS:
                self._selections.clear()
            suited = self._selections[key] = suited_of(demand.spec, self._nodes)
        return suited

    def _demands(self, demand: Demand, away: tuple[Term, ...]) -> Demands:
        """Return rules and wishes, the rules in the order of kube-scheduler's plugins."""
        wanted = demand.constraints
        keys: set[object] = set()

        def tally(term: Term) -> Tally:
            keys.add(term)
            return self._neighbours.tally(term, term.pods, self._places_by(term.topology_key))

        def even(spread: Spread, others: tuple[Spread, ...]) -> Tally:
            key = (demand.key, spread)
            keys.add(key)
            return self._neighbours.tally(key, spread.pods, self._eligible(spread, others, demand), spread=True)

        rules: list[Rule] = [Even(one, even(one, wanted.spread)) for one in wanted.spread]
        if wanted.affinity:
            names = tuple(term.topology_key for term in wanted.affinity)
            rules.append(Beside(names, tuple(map(tally, wanted.affinity)), wanted.attracts_itself))
        rules += [Away(term.topology_key, tally(term), OWN) for term in wanted.anti_affinity]
        for term in away:
            holders = self._neighbours.holders(term, self._places_by(term.topology_key))
            rules.append(Away(term.topology_key, holders, OTHERS))
        near = [Wish(term.topology_key, tally(term), weight) for weight, term in wanted.wishes]
        spread = [even_wish(one, even(one, wanted.wished_spread)) for one in wanted.wished_spread]
        return Demands(demand, rules, near, spread, frozenset(keys))

    def _eligible(self, spread: Spread, others: tuple[Spread, ...], demand: Demand) -> Places:
        """Return the places of the nodes that count for ``spread``: those that have the labels of all constraints."""
        nodes: Iterable[NodeView] = self._suited(demand).matching if spread.honors_affinity else self._nodes.values()
        if spread.honors_taints:
            nodes = [node for node in nodes if is_tolerated(node, demand.spec)]
        key, keys = spread.topology_key, {one.topology_key for one in others}
        return {node.name: node.labels[key] for node in nodes if keys <= node.labels.keys()}

    def _places_by(self, key: str) -> Places:
        places = self._places.get(key)
        if places is None:
            places = self._places[key] = {
                name: node.labels[key] for name, node in self._nodes.items() if key in node.labels
            }
        return places

    def _is_shared(self, key: str) -> bool:
        shared = self._shared.get(key)
        if shared is None:
            places = self._places_by(key)
            shared = self._shared[key] = len({*places.values()}) < len(places)
        return shared
