"""Which objects a list or a watch is about: selectors, namespaces and shards, parsed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollplane_apiserver.watch.entry import View
from rollplane_machinery.api import WatchFilter
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import ANY_CUSTOM, Kind
from rollplane_machinery.selectors import FieldSelector, LabelSelector, parse_field_selector, parse_label_selector
from rollplane_machinery.selectors.fields import FieldOperator
from rollplane_machinery.selectors.limits import check_request, check_terms
from rollplane_machinery.shards import SHARDS, shard_of

_NAME = "metadata.name"
_ALLOWING = (FieldOperator.EQUALS, FieldOperator.IN)


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter; None does not narrow. ``names`` are those that ``fields`` allow, which the keys tell."""

    kind: Kind
    namespaces: frozenset[str] | None = None
    shards: frozenset[int] | None = None
    labels: LabelSelector | None = None
    fields: FieldSelector | None = None
    metadata_only: bool = False
    names: frozenset[str] | None = None

    def matches(self, view: View) -> bool:
        """Return whether the object is meant; cheap questions first, since labels and fields need parsing."""
        if self.namespaces is not None and view.namespace not in self.namespaces:
            return False
        if self.names is not None and view.name not in self.names:
            return False
        if self.shards is not None and shard_of(view.namespace) not in self.shards:
            return False
        if self.labels is not None and not self.labels.matches(view.labels):
            return False
        return self.fields is None or self.fields.matches(view.fields)

    @property
    def takes_all(self) -> bool:
        """Whether every object of the kind is meant."""
        return self.namespaces is None and self.names is None and self.shards is None and not self.selects

    @property
    def selects(self) -> bool:
        """Whether an object may begin or cease to match while it lives."""
        return self.labels is not None or self.fields is not None

    @property
    def terms(self) -> int:
        """How many terms an object is asked at most."""
        labels = self.labels.requirements if self.labels is not None else ()
        fields = self.fields.terms if self.fields is not None else ()
        return len(labels) + len(fields)


def parse_filters(requests: Sequence[WatchFilter]) -> FilterSet:
    """Return the filters of one request; raises BadRequestError as ``parse_filter``, and for too much together."""
    check_request((each.label_selector for each in requests), (each.field_selector for each in requests))
    filters = [parse_filter(each) for each in requests]
    check_terms("a request with selectors", sum(each.terms for each in filters))
    return FilterSet(filters)


def parse_filter(request: WatchFilter) -> Filter:
    """Return the filter of ``request``; raises BadRequestError for a selector or a shard that makes no sense."""
    for shard in request.shards:
        if not 0 <= shard < SHARDS:
            raise BadRequestError(f"shard {shard} is not from 0 to {SHARDS - 1}", resource=request.kind.resource)
    fields = parse_field_selector(request.field_selector, request.kind) if request.field_selector else None
    return Filter(
        request.kind,
        frozenset(request.namespaces) or None,
        frozenset(request.shards) or None,
        parse_label_selector(request.label_selector) if request.label_selector else None,
        fields,
        request.metadata_only,
        _names(fields),
    )


def _names(fields: FieldSelector | None) -> frozenset[str] | None:
    """Return the names that are not ruled out; None when all may match."""
    terms = fields.terms if fields is not None else ()
    allowed = [frozenset(term.values) for term in terms if term.path == _NAME and term.operator in _ALLOWING]
    return frozenset.intersection(*allowed) if allowed else None


class FilterSet:
    """Several filters asked as one: an object is meant if any filter of its kind means it.

    ``terms`` is how many questions that may take.
    """

    def __init__(self, filters: Sequence[Filter]) -> None:
        self._by_kind: dict[Kind, list[Filter]] = {}
        for item in filters:
            self._by_kind.setdefault(item.kind, []).append(item)
        self._any_custom = self._by_kind.get(ANY_CUSTOM, ())
        self._whole = frozenset(item.kind for item in filters if item.takes_all)
        self._selecting = frozenset(item.kind for item in filters if item.selects)
        self._bare = frozenset(
            kind for kind, items in self._by_kind.items() if all(item.metadata_only for item in items)
        )
        self.terms = sum(1 + item.terms for item in filters)

    @property
    def kinds(self) -> Sequence[Kind]:
        """The kinds that are watched, in the order they were first named."""
        return tuple(self._by_kind)

    def matches(self, kind: Kind, view: View) -> bool:
        if kind in self._whole:
            return True
        for item in self._by_kind.get(kind) or self._any_custom:  # asked of each change, for each watcher
            if item.matches(view):
                return True
        return False

    def takes_all(self, kind: Kind) -> bool:
        """Return whether every object of a kind is meant."""
        return kind in self._whole

    def namespaces(self, kind: Kind) -> Sequence[str]:
        """Return the namespaces to look into for a kind, in the order of their keys; "" stands for all."""
        asked = [item.namespaces for item in self._by_kind[kind]]
        narrow = [each for each in asked if each is not None]
        return sorted(frozenset[str]().union(*narrow), key=_key_prefix) if len(narrow) == len(asked) else ("",)

    def selects(self, kind: Kind) -> bool:
        """Return whether anything of a kind is asked of its objects themselves."""
        return kind in self._selecting or (kind.is_custom and ANY_CUSTOM in self._selecting)

    def concerns(self, kind: Kind) -> bool:
        return kind in self._by_kind or (kind.is_custom and ANY_CUSTOM in self._by_kind)

    def is_metadata_only(self, kind: Kind) -> bool:
        """Return whether nothing but metadata is wanted of a kind."""
        return kind in self._bare or (kind.is_custom and ANY_CUSTOM in self._bare)


def _key_prefix(namespace: str) -> str:
    return f"{namespace}/"
