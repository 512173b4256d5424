"""``/``: the paths that there are to ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rollplane_gateway.calls import Backend, Page
from rollplane_gateway.documents import Document
from rollplane_gateway.replies import Answer
from rollplane_gateway.requests import Request
from rollplane_machinery.served import Served


def root_page(pages: Iterable[str]) -> Page:
    """Return the page that lists the paths of what is served and of ``pages`` which name no resource."""
    others = [page for page in pages if not page.endswith("/*") and page.count("/") < 3]

    async def page(backend: Backend, request: Request) -> Answer:
        paths = {*_discovery(await backend.catalogue.renewed()), *others}
        return Document.of({"paths": sorted(paths)}).reply(request.if_none_match)

    return page


def _discovery(served: Served) -> Iterator[str]:
    for each in served.by_group_version:
        if each.group:
            yield f"/apis/{each.group}"
        yield f"/apis/{each}" if each.group else f"/api/{each}"
