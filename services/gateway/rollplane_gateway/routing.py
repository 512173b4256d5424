"""Which handler answers a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rollplane_gateway import verbs
from rollplane_gateway.calls import Backend, Call, Handler, Page
from rollplane_gateway.replies import Answer
from rollplane_gateway.requests import Request
from rollplane_gateway.statuses import not_allowed, not_served
from rollplane_gateway.targets import Target, place_of, target_of
from rollplane_gateway.virtual.handlers import without_processes


@dataclass(frozen=True, slots=True)
class Routes:
    """What the gateway's parts bring.

    ``pages`` answer paths that name no resource, by the path without a slash at its end; a key that ends in ``/*``
    answers everything below it that is no resource's path. ``virtual`` answers resources and subresources of their own
    making, by API version and ``resource`` or ``resource/subresource``, each by method; it goes before the verbs of
    stored objects.
    """

    pages: Mapping[str, Page] = field(default_factory=dict)
    virtual: Mapping[tuple[str, str], Mapping[str, Handler]] = field(default_factory=dict)

    def page(self, path: str) -> Page | None:
        """Return what answers ``path``."""
        path = path.rstrip("/") or "/"
        if (found := self.pages.get(path)) is not None:
            return found
        below = (key for key in self.pages if key.endswith("/*") and path.startswith(key[:-1]))
        return next((self.pages[key] for key in below), None)

    def handlers(self, target: Target) -> Mapping[str, Handler]:
        """Return what answers ``target``, by method."""
        name = target.resource.plural + (f"/{target.subresource.name}" if target.subresource else "")
        if (virtual := self.virtual.get((target.api_version, name))) is not None:
            return virtual
        if target.resource.stored is None:
            return MappingProxyType({})
        if target.subresource is not None:
            return verbs.SUBRESOURCES.get(target.subresource.name, {})
        return verbs.OBJECT if target.name else verbs.COLLECTION


async def answer(routes: Routes, backend: Backend, request: Request) -> Answer:
    """Answer ``request``; raises RollplaneError or RefusedError, which are told as Status."""
    place = place_of(request.path)
    if place is None:
        return await _page(routes, backend, request)
    target = target_of(place, backend.served)
    if target is None:
        raise without_processes(place) or not_served()
    handler = routes.handlers(target).get(request.method)
    if handler is None or not _is_allowed(target, request.method):
        raise not_allowed()
    return await handler(Call(backend, request, target))


async def _page(routes: Routes, backend: Backend, request: Request) -> Answer:
    page = routes.page(request.path)
    if page is None:
        raise not_served()
    if request.method not in ("GET", "HEAD"):
        raise not_allowed()
    return await page(backend, request)


def _is_allowed(target: Target, method: str) -> bool:
    """Writes to a collection of namespaced objects need a namespace."""
    return method == "GET" or not target.resource.namespaced or bool(target.namespace)
