"""May somebody do something? Everybody may do everything that is served, and nobody what is not.

That a resource which is not served is refused, with the reason, keeps tools (k9s, say) from asking for it.
"""

from __future__ import annotations

from google.protobuf.message import Message

from rollplane.authorization import v1 as authorization
from rollplane_machinery.errors import BadRequestError, Cause, InvalidError
from rollplane_machinery.served import Served
from rollplane_rules.validation.causes import invalid, required, under

AnySpec = authorization.SelfSubjectAccessReviewSpec | authorization.SubjectAccessReviewSpec

ALL = "*"
_EXACTLY_ONE = "give exactly one of nonResourceAttributes and resourceAttributes"


def judge(served: Served, spec: AnySpec) -> authorization.SubjectAccessReviewStatus:
    """Return whether what ``spec`` describes is allowed."""
    reason = _why_not(served, spec.resource_attributes) if spec.HasField("resource_attributes") else ""
    status = authorization.SubjectAccessReviewStatus(allowed=not reason)
    if reason:
        status.reason = reason
    return status


def all_rules() -> authorization.SubjectRulesReviewStatus:
    """Return the rules by which everybody may do everything."""
    status = authorization.SubjectRulesReviewStatus(incomplete=False)
    status.resource_rules.add(verbs=[ALL], api_groups=[ALL], resources=[ALL])
    status.non_resource_rules.add(verbs=[ALL], non_resource_urls=[ALL])
    return status


def _why_not(served: Served, asked: authorization.ResourceAttributes) -> str:
    if ALL in (asked.group, asked.resource) or asked.verb == "impersonate":
        return ""
    named = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    resources = [
        each for each in served.resources if (each.group_version.group, each.plural) == (asked.group, asked.resource)
    ]
    if not resources:
        return f"{named} is not served here"
    if asked.subresource in ("", ALL) or any(asked.subresource in each.by_subresource for each in resources):
        return ""
    return f"{named}/{asked.subresource} is not served here"


def check_self(review: authorization.SelfSubjectAccessReview) -> None:
    """Raise InvalidError when ``review`` does not say what is to be done."""
    _refuse(review, _check_attributes(review.spec))


def check_subject(review: authorization.SubjectAccessReview) -> None:
    """Raise InvalidError when ``review`` does not say who is to do what."""
    _refuse(review, _check_attributes(review.spec) + _check_subject(review.spec))


def check_local(review: authorization.LocalSubjectAccessReview, namespace: str) -> None:
    """Raise InvalidError as ``check_subject``, or BadRequestError; the namespace asked about becomes ``namespace``."""
    spec = review.spec
    if spec.HasField("non_resource_attributes"):
        _refuse(review, [invalid("spec.nonResourceAttributes", None, "a path is in no namespace: drop it")])
    asked = spec.resource_attributes
    if asked.namespace not in ("", namespace):
        raise BadRequestError(f"spec.resourceAttributes.namespace must match namespace: {namespace}")
    _refuse(review, _check_attributes(spec) + _check_subject(spec))
    asked.namespace = namespace


def check_rules(review: authorization.SelfSubjectRulesReview) -> None:
    """Raise BadRequestError when ``review`` names no namespace."""
    if not review.spec.namespace:
        raise BadRequestError("no namespace on request")


def _check_attributes(spec: AnySpec) -> list[Cause]:
    if spec.HasField("resource_attributes") != spec.HasField("non_resource_attributes"):
        return []
    return [invalid("spec.resourceAttributes", None, _EXACTLY_ONE)]


def _check_subject(spec: authorization.SubjectAccessReviewSpec) -> list[Cause]:
    return [] if spec.user or spec.groups else under("spec", [required("user", "name a user, or groups")])


def _refuse(review: Message, causes: list[Cause]) -> None:
    if causes:
        title = f"{type(review).__name__}.authorization.k8s.io"
        raise InvalidError(f'{title} "" is invalid: {"; ".join(map(str, causes))}', causes=causes)
