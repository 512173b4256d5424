"""Lists: which objects, how many at once, and of which version of the plane.

Source of the rules: kubernetes/apimachinery pkg/apis/meta/internalversion/validation; what limit and version mean
together: the table in Kubernetes' API concepts, "semantics for get and list".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rollplane_gateway.calls import Call
from rollplane_gateway.refusals import forbidden, refused_options, unsupported
from rollplane_gateway.requests import Query
from rollplane_machinery.api import ListQuery, Page
from rollplane_machinery.dresses import dress_of
from rollplane_machinery.errors import BadRequestError, Cause
from rollplane_machinery.kinds import Encoded

ANY_VERSION = "0"
EXACT = "Exact"
NOT_OLDER_THAN = "NotOlderThan"
_MATCH = "resourceVersionMatch"


def selectors_of(call: Call) -> tuple[str, str]:
    """Return the label selector and the field selector, with the fields' names in the storage version."""
    query = call.request.query
    labels, fields = query.text("labelSelector"), query.text("fieldSelector")
    dress = dress_of(call.target.kind, call.target.api_version)
    return labels, fields if dress is None else dress.selector(fields)


def list_query(call: Call) -> ListQuery:
    """Return the list that is asked for, its first page; raises InvalidError for what does not go together."""
    query = call.request.query
    _check(query)
    limit, version = max(0, query.number("limit") or 0), query.version()
    labels, fields = selectors_of(call)
    asked = ListQuery(call.target.kind, call.target.namespace, labels, fields, limit, query.text("continue"))
    if not version or asked.continue_token:
        return asked
    # A version with a limit and no word on what it means has always been exact.
    if query.text(_MATCH) == EXACT or (limit and not query.text(_MATCH)):
        return replace(asked, exact_revision=version)
    return replace(asked, min_revision=version)


async def listed(call: Call) -> Page:
    """Return the page that is asked for; without a limit all of it, however many pages the server makes of it."""
    query = list_query(call)
    page = await call.backend.api.list(query)
    if query.limit or not page.continue_token:
        return page
    objects: list[Encoded] = list(page.objects)
    while page.continue_token:
        page = await call.backend.api.list(replace(query, continue_token=page.continue_token, exact_revision=0))
        objects += page.objects
    return Page(objects, page.revision)


def _check(query: Query) -> None:
    version, token = query.text("resourceVersion"), query.text("continue")
    causes = list(_causes(query.text(_MATCH), version, token))
    if query.given("sendInitialEvents"):
        causes.append(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if causes:
        raise refused_options("GET", causes)
    if token and version not in ("", ANY_VERSION):
        raise BadRequestError("specifying resource version is not allowed when using continue")


def _causes(match: str, version: str, token: str) -> Iterator[Cause]:
    if not match:
        return
    if not version:
        yield forbidden(_MATCH, "resourceVersionMatch is forbidden unless resourceVersion is provided")
    if token:
        yield forbidden(_MATCH, "resourceVersionMatch is forbidden when continue is provided")
    if match not in (EXACT, NOT_OLDER_THAN):
        yield unsupported(_MATCH, match, [EXACT, NOT_OLDER_THAN])
    if match == EXACT and version == ANY_VERSION:
        yield forbidden(_MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
