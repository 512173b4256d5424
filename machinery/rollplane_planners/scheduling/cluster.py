"""The nodes and pods as the scheduler reckons with them, and the choice of a node for each pod.

For each demand there is a board of the nodes that may take it, so that pods of one template share what is found out
about nodes. Pods of one template spread by themselves: the emptiest node is taken where no wish says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rollplane_machinery.frozen import frozen
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.selectors.requirement import Labels
from rollplane_planners.scheduling.board import Board, Demands, Stuck
from rollplane_planners.scheduling.constraints import FREE, Spread, Term
from rollplane_planners.scheduling.demand import Demand
from rollplane_planners.scheduling.explanation import everywhere, unavailable, with_preemption, without_victims
from rollplane_planners.scheduling.nodes import NodeView, fits, full, unsuited
from rollplane_planners.scheduling.occupancy import Occupancy
from rollplane_planners.scheduling.preemption import (
    ANYBODY,
    NEVER,
    NOT_HELPFUL,
    VICTIMS_ENDING,
    Asker,
    Budget,
    Candidate,
    awaits_victims,
    best_of,
    candidate_limit,
    try_node,
)
from rollplane_planners.scheduling.rules import OTHERS, OWN, Away, Beside, Even, Obstacle, Rule, Wish, even_wish
from rollplane_planners.scheduling.suited import Suited, is_tolerated, selection_of, suited_of
from rollplane_planners.scheduling.tallies import Placed, Places, Pods, Tally

REMEMBERED_DEMANDS = 256
"""Demands whose boards are kept; the oldest is dropped beyond that and made anew when it is asked for."""


Budgets = Callable[[], Sequence[Budget]]


@frozen
class Choice:
    """A node for the pod, or, when ``node`` is empty, why there is none.

    ``nominated`` is then the node that is to be kept for it, "" for none. ``victims`` have to go for its sake.
    """

    node: str
    why: str = ""
    nominated: str = ""
    victims: tuple[Placed, ...] = ()


class Cluster:
    """All nodes and what runs on them. Deterministic: equal nodes are taken in the order of their names.

    ``pods`` yields the pods that were added and not removed; they are asked for when a constraint first counts them.
    A place that is kept for a pod counts as taken for others, but those that are more urgent.
    """

    def __init__(self, pods: Pods, release: Release = LATEST) -> None:
        self._release = release
        self._taken = Occupancy(pods)
        self._neighbours = self._taken.neighbours
        self._nodes: dict[str, NodeView] = {}
        self._rooms = self._taken.rooms
        self._moves = 0
        self._start = 0
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
        self._moves += 1
        counted = self._taken.add(node, pod)
        if counted:
            self._offer(node, [board for board in self._boards.values() if board.attracts])
        return counted

    def remove(self, node: str, pod: Placed) -> None:
        """Count a pod no more, and offer the room it leaves."""
        self._moves += 1
        self._taken.remove(node, pod)
        self._offer(node, self._boards.values())

    def refresh(self, node: str, pod: Placed) -> None:
        """Take note of a pod as it is now, where nothing changed that ``change`` tells of."""
        self._rooms[node].tenants[pod.uid] = pod

    def change(self, node: str, before: Placed, after: Placed) -> bool:
        """Take note that a pod has other labels, or is going, but still holds its room; tells as ``put_node`` does."""
        self.refresh(node, after)
        gone = self._neighbours.add(node, before, -1)
        come = self._neighbours.add(node, after, 1)
        if gone or come:
            self._moves += 1
            self._offer(node, self._boards.values())
        return gone or come

    def keep(self, node: str, pod: Placed) -> list[Placed]:
        """Keep a place on a node for a pod that waits there for others to end.

        Return the less urgent pods for which one was kept there: it is not any more.
        """
        ousted = [one for one in self._taken.kept_on(node) if one.priority < pod.priority]
        for one in ousted:
            self.keep_no_more(one.uid)
        self.keep_no_more(pod.uid)
        self._moves += 1
        self._taken.keep(node, pod)
        return ousted

    def kept_for(self, uid: str) -> str:
        """Return the node on which a place is kept for a pod, "" for none."""
        return self._taken.kept_for(uid)

    def keep_no_more(self, uid: str) -> bool:
        """Keep no place for a pod; tells whether one was, and may let another fit."""
        node = self._taken.keep_no_more(uid)
        if node:
            self._moves += 1
            self._offer(node, self._boards.values())
        return bool(node)

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

    def choose(self, demand: Demand, asker: Asker = ANYBODY, budgets: Budgets = tuple) -> Choice:
        """Return the best node that may take the pod and has room, or whom it may have go for its sake.

        It is not counted there yet, nor is a place kept. ``budgets`` are asked for when somebody may have to go.
        """
        with self._as_seen_by(asker):
            board = self._board(demand)
            if board.stuck is None or board.stuck.moves != self._moves:
                node = self._node_for(board, asker)
                if node:
                    return Choice(node)
                board.stuck = self._stuck(board)
            return self._help(board, board.stuck, asker, budgets)

    def nowhere(self, trouble: str) -> Choice:
        """Return that no node takes a pod, for what is the matter with its claim, in the scheduler's words."""
        nodes = len(self._nodes)
        said = without_victims([NOT_HELPFUL] * nodes)
        return Choice("", with_preemption(everywhere(nodes, trouble), said, self._release))

    @contextmanager
    def _as_seen_by(self, asker: Asker) -> Iterator[None]:
        """Leave out places that are kept for the asker itself, and for those that are less urgent."""
        if not self._taken.keeps_any:
            yield
            return
        with self._taken.without_kept(asker.uid, asker.priority) as nodes:
            self._move_on(nodes)
            yield
        self._moves += bool(nodes)

    def _move_on(self, nodes: Sequence[str]) -> None:
        self._moves += bool(nodes)
        for node in nodes:
            self._offer(node, self._boards.values())

    def _node_for(self, board: Board, asker: Asker) -> str:
        """Return the node that was nominated, if it takes the pod, else the best; "" for none."""
        if asker.nominated in self._nodes and self._obstacle(board, self._nodes[asker.nominated]) is None:
            return asker.nominated
        node = board.best()
        return node if not node or self._obstacle_of_absence(board, self._nodes[node]) is None else ""

    def _stuck(self, board: Board) -> Stuck:
        found = ((name, self._obstacle(board, node)) for name, node in self._nodes.items())
        obstacles = {name: obstacle for name, obstacle in found if obstacle is not None}
        return Stuck(self._moves, obstacles, unavailable(obstacles.values()))

    def _obstacle(self, board: Board, node: NodeView) -> Obstacle | None:
        """Return the first that is in the way, whether those that places are kept for come or not."""
        return self._obstacle_now(board, node) or self._obstacle_of_absence(board, node)

    def _obstacle_of_absence(self, board: Board, node: NodeView) -> Obstacle | None:
        """Return what is in the way when nobody comes that a place is kept for: constraints may need them."""
        if not self._taken.keeps_any or board.asked.demand.constraints is FREE:
            return None
        with self._taken.without_kept("", _ABOVE_ALL):
            return self._obstacle_now(board, node)

    def _obstacle_now(self, board: Board, node: NodeView) -> Obstacle | None:
        """Return the first that is in the way, in the order of kube-scheduler's plugins."""
        demand, final = board.asked.demand, self._release.capacity_is_final
        own = unsuited(node, demand, self._release.taint_sentence) or full(
            node, self._rooms[node.name], demand, capacity_is_final=final
        )
        return own or board.asked.obstacle(node.labels)

    def _has_room(self, board: Board, node: NodeView) -> bool:
        """Tell whether nothing is in the way on a node that suits the pod."""
        has_room = fits(node, self._rooms[node.name], board.asked.demand) and board.asked.obstacle(node.labels) is None
        return has_room and self._obstacle_of_absence(board, node) is None

    # Who would have to go.

    def _help(self, board: Board, stuck: Stuck, asker: Asker, budgets: Budgets) -> Choice:
        if not asker.preempts:
            return Choice("", self._told(stuck, NEVER), asker.nominated)
        if asker.nominated and awaits_victims(asker, self._rooms[asker.nominated].tenants.values(), stuck.obstacles):
            return Choice("", self._told(stuck, VICTIMS_ENDING), asker.nominated)
        if asker.priority in stuck.beyond_help:
            return Choice("", stuck.beyond_help[asker.priority])
        said = without_victims(stuck.obstacles.values())
        if self._taken.runs_below(asker.priority):
            candidates, said = self._candidates(board, stuck.obstacles, asker, budgets())
            if candidates:
                best = best_of(candidates)
                return Choice("", stuck.sentence, best.node, best.victims)
        why = stuck.beyond_help[asker.priority] = self._told(stuck, said)
        return Choice("", why)

    def _told(self, stuck: Stuck, said: str) -> str:
        return with_preemption(stuck.sentence, said, self._release)

    def _candidates(
        self, board: Board, obstacles: Mapping[str, Obstacle], asker: Asker, budgets: Sequence[Budget]
    ) -> tuple[list[Candidate], str]:
        """Return nodes that would take the pod without others, and what is in the way on those tried in vain."""
        candidates: list[Candidate] = []
        vain: list[Obstacle] = []
        names = list(obstacles)
        start = self._start % len(names)
        for tried, name in enumerate([*names[start:], *names[:start]], 1):
            obstacle = obstacles[name]
            found = NOT_HELPFUL if obstacle.lasting else self._tried(board, name, asker.priority, budgets)
            if isinstance(found, Obstacle):
                vain.append(found)
                continue
            candidates.append(found)
            if len(candidates) == candidate_limit(len(self._nodes)):
                self._start = start + tried  # others make their room elsewhere
                break
        return candidates, unavailable(vain)

    def _tried(self, board: Board, name: str, priority: int, budgets: Sequence[Budget]) -> Candidate | Obstacle:
        node = self._nodes[name]
        trial = _Trial(self._taken, name, lambda: self._obstacle(board, node), lambda: self._has_room(board, node))
        return try_node(name, self._rooms[name].tenants.values(), priority, budgets, trial)

    # Boards, and what they are made of.

    def _board(self, demand: Demand) -> Board:
        away = self._neighbours.keeping_away(demand.namespace, demand.labels)
        board = self._boards.get((demand.key, away))
        if board is None:
            if len(self._boards) >= REMEMBERED_DEMANDS:
                self._drop_oldest()
            suited = self._suited(demand)
            for name in suited.nodes:
                self._rooms[name]  # made, where nothing has run yet
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
        suited = self._suited(demand)
        key, keys = spread.topology_key, frozenset([one.topology_key for one in others])

        def find() -> Places:
            nodes: Iterable[NodeView] = suited.matching if spread.honors_affinity else self._nodes.values()
            if spread.honors_taints:
                nodes = [node for node in nodes if is_tolerated(node, demand.spec)]
            return {node.name: node.labels[key] for node in nodes if keys <= node.labels.keys()}

        return suited.places((key, keys, spread.honors_affinity, spread.honors_taints), find)

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


_ABOVE_ALL = 2**32
"""More than any priority."""


@frozen
class _Trial:
    """A node on which pods may be missing for a moment: boards hear nothing of it."""

    taken: Occupancy
    node: str
    obstacle: Callable[[], Obstacle | None]
    fits: Callable[[], bool]

    def free(self, pod: Placed) -> None:
        self.taken.free(self.node, pod)

    def take(self, pod: Placed) -> None:
        self.taken.take(self.node, pod)
