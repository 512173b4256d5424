"""Sets of fields: which paths of an object are meant, each path a member by itself.

That an object is a member says nothing of what is inside it, and the other way round.

Source: structured-merge-diff fieldpath/set.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rollplane_machinery.fields.elements import Element, Path, sort_key


@dataclass(frozen=True, slots=True)
class FieldSet:
    """``members`` are the steps that end a path of the set, ``children`` what follows a step; none of them is empty."""

    members: frozenset[Element] = frozenset()
    children: Mapping[Element, FieldSet] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[Path]) -> FieldSet:
        """Return the set of ``paths``; an empty path, the whole object, is nobody's and left out."""
        builder = SetBuilder()
        for path in paths:
            builder.add(path)
        return builder.build()

    def __bool__(self) -> bool:
        return bool(self.members or self.children)

    def __contains__(self, path: Path) -> bool:
        here = self
        for step in path[:-1]:
            here = here.within(step)
        return bool(path) and path[-1] in here.members

    def __or__(self, other: FieldSet) -> FieldSet:
        """Return what is in either."""
        children = dict(self.children)
        for step, child in other.children.items():
            children[step] = children[step] | child if step in children else child
        return FieldSet(self.members | other.members, children)

    def __and__(self, other: FieldSet) -> FieldSet:
        """Return what is in both."""
        common = ((step, child & other.within(step)) for step, child in self.children.items())
        return FieldSet(self.members & other.members, _filled(common))

    def __sub__(self, other: FieldSet) -> FieldSet:
        """Return what is in this set alone; what is inside a member of ``other`` stays."""
        left = ((step, child - other.within(step)) for step, child in self.children.items())
        return FieldSet(self.members - other.members, _filled(left))

    def without(self, other: FieldSet) -> FieldSet:
        """Return this set without the members of ``other`` and all that is inside them."""
        left = (
            (step, child.without(other.within(step)))
            for step, child in self.children.items()
            if step not in other.members
        )
        return FieldSet(self.members - other.members, _filled(left))

    def within(self, step: Element) -> FieldSet:
        """Return the paths that go on from ``step``, relative to it."""
        return self.children.get(step, EMPTY)

    def paths(self) -> Iterator[Path]:
        """Return every path, in the order of FieldsV1."""
        for step in self.steps():
            if step in self.members:
                yield (step,)
            for rest in self.within(step).paths():
                yield (step, *rest)

    def steps(self) -> list[Element]:
        """Return the first steps of all paths, in the order of FieldsV1."""
        return sorted(self.members | self.children.keys(), key=sort_key)


EMPTY = FieldSet()


def _filled(children: Iterable[tuple[Element, FieldSet]]) -> Mapping[Element, FieldSet]:
    return {step: child for step, child in children if child}


class SetBuilder:
    """Gathers paths."""

    __slots__ = ("_children", "_members")

    def __init__(self) -> None:
        self._members: set[Element] = set()
        self._children: dict[Element, SetBuilder] = {}

    def add(self, path: Path) -> None:
        """Add ``path``; an empty one is left out."""
        if not path:
            return
        here = self
        for step in path[:-1]:
            here = here._children.setdefault(step, SetBuilder())
        here._members.add(path[-1])

    def build(self) -> FieldSet:
        """Return the set of what was added."""
        children = {step: child.build() for step, child in self._children.items()}
        return FieldSet(frozenset(self._members), children)
