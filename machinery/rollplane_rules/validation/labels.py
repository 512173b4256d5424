"""Labels, annotations and selectors of every kind of object."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane.core import v1 as core
from rollplane.meta import v1 as meta
from rollplane_machinery import names, selectors
from rollplane_machinery.errors import Cause, InvalidError
from rollplane_rules.validation.causes import each, forbidden, invalid, not_supported, problems, required, too_long

ANNOTATIONS_BYTES = 256 * 1024

_VALUED = frozenset({"In", "NotIn"})
_UNVALUED = frozenset({"Exists", "DoesNotExist"})
_ORDERED = frozenset({"Gt", "Lt"})


def check_labels(field: str, labels: Mapping[str, str]) -> list[Cause]:
    """Return what is wrong with keys or values; Kubernetes names the map as a whole as the field."""
    found: list[Cause] = []
    for key in labels:  # items() of a protobuf map is slower
        if sentences := names.check_qualified_name(key):
            found += problems(field, key, sentences)
        if sentences := names.check_label_value(labels[key]):
            found += problems(field, labels[key], sentences)
    return found


def check_annotations(field: str, annotations: Mapping[str, str]) -> list[Cause]:
    """Return what is wrong with keys (capitals are allowed in their prefix), or with the size of all of them."""
    found: list[Cause] = []
    total = 0
    for key in annotations:
        if sentences := names.check_qualified_name(key.lower()):
            found += problems(field, key, sentences)
        total += len(key) + len(annotations[key])
    # A character takes up to four bytes; who counts few characters need not count bytes.
    if total * 4 > ANNOTATIONS_BYTES and _bytes(annotations) > ANNOTATIONS_BYTES:
        found.append(too_long(field, ANNOTATIONS_BYTES))
    return found


def _bytes(texts: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in texts.items())


def check_label_selector(selector: meta.LabelSelector) -> list[Cause]:
    """Return what is wrong with a selector in object form."""
    found = check_labels("matchLabels", selector.match_labels)
    found += each("matchExpressions", selector.match_expressions, _check_requirement)
    return found


def _check_requirement(requirement: meta.LabelSelectorRequirement) -> list[Cause]:
    found = _check_values(requirement.operator, len(requirement.values), _VALUED | _UNVALUED)
    found += problems("key", requirement.key, names.check_qualified_name(requirement.key))
    for index, value in enumerate(requirement.values):
        found += problems(f"values[{index}]", value, names.check_label_value(value))
    return found


def _check_values(operator: str, count: int, known: frozenset[str]) -> list[Cause]:
    """Return what is wrong with the number of values for ``operator``, or with the operator itself."""
    if operator not in known:
        return [invalid("operator", operator, f"choose one of {', '.join(sorted(known))}")]
    if operator in _VALUED and not count:
        return [required("values", f"give at least one for operator {operator}")]
    if operator in _UNVALUED and count:
        return [forbidden("values", f"give none for operator {operator}")]
    if operator in _ORDERED and count != 1:
        return [required("values", f"give exactly one for operator {operator}")]
    return []


def check_node_selector(selector: core.NodeSelector) -> list[Cause]:
    """Return what is wrong with a required node selector."""
    if not selector.node_selector_terms:
        return [required("nodeSelectorTerms", "give at least one term")]
    return each("nodeSelectorTerms", selector.node_selector_terms, check_node_selector_term)


def check_node_selector_term(term: core.NodeSelectorTerm) -> list[Cause]:
    """Return what is wrong with one term of a node selector."""
    found = each("matchExpressions", term.match_expressions, _check_node_requirement)
    found += each("matchFields", term.match_fields, _check_node_field)
    return found


def _check_node_requirement(requirement: core.NodeSelectorRequirement) -> list[Cause]:
    found = _check_values(requirement.operator, len(requirement.values), _VALUED | _UNVALUED | _ORDERED)
    found += problems("key", requirement.key, names.check_qualified_name(requirement.key))
    return found


def _check_node_field(requirement: core.NodeSelectorRequirement) -> list[Cause]:
    found: list[Cause] = []
    if requirement.operator not in _VALUED:
        found.append(invalid("operator", requirement.operator, "choose In or NotIn"))
    elif len(requirement.values) != 1:
        found.append(required("values", "give exactly one"))
    if requirement.key != "metadata.name":
        found.append(invalid("key", requirement.key, "choose metadata.name"))
    for index, value in enumerate(requirement.values):
        found += problems(f"values[{index}]", value, names.check_dns1123_subdomain(value))
    return found


def is_empty(selector: meta.LabelSelector) -> bool:
    """Whether ``selector`` asks for nothing, and so matches everything."""
    return not selector.match_labels and not selector.match_expressions


def matches(selector: meta.LabelSelector, labels: Mapping[str, str]) -> bool | None:
    """Return whether ``selector`` matches ``labels``; None when it cannot be read."""
    try:
        return selectors.label_selector_of(selector).matches(labels)
    except InvalidError:
        return None


def check_effect(effect: str, *, optional: bool) -> list[Cause]:
    """Return what is wrong with the effect of a taint, or of a toleration, where it is optional."""
    if effect in _EFFECTS or (optional and not effect):
        return []
    if not effect:
        return [required("effect", f"choose one of {', '.join(sorted(_EFFECTS))}")]
    return [not_supported("effect", effect, _EFFECTS)]


_EFFECTS = frozenset({"NoSchedule", "PreferNoSchedule", "NoExecute"})
