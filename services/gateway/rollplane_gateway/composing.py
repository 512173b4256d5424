"""The gateway's parts, put together."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from rollplane_client.tokens import Tokens
from rollplane_gateway.calls import Backend, Page
from rollplane_gateway.catalogue import Catalogue
from rollplane_gateway.discovery.answers import Discovery
from rollplane_gateway.discovery.root import root_page
from rollplane_gateway.health_pages import health_pages
from rollplane_gateway.openapi.pages import OpenApiPages
from rollplane_gateway.rendering import Renderer
from rollplane_gateway.replies import Answer
from rollplane_gateway.requests import Request
from rollplane_gateway.routing import Routes
from rollplane_gateway.statuses import not_served
from rollplane_gateway.virtual.handlers import virtual_routes
from rollplane_gateway.watching import Shapes, Watches
from rollplane_machinery.api import Api
from rollplane_machinery.clock import Clock
from rollplane_machinery.releases import Release
from rollplane_machinery.served import served
from rollplane_service.health import Health


def make_backend(api: Api, clock: Clock, release: Release) -> Backend:
    """Return what handlers work with, over ``api``, behaving as ``release``."""
    renderer = Renderer()
    watches = Watches(api, clock, Shapes(renderer, clock))
    return Backend(api, clock, release, Catalogue(api, release), Tokens(), renderer, watches)


def gateway_routes(release: Release, health: Health, registry: CollectorRegistry) -> Routes:
    """Return all pages, and all resources of their own making, of a plane that behaves as ``release``."""
    aside = health_pages(health, registry)
    pages = {**_discovery(Discovery(release)), **OpenApiPages(release).pages()}
    return Routes({**pages, "/": root_page((*pages, *aside))}, aside, {**virtual_routes(served(release))})


def _discovery(discovery: Discovery) -> Mapping[str, Page]:
    async def page(backend: Backend, request: Request) -> Answer:
        served = await backend.catalogue.renewed()
        document = discovery.document(request.path, request.accept, request.headers.get("host", ""), served)
        if document is None:
            raise not_served()
        return document.reply(request.if_none_match)

    return dict.fromkeys(("/version", "/api", "/api/*", "/apis", "/apis/*"), page)
