"""What a watch asks for, from the parameters of its URL.

Source of the rules: kubernetes/apimachinery pkg/apis/meta/internalversion/validation and apiserver's handlers/get.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rollplane_gateway.refusals import forbidden, refused_options, unsupported
from rollplane_gateway.requests import Query
from rollplane_gateway.targets import Target
from rollplane_machinery.api import WatchFilter
from rollplane_machinery.dresses import dress_of
from rollplane_machinery.errors import Cause
from rollplane_machinery.selectors.fields import FieldOperator, FieldTerm

MIN_TIMEOUT_SECONDS = 1800.0
"""How long a watch lasts that does not say, at least; at most twice as long, so that not all end at once."""
_MATCH = "resourceVersionMatch"
_NOT_OLDER_THAN = "NotOlderThan"


@dataclass(frozen=True, slots=True)
class Question:
    """One watch.

    Events come after ``revision``; where ``initial`` is set, first the present state, which is to be no older than
    ``revision`` (0: whatever it is). ``from_now`` asks for neither. ``marks_initial_end`` has the state followed by a
    bookmark that says so.
    """

    where: WatchFilter
    revision: int = 0
    initial: bool = False
    marks_initial_end: bool = False
    bookmarks: bool = False
    timeout_seconds: float = MIN_TIMEOUT_SECONDS

    @property
    def from_now(self) -> bool:
        return not self.revision and not self.initial


def question_of(target: Target, query: Query, chance: Callable[[], float]) -> Question:
    """Return what is asked of ``target``; ``chance`` gives a number from 0 to 1.

    Raises BadRequestError for a version that is no number, InvalidError for parameters that do not go together.
    """
    revision = query.version()
    streams_list = _streams_list(query)
    seconds = query.number("timeoutSeconds") or 0
    return Question(
        _filter(target, query),
        revision,
        initial=streams_list if streams_list is not None else not revision,
        marks_initial_end=bool(streams_list) and query.flag("allowWatchBookmarks"),
        bookmarks=query.flag("allowWatchBookmarks"),
        timeout_seconds=seconds if seconds > 0 else MIN_TIMEOUT_SECONDS * (1 + chance()),
    )


def _filter(target: Target, query: Query) -> WatchFilter:
    fields = query.text("fieldSelector")
    dress = dress_of(target.kind, target.api_version)
    if dress is not None:
        fields = dress.selector(fields)
    if target.name:
        named = str(FieldTerm("metadata.name", FieldOperator.EQUALS, (target.name,)))
        fields = f"{named},{fields}" if fields else named
    namespaces = (target.namespace,) if target.namespace else ()
    return WatchFilter(target.kind, namespaces, query.text("labelSelector"), fields)


def _streams_list(query: Query) -> bool | None:
    """Return whether the state is asked for as events; None where nothing is said of it."""
    given = query.given("sendInitialEvents")
    causes = list(_causes(query.text(_MATCH), query.text("continue"), given=given))
    if causes:
        raise refused_options("GET", causes)
    return query.flag("sendInitialEvents") if given else None


def _causes(match: str, token: str, *, given: bool) -> Iterator[Cause]:
    if given and match != _NOT_OLDER_THAN:
        yield forbidden(_MATCH, f"sendInitialEvents requires setting resourceVersionMatch to {_NOT_OLDER_THAN}")
    if not match:
        return
    if not given:
        yield forbidden(_MATCH, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
    if match != _NOT_OLDER_THAN:
        yield unsupported(_MATCH, match, [_NOT_OLDER_THAN])
    if token:
        yield forbidden(_MATCH, "resourceVersionMatch is forbidden when continue is provided")
