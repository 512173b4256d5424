"""Which handler answers a request, told by its method, path and parameters alone: before its body is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from rollplane_gateway import verbs
from rollplane_gateway.calls import Backend, Call, Handler, Page
from rollplane_gateway.replies import Answer
from rollplane_gateway.requests import Query, Request
from rollplane_gateway.statuses import not_allowed, not_served
from rollplane_gateway.targets import Target, place_of, target_of
from rollplane_gateway.virtual.handlers import without_processes
from rollplane_machinery.kinds import CustomKind
from rollplane_machinery.served import Served

READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Match:
    """What answers a request: ``run``, and how it is counted. ``is_aside`` is answered however busy the server is."""

    run: Callable[[Backend, Request], Awaitable[Answer]]
    verb: str
    resource: str = ""
    subresource: str = ""
    is_aside: bool = False


@dataclass(frozen=True, slots=True)
class Routes:
    """What the gateway's parts bring.

    ``pages`` answer paths that name no resource that is served, by the path without a slash at its end; a key that ends
    in ``/*`` answers everything below it that is no resource's path. ``aside`` are pages that are answered however
    busy the server is, and while it goes away. ``virtual`` answers resources and subresources of their own making, by
    API version and ``resource`` or ``resource/subresource``, each by method; they go before the verbs of stored kinds.
    """

    pages: Mapping[str, Page] = field(default_factory=dict)
    aside: Mapping[str, Page] = field(default_factory=dict)
    virtual: Mapping[tuple[str, str], Mapping[str, Handler]] = field(default_factory=dict)

    def match(self, served: Served, method: str, path: str, query: Query) -> Match:
        """Return what answers; raises RefusedError (404 or 405) when nothing does."""
        place = place_of(path)
        if place is None:
            return self._page(method, path)
        target = target_of(place, served)
        if target is None:
            if (page := self.pages.get(path.rstrip("/"))) is not None:
                return _page_match(page, method)
            raise without_processes(place) or not_served()
        handler = self._handlers(target).get(method)
        if handler is None or not _is_allowed(target, method):
            raise not_allowed()

        async def run(backend: Backend, request: Request) -> Answer:
            return _warned(await handler(Call(backend, request, target)), target)

        return Match(run, _verb(target, method, query), target.resource.plural, target.subresource_name)

    def _page(self, method: str, path: str) -> Match:
        path = path.rstrip("/") or "/"
        aside = _found(self.aside, path)
        page = aside or _found(self.pages, path)
        if page is None:
            raise not_served()
        return _page_match(page, method, is_aside=aside is not None)

    def _handlers(self, target: Target) -> Mapping[str, Handler]:
        name = target.resource.plural + (f"/{target.subresource.name}" if target.subresource else "")
        if (virtual := self.virtual.get((target.api_version, name))) is not None:
            return virtual
        if target.resource.stored is None:
            return _NONE
        if target.subresource is not None:
            return verbs.SUBRESOURCES.get(target.subresource.name, _NONE)
        return verbs.OBJECT if target.name else verbs.COLLECTION


def _page_match(page: Page, method: str, *, is_aside: bool = False) -> Match:
    if method not in READS:
        raise not_allowed()
    return Match(page, "GET", is_aside=is_aside)


def _warned(answer: Answer, target: Target) -> Answer:
    """Return ``answer`` with what a definition has to say on a version of it that is deprecated."""
    kind = target.resource.stored
    if not isinstance(kind, CustomKind) or not kind.described.warning:
        return answer
    return replace(answer, warnings=(kind.described.warning, *answer.warnings))


_NONE: Mapping[str, Handler] = MappingProxyType({})


def _found(pages: Mapping[str, Page], path: str) -> Page | None:
    if (found := pages.get(path)) is not None:
        return found
    below = (key for key in pages if key.endswith("/*") and path.startswith(key[:-1]))
    return next((pages[key] for key in below), None)


def _is_allowed(target: Target, method: str) -> bool:
    """Whether the release offers the verb, and at this path: writing to a collection needs its namespace."""
    if method == "GET" or target.subresource is not None:
        return True
    if target.resource.namespaced and not target.namespace:
        return False
    return method != "DELETE" or bool(target.name) or "deletecollection" in target.resource.verbs


def _verb(target: Target, method: str, query: Query) -> str:
    """Return what kube-apiserver calls the request in its metrics."""
    if method == "GET" and not target.name:
        return "WATCH" if target.is_watch or query.flag("watch") else "LIST"
    return "DELETECOLLECTION" if method == "DELETE" and not target.name else method
