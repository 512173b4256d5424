"""What a watch asks for, from the parameters of its URL.

Source of the rules: kubernetes/apimachinery pkg/apis/meta/internalversion/validation and apiserver's handlers/get.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollplane_gateway.requests import Query
from rollplane_gateway.targets import Target
from rollplane_machinery.api import MAX_NUMBER, WatchFilter
from rollplane_machinery.dresses import dress_of
from rollplane_machinery.errors import BadRequestError, Cause, CauseReason, InvalidError
from rollplane_machinery.selectors.fields import FieldOperator, FieldTerm

MIN_TIMEOUT_SECONDS = 1800.0
"""How long a watch lasts that does not say, at least; at most twice as long, so that not all end at once."""
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
    revision = _revision(query.text("resourceVersion"))
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


def _revision(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(MAX_NUMBER)) or int(text) > MAX_NUMBER:
        raise BadRequestError(f'resourceVersion: Invalid value: "{text}": want a version as objects and lists have it')
    return int(text)


def _streams_list(query: Query) -> bool | None:
    """Return whether the state is asked for as events; None where nothing is said of it."""
    match = query.text("resourceVersionMatch")
    given = query.given("sendInitialEvents")
    causes = list(_causes(match, given=given))
    if causes:
        raise InvalidError("; ".join(map(str, causes)), causes=causes)
    return query.flag("sendInitialEvents") if given else None


def _causes(match: str, *, given: bool) -> tuple[Cause, ...]:
    field = "resourceVersionMatch"
    if given and match != _NOT_OLDER_THAN:
        return (Cause(CauseReason.FORBIDDEN, field, f"sendInitialEvents requires it to be {_NOT_OLDER_THAN}"),)
    if match and not given:
        return (Cause(CauseReason.FORBIDDEN, field, "is forbidden for a watch without sendInitialEvents"),)
    return ()
