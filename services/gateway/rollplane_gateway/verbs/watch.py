"""GET with ``watch``: what happens to the objects of a collection, or to one of them."""

from __future__ import annotations

from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import Wanted, negotiate
from rollplane_gateway.rendering import Form
from rollplane_gateway.replies import Stream
from rollplane_gateway.tables import include_object_of
from rollplane_gateway.verbs.answers import forms_of
from rollplane_gateway.verbs.tabled import table_form
from rollplane_gateway.watching import Shape, opened, question_of
from rollplane_printing.custom import custom_layout


def is_watch(call: Call) -> bool:
    """Return whether ``call`` is for events: by the parameter, or by the older paths of watches."""
    return call.target.is_watch or (not call.target.name and call.request.query.flag("watch"))


def watch(call: Call) -> Stream:
    """Answer with the events, in the form that is asked for; YAML, which has no watches, is JSON."""
    watches = call.backend.watches
    shape = _shape(call, negotiate(call.request.accept, forms_of(call)))
    question = question_of(call.target, call.request.query, watches.chance)
    return Stream(opened(watches, question, shape), shape.content_type)


def _shape(call: Call, wanted: Wanted) -> Shape:
    shapes = call.backend.watches.shapes
    if wanted.form is not Form.TABLE:
        return shapes.of_objects(wanted.form, wanted.api_version(call.target.api_version))
    include = include_object_of(call.request.query.text("includeObject"))
    which = (call.target.api_version, wanted.meta_version, include, custom_layout(call.target.kind))
    return shapes.of_tables(which, lambda: table_form(call, wanted))
