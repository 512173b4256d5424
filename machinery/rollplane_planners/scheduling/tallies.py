"""How many pods of a sort are in each place, kept up to date pod by pod.

A tally is made from the pods that run when a constraint first asks for it; from then on a pod that comes or goes costs
what finding its tallies costs: they are kept by the first label that their selectors want.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rollplane_machinery.selectors.requirement import Labels, Operator
from rollplane_planners.scheduling.constraints import Matchers, Term
from rollplane_planners.scheduling.demand import HostPort
from rollplane_planners.scheduling.resources import Resources

Places = Mapping[str, str]
"""The place of each node that is in one, by the node's name."""
_Label = tuple[str, str] | None


class Placed(Protocol):
    """A pod, as far as others on its node and around it ask."""

    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def uid(self) -> str: ...
    @property
    def labels(self) -> Labels: ...
    @property
    def requests(self) -> Resources: ...
    @property
    def host_ports(self) -> frozenset[HostPort]: ...
    @property
    def anti_affinity(self) -> tuple[Term, ...]: ...
    @property
    def terminating(self) -> bool: ...
    @property
    def priority(self) -> int: ...
    @property
    def started(self) -> float | None: ...
    @property
    def preempted(self) -> bool: ...


Pods = Callable[[Iterable[str] | None], Iterable[tuple[str, Placed]]]
"""Yields the pods of the namespaces (None: of all) that hold room on a node, each with the node's name."""


class Tally:
    """Pods by place; what is in no place is not counted."""

    def __init__(self, places: Places, *, from_nothing: bool = False) -> None:
        self._places = places
        self._least: int | None = None
        self.counts: dict[str, int] = dict.fromkeys(places.values(), 0) if from_nothing else {}

    def add(self, node: str, by: int) -> None:
        """Count ``by`` pods more, or fewer, on the node."""
        place = self._places.get(node)
        if place is not None:
            self.counts[place] = self.counts.get(place, 0) + by
            self._least = None

    def least(self) -> int:
        """Return the number in the place that has fewest, 0 where there is no place."""
        if self._least is None:
            self._least = min(self.counts.values(), default=0)
        return self._least


@dataclass(frozen=True, slots=True)
class _Counted:
    """A tally, which pods it counts, and whether those that are going count too."""

    pods: Matchers
    terminating: bool
    tally: Tally


T = TypeVar("T")


class _ByLabel(dict[_Label, list[T]]):
    """Things by a label that the pods they concern must have, None where there is no such label."""

    def concerning(self, labels: Labels) -> Iterator[T]:
        """Yield all that may concern a pod with these labels."""
        yield from self.get(None, ())
        for label in labels.items():
            yield from self.get(label, ())


def _label_of(pods: Matchers) -> _Label:
    for matcher in pods:
        for requirement in matcher.selector.requirements:
            if requirement.operator is Operator.EQUALS:
                return requirement.key, requirement.values[0]
    return None


class _Index:
    """The pods that have a label, by namespace and value, each with its node."""

    def __init__(self, key: str, pods: Iterable[tuple[str, Placed]]) -> None:
        self._key = key
        self._found: dict[tuple[str, str], dict[str, tuple[str, Placed]]] = {}
        for node, pod in pods:
            self.add(node, pod)

    def add(self, node: str, pod: Placed) -> None:
        value = pod.labels.get(self._key)
        if value is not None:
            self._found.setdefault((pod.namespace, value), {})[pod.uid] = node, pod

    def remove(self, pod: Placed) -> None:
        where = pod.namespace, pod.labels.get(self._key, "")
        if (found := self._found.get(where)) is not None:
            found.pop(pod.uid, None)
            if not found:
                del self._found[where]

    def pods(self, namespaces: Iterable[str], value: str) -> Iterator[tuple[str, Placed]]:
        for namespace in namespaces:
            yield from self._found.get((namespace, value), {}).values()


