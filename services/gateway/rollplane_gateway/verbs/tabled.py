"""Answers as Tables: what stands beside the cells is as much of the object as ``includeObject`` says."""

from __future__ import annotations

from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import Wanted
from rollplane_gateway.rendering import Form
from rollplane_gateway.tables import Embed, IncludeObject, TableForm, embed_nothing, include_object_of
from rollplane_printing.custom import custom_layout


def table_form(call: Call, wanted: Wanted) -> TableForm:
    """Return what Table a request wants; raises BadRequestError for an unknown ``includeObject``."""
    include = include_object_of(call.request.query.text("includeObject"))
    return TableForm(
        _embed(call, include, wanted), wanted.meta_version, call.backend.release, custom_layout(call.target.kind)
    )


def _embed(call: Call, include: IncludeObject, wanted: Wanted) -> Embed:
    if include is IncludeObject.NONE:
        return embed_nothing
    beside = Wanted(Form.JSON if include is IncludeObject.OBJECT else Form.PARTIAL_JSON, wanted.meta_version)
    renderer, api_version = call.backend.renderer, beside.api_version(call.target.api_version)
    return lambda encoded: renderer.embedded(encoded, beside.form, api_version)
