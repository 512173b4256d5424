"""Kinds of a cluster's own, of which there are none.

kubectl from 1.27 on asks for their list when it meets a kind that is not served; told that there is none, it says
plainly that the kind is unknown. Discovery does not name them, since none can be made.
"""

from __future__ import annotations

from collections.abc import Mapping

from rollplane_gateway.calls import Backend, Page
from rollplane_gateway.documents import Document
from rollplane_gateway.replies import Answer
from rollplane_gateway.requests import Request
from rollplane_gateway.statuses import not_served

_VERSION = "apiextensions.k8s.io/v1"
_NONE = Document.of(
    {
        "kind": "CustomResourceDefinitionList",
        "apiVersion": _VERSION,
        "metadata": {"resourceVersion": "1"},
        "items": [],
    }
)


def extension_pages() -> Mapping[str, Page]:
    """Return the one page, by path."""

    async def page(_: Backend, request: Request) -> Answer:
        if request.query.flag("watch"):
            raise not_served()
        return _NONE.reply(request.if_none_match)

    return {f"/apis/{_VERSION}/customresourcedefinitions": page}
