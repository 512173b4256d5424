"""Answers as Tables: what stands beside the cells is as much of the object as ``includeObject`` says."""

from __future__ import annotations

from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import Wanted
from rollplane_gateway.plain import render_object, render_partial
from rollplane_gateway.rendering.forms import Form
from rollplane_gateway.tables import Embed, IncludeObject, TableForm, embed_nothing, include_object_of
from rollplane_machinery.kinds import Encoded, metadata_of


def table_form(call: Call, wanted: Wanted) -> TableForm:
    """Return what Table a request wants; raises BadRequestError for an unknown ``includeObject``."""
    include = include_object_of(call.request.query.text("includeObject"))
    return TableForm(_embed(call, include, wanted), wanted.meta_version, call.backend.release)


def _embed(call: Call, include: IncludeObject, wanted: Wanted) -> Embed:
    def whole(encoded: Encoded) -> bytes:
        return render_object(encoded, Form.JSON, call.target.api_version)

    def metadata(encoded: Encoded) -> bytes:
        return render_partial(metadata_of(encoded.value), f"meta.k8s.io/{wanted.meta_version}")

    return {
        IncludeObject.NONE: embed_nothing,
        IncludeObject.METADATA: metadata,
        IncludeObject.OBJECT: whole,
    }[include]