class Neighbours:
    """The pods that run, as far as constraints ask for them. ``namespaces`` are the labels of all namespaces.

    By the labels that they ask for first pods are indexed from then on, so that a template costs its own pods.
    """

    def __init__(self, pods: Pods) -> None:
        self._pods = pods
        self.namespaces: dict[str, Labels] = {}
        self._indexes: dict[str, _Index] = {}
        self._tallies: dict[object, _Counted] = {}
        self._by_label: _ByLabel[_Counted] = _ByLabel()
        self._kept_away: dict[Term, Counter[str]] = {}
        self._terms: _ByLabel[Term] = _ByLabel()
        self._away: dict[Term, Tally] = {}

    def matches(self, pods: Matchers, namespace: str, labels: Labels) -> bool:
        """Tell whether a pod is one of ``pods``."""
        for one in pods:
            if not one.matches(namespace, labels, self.namespaces):
                return False
        return True

    def add(self, node: str, pod: Placed, by: int) -> bool:
        """Count a pod (by 1) that has come to its node, or (by -1) has left it; tells whether a tally has changed."""
        for index in self._indexes.values():
            index.add(node, pod) if by > 0 else index.remove(pod)
        for term in pod.anti_affinity:
            self._keep_away(term, node, by)
        return bool(self._tallies) and self._count(node, pod, by)

    def _count(self, node: str, pod: Placed, by: int) -> bool:
        changed = False
        for counted in self._by_label.concerning(pod.labels):
            if self._counts(counted, pod):
                counted.tally.add(node, by)
                changed = True
        return changed

    def _counts(self, counted: _Counted, pod: Placed) -> bool:
        return (counted.terminating or not pod.terminating) and self.matches(counted.pods, pod.namespace, pod.labels)

    def _keep_away(self, term: Term, node: str, by: int) -> None:
        nodes = self._kept_away.get(term)
        if nodes is None:
            nodes = self._kept_away[term] = Counter()
            self._terms.setdefault(_label_of(term.pods), []).append(term)
        nodes[node] += by
        if tally := self._away.get(term):
            tally.add(node, by)
        if not nodes[node]:
            del nodes[node]
        if not nodes:
            del self._kept_away[term]
            self._terms[_label_of(term.pods)].remove(term)

    def keeping_away(self, namespace: str, labels: Labels) -> tuple[Term, ...]:
        """Return the anti-affinity of pods that run which concerns a pod of that namespace with those labels."""
        if not self._kept_away:
            return ()
        return tuple([one for one in self._terms.concerning(labels) if self.matches(one.pods, namespace, labels)])

    def holders(self, term: Term, places: Places) -> Tally:
        """Return the tally of pods that keep away by ``term``."""
        tally = self._away.get(term)
        if tally is None:
            tally = self._away[term] = Tally(places)
            for node, count in self._kept_away.get(term, {}).items():
                tally.add(node, count)
        return tally

    def tally(self, key: object, pods: Matchers, places: Places, *, spread: bool = False) -> Tally:
        """Return the tally called ``key`` of ``pods``; that of a spread knows empty places, and no pods that go."""
        counted = self._tallies.get(key)
        if counted is None:
            counted = self._tallies[key] = _Counted(pods, not spread, Tally(places, from_nothing=spread))
            self._by_label.setdefault(_label_of(pods), []).append(counted)
            for node, pod in self._candidates(pods):
                if self._counts(counted, pod):
                    counted.tally.add(node, 1)
        return counted.tally

    def _candidates(self, pods: Matchers) -> Iterable[tuple[str, Placed]]:
        """Yield the pods that run of which some are ``pods``."""
        namespaces, label = _namespaces_of(pods), _label_of(pods)
        if namespaces is None or label is None:
            return self._pods(namespaces)
        key, value = label
        if key not in self._indexes:
            self._indexes[key] = _Index(key, self._pods(None))
        return self._indexes[key].pods(sorted(namespaces), value)

    def retain(self, keys: set[object], terms: set[Term]) -> None:
        """Forget the tallies but those called ``keys``, and of pods that keep away but those by ``terms``."""
        for term in self._away.keys() - terms:
            del self._away[term]
        for key in self._tallies.keys() - keys:
            counted = self._tallies.pop(key)
            self._by_label[_label_of(counted.pods)].remove(counted)

    @property
    def goes_by_namespaces(self) -> bool:
        """Whether labels of namespaces decide about any pod that counts."""
        meant = [counted.pods for counted in self._tallies.values()] + [term.pods for term in self._kept_away]
        return any(not one.namespace_selector.nothing for pods in meant for one in pods)

    def forget(self) -> None:
        """Forget all tallies: places, or what counts, have changed."""
        self._tallies.clear()
        self._by_label.clear()
        self._away.clear()


def _namespaces_of(pods: Matchers) -> frozenset[str] | None:
    """Return the namespaces that such pods can be in, None where labels choose."""
    matcher = next((one for one in pods if one.namespace_selector.nothing), None)
    return None if matcher is None else matcher.namespaces
