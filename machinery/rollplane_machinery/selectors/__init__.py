"""Label and field selectors: parse, print, match.

A selector is compiled once to a plain test, since watch filters put it to every event. ``str`` gives the text as
kubectl prints it, and parsing that text gives an equal selector.
"""

from rollplane_machinery.selectors.fields import FieldSelector, FieldTerm, parse_field_selector
from rollplane_machinery.selectors.labels import (
    NOTHING,
    LabelSelector,
    label_selector_of,
    parse_label_selector,
    pod_selector_of,
    selector_of_map,
)
from rollplane_machinery.selectors.requirement import Operator, Requirement
from rollplane_machinery.selectors.selectable import have_same_fields, selectable_field_names, selectable_fields

__all__ = [
    "NOTHING",
    "FieldSelector",
    "FieldTerm",
    "LabelSelector",
    "Operator",
    "Requirement",
    "have_same_fields",
    "label_selector_of",
    "parse_field_selector",
    "parse_label_selector",
    "pod_selector_of",
    "selectable_field_names",
    "selectable_fields",
    "selector_of_map",
]
