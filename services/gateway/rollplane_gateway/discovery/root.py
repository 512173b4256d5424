"""``/``: the paths that there are to ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rollplane_gateway.calls import Backend, Page
from rollplane_gateway.documents import Document
from rollplane_gateway.replies import Answer
from rollplane_gateway.requests import Request
from rollplane_machinery.served import Served


def root_page(served: Served, pages: Iterable[str]) -> Page:
    """Return the page that lists the paths of ``served`` and of ``pages`` which name no resource."""
    paths = {*_discovery(served), *(page for page in pages if not page.endswith("/*") and page.count("/") < 3)}
    document = Document.of({"paths": sorted(paths)})

    async def page(_: Backend, request: Request) -> Answer:
        return document.reply(request.if_none_match)

    return page


def _discovery(served: Served) -> Iterator[str]:
    for each in served.by_group_version:
        if each.group:
            yield f"/apis/{each.group}"
        yield f"/apis/{each}" if each.group else f"/api/{each}"
